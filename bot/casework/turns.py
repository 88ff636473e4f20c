"""A person's turn: one transaction that changes the case, says the answer and closes the inbox row."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import journey, store
from bot.casework.desk import Desk
from bot.casework.inbound import Inbound
from bot.journey import Heard, Turn
from bot.journey.brief import brief
from bot.journey.turn import FileView, expects
from bot.model import Case, Conversation, File, Inbox
from bot.progress import Progress
from bot.render import Say

log = logging.getLogger(__name__)

CONSENT_VERSION = "2026-11"
RETRY_SECONDS = (1, 2, 5, 15, 30, 60)
LAST_ATTEMPT = 60  # about an hour of trying


@dataclass(frozen=True)
class Pending:
    """A turn as the gateway sees it before anything is decided."""

    turn: str
    case_id: str
    conversation_id: str
    seq: int
    inbound: Inbound
    channel: str
    state: str
    consent: str
    step: str
    expects: str
    attempts: int
    alarm: str
    done: bool
    file_ids: tuple[str, ...]


class Turns(Desk):
    """Use cases of the gateway and of the engine's actions."""

    async def due_turns(self, skip: set[str]) -> list[tuple[str, str]]:
        """(lane, turn) of what waits to be handled, oldest first, at most one a lane."""
        async with self.reading() as session:
            return list(await store.due_turns(session, self.now(), skip))

    async def due_alarms(self, skip: set[str]) -> list[str]:
        """Turns that raised a red flag when they were received; they overtake what waits before them."""
        async with self.reading() as session:
            return list(await store.due_alarms(session, skip))

    async def pending(self, turn: str) -> Pending | None:
        """What a turn brings, and where its person stands. Its files become the case's on first sight."""
        async with self.transaction() as session:
            row = await store.inbox(session, turn)
            if row is None or row.conversation_id is None:
                return None
            conversation, case = await self._of(session, row)
            inbound = Inbound.of(row.payload) if row.payload else Inbound("text")
            files = [file for file in await store.files(session, case.id) if file.turn == turn]
            if inbound.files and not files and row.state == "new":
                files = [_file(case, turn, ref, self.now()) for ref in inbound.files]
                session.add_all(files)
                await session.flush()
            progress = Progress.model_validate_json(case.progress)
            return Pending(
                turn=turn,
                case_id=case.id,
                conversation_id=conversation.id,
                seq=row.seq,
                inbound=inbound,
                channel=conversation.channel,
                state=case.state,
                consent=case.consent,
                step=progress.step.name,
                expects=expects(progress),
                attempts=row.attempts,
                alarm=row.alarm,
                done=row.state != "new",
                file_ids=tuple(file.id for file in files),
            )

    async def choice(self, conversation_id: str, token: str) -> dict[str, Any] | None:
        """What a button does; None when it is unknown here, or was used."""
        async with self.reading() as session:
            button = await store.button(session, conversation_id, token)
            return dict(button.parse) if button and button.used_at is None else None

    async def take_turn(self, turn: str, heard: Heard, decision: str) -> list[Say]:
        """Run one of the journey's decisions (`DECISIONS`). A second call says the same and changes nothing."""
        move = journey.DECISIONS[decision]

        async def run(working: Turn) -> None:
            journey.decide(working, move)

        return await self._turn(turn, heard, run)

    async def speak(self, turn: str, *says: Say, ask: bool = False) -> list[Say]:
        """Answer a turn with fixed words (a button that died, a sticker), and ask the pending question again."""

        async def run(working: Turn) -> None:
            working.says.extend(says)
            if ask:
                journey.turn.ask(working)

        return await self._turn(turn, Heard("none"), run)

    async def alarm(self, turn: str, tier: str) -> list[Say]:
        """An emergency or self-harm, recognised before the engine was asked."""

        async def run(working: Turn) -> None:
            journey.safety.alarm(working, tier)

        return await self._turn(turn, Heard("safety"), run)

    async def relay(self, turn: str) -> None:
        """A human holds the case: the words go to the topic, and the assistant is silent."""

        async def run(working: Turn) -> None:
            working.progress.seen_at = working.now
            for file in working.heard.of("file"):
                working.do("keep_file", file=file.value, record="")

        await self._turn(turn, Heard("relay"), run)

    async def delay(self, turn: str, reason: str) -> None:
        """The engine could not answer: keep the turn for later, and tell the person once."""
        async with self.transaction() as session:
            row = await store.inbox(session, turn)
            if row is None or row.state != "new":
                return
            conversation, case = await self._of(session, row)
            row.attempts += 1
            row.error = reason[:200]
            pause = RETRY_SECONDS[min(row.attempts, len(RETRY_SECONDS)) - 1]
            row.not_before = self.now() + timedelta(seconds=pause)
            progress = Progress.model_validate_json(case.progress)
            if row.attempts == 1:
                await self.deliver(session, case, conversation, [Say("engine.away")], progress, in_reply_to=row.seq)
            if row.attempts >= LAST_ATTEMPT:
                row.state = "failed"
            case.progress = progress.model_dump_json()

    async def _of(self, session: AsyncSession, row: Inbox) -> tuple[Conversation, Case]:
        conversation = await store.conversation(session, str(row.conversation_id))
        case = await store.case(session, conversation.case_id, lock=True) if conversation else None
        if conversation is None or case is None:
            raise LookupError(f"turn {row.id} has no case")
        return conversation, case

    async def _turn(self, turn: str, heard: Heard, run: Callable[[Turn], Awaitable[None]]) -> list[Say]:
        async with self.transaction() as session:
            row = await store.inbox(session, turn)
            if row is None:
                raise LookupError(f"no turn {turn}")
            conversation, case = await self._of(session, row)
            if row.state == "done":
                return [Say.from_json(said) for said in row.said or []]
            inbound = Inbound.of(row.payload) if row.payload else Inbound("text")
            files = await store.files(session, case.id)
            working = Turn(
                progress=Progress.model_validate_json(case.progress),
                heard=heard,
                now=self.now(),
                consent=case.consent,  # type: ignore[arg-type]
                held=case.state,  # type: ignore[arg-type]
                code=case.code,
                language=conversation.lang,
                channel=conversation.channel,
                files=tuple(FileView(f.id, f.name, f.mime, f.kind, f.record) for f in files if f.sender == "patient"),
            )
            await run(working)
            row.state = "done"
            row.said = [say.to_json() for say in working.says]
            await self._settle_button(session, conversation, inbound)
            await self._apply(session, working, case, conversation, row, inbound)
            return working.says

    async def _settle_button(self, session: AsyncSession, conversation: Conversation, inbound: Inbound) -> None:
        """A pressed button dies with those beside it; on Telegram the message then shows what was chosen."""
        button = await store.button(session, conversation.id, inbound.choice) if inbound.choice else None
        if button is None or button.used_at is not None:
            return
        await store.use_buttons(session, conversation.id, button.seq, self.now())
        message = await store.message(session, conversation.id, button.seq)
        if conversation.channel == "telegram" and message and inbound.raw.get("message_id"):
            await self.send(
                session,
                "settle",
                {"blocks": message.blocks, "chosen": button.label, "message_id": inbound.raw["message_id"]},
                lane=f"chat:{conversation.address}",
                conversation=conversation,
                priority=2,
            )

    async def _apply(
        self,
        session: AsyncSession,
        working: Turn,
        case: Case,
        conversation: Conversation,
        row: Inbox,
        inbound: Inbound,
    ) -> None:
        """Effects, then words, in the order in which a person sees them."""
        was_with_people = case.state in ("waiting", "claimed")
        for effect in working.effects:
            if effect.name == "erase":
                await self._erase(session, case, conversation, row)
                return
            await self._EFFECTS[effect.name](self, session, working, case, conversation, effect.args)
        if was_with_people and case.state in ("waiting", "claimed"):
            await self.to_topic(session, case, conversation, row, inbound)
        says = working.says
        await self.deliver(session, case, conversation, says, working.progress, in_reply_to=row.seq)
        case.progress = working.progress.model_dump_json()
        case.updated_at = self.now()
        if case.consent != "agreed":
            await self._keep_nothing(session, case, conversation, row)

    async def _keep_nothing(self, session: AsyncSession, case: Case, conversation: Conversation, row: Inbox) -> None:
        """Nobody has agreed: the words and files that were just answered are not kept."""
        for file in await store.files(session, case.id):
            if file.turn == row.id:
                if file.path:
                    await self.send(session, "unlink", {"path": file.path}, lane="files")
                await session.delete(file)
        row.payload = {}
        row.said = [{**said, "args": {}} for said in row.said or []]
        message = await store.message(session, conversation.id, row.seq)
        if message is not None:
            message.blocks = []

    # Effects: what the journey asked for beside words.

    async def _agree(
        self, session: AsyncSession, working: Turn, case: Case, conversation: Conversation, args: dict[str, str]
    ) -> None:
        case.consent, case.consent_version = "agreed", CONSENT_VERSION
        case.consent_at, case.consent_channel = self.now(), conversation.channel

    async def _decline(
        self, session: AsyncSession, working: Turn, case: Case, conversation: Conversation, args: dict[str, str]
    ) -> None:
        """Declined, or withdrawn: what was noted so far goes."""
        case.consent, case.consent_version = "declined", CONSENT_VERSION
        case.consent_at, case.consent_channel = self.now(), conversation.channel
        working.progress = Progress(
            step=working.progress.step, said=working.progress.said, seen_at=working.progress.seen_at
        )

    async def _keep_file(
        self, session: AsyncSession, working: Turn, case: Case, conversation: Conversation, args: dict[str, str]
    ) -> None:
        file = await session.get(File, args["file"])
        if file is not None and file.case_id == case.id:
            file.record = args["record"]

    async def _raise_urgent(
        self, session: AsyncSession, working: Turn, case: Case, conversation: Conversation, args: dict[str, str]
    ) -> None:
        await self.raise_urgent(session, case, args["reason"])

    async def _hand_off(
        self, session: AsyncSession, working: Turn, case: Case, conversation: Conversation, args: dict[str, str]
    ) -> None:
        case.state, case.handed_off_at = "waiting", self.now()
        case.holder_id, case.holder_name, case.closed_at = None, "", None
        case.urgent = working.progress.urgent(self.now().date())
        case.urgent_reason = "treatment_soon" if case.urgent else ""
        await self.open_topic(session, case, brief(working.progress, working.files), working.progress)
        for file in await store.files(session, case.id):
            await self.file_to_topic(session, case, conversation, file)

    async def _link(
        self, session: AsyncSession, working: Turn, case: Case, conversation: Conversation, args: dict[str, str]
    ) -> None:
        working.says.append(await self.mint_link(session, case, conversation))

    _EFFECTS = {  # noqa: RUF012
        "agree": _agree,
        "decline": _decline,
        "keep_file": _keep_file,
        "raise_urgent": _raise_urgent,
        "hand_off": _hand_off,
        "link": _link,
    }

    async def _erase(self, session: AsyncSession, case: Case, conversation: Conversation, row: Inbox) -> None:
        """Delete everything of a case, tell the coordinators that there is nothing to answer, and give a receipt."""
        topic_id, receipt = case.topic_id, self.new_case(case.lang).code.replace("WP-", "DEL-")
        conversations = await store.conversations_of(session, case.id)
        for path in await store.erase(session, case.id, keep_turn=row.id):
            await self.send(session, "unlink", {"path": path}, lane="files")
        row.payload, row.said = {}, []
        fresh = self.new_case(case.lang)
        session.add(fresh)
        await session.flush()
        for each in conversations:
            each.case_id, each.card_message_id = fresh.id, None
        await session.flush()
        await session.delete(case)
        if topic_id is not None:
            await self.send(session, "topic.delete", {"topic_id": topic_id}, lane=f"topic:{case.id}")
        progress = Progress()
        said = [Say("steer.deleted", {"receipt": receipt})]
        await self.deliver(session, fresh, conversation, said, progress, in_reply_to=row.seq)
        fresh.progress = progress.model_dump_json()


def _file(case: Case, turn: str, ref: Any, now: Any) -> File:
    return File(
        case_id=case.id,
        turn=turn,
        name=ref.name[:200],
        mime=ref.mime[:100],
        size=ref.size,
        kind=ref.kind[:10],
        telegram_file_id=ref.telegram_file_id[:200],
        path=ref.path[:200],
        created_at=now,
    )
