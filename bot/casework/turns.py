"""A person's turn: one transaction that changes the case, says the answer and closes the inbox row."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import journey, store
from bot.casework import consent
from bot.casework.away import absence
from bot.casework.inbound import Inbound
from bot.casework.mydata import Seeing
from bot.journey import Heard, Turn
from bot.journey.turn import FileView, expects, press
from bot.model import Case, Conversation, File, Inbox
from bot.progress import Progress
from bot.render import Say

log = logging.getLogger(__name__)

RETRY_SECONDS = (1, 2, 5, 15, 30, 60)
LAST_ATTEMPT = 60  # about an hour of trying
LAST_FAULT = 3  # a fault of ours does not go away by waiting, and the next messages wait behind it
# What the assistant says even while a human holds the case.
BESIDE_A_HUMAN = ("safety.", "steer.delete", "link.", "mydata.")


@dataclass(frozen=True)
class Pending:
    """A turn as the gateway sees it before anything is decided."""

    turn: str
    case_id: str
    conversation_id: str
    seq: int
    inbound: Inbound
    pressed: dict[str, Any] | None  # what the button does; None when it is unknown here, or was used
    channel: str
    state: str
    consent: str
    step: str
    expects: str
    attempts: int
    alarm: str
    done: bool
    waited: float  # seconds since it was stored
    file_ids: tuple[str, ...]


class _NotHeld(Exception):
    """Nobody holds the case that was to be relayed."""


class Turns(Seeing):
    """Use cases of the gateway and of the engine's actions."""

    async def due_turns(self, skip: set[str]) -> list[tuple[str, str]]:
        """(key, turn) of what waits to be handled, except the keys in `skip`.

        First those with a red flag, which wait for nothing and are their own key; then the oldest of each lane.
        """
        async with self.reading() as session:
            return list(await store.due_turns(session, self.now(), skip))

    async def pending(self, turn: str) -> Pending | None:
        """What a turn brings, and where its person stands."""
        async with self.reading() as session:
            found = await store.turn_and_case(session, turn)
            if found is None:
                return None
            row, conversation, case = found
            inbound = Inbound.of(row.payload) if row.payload else Inbound("text")
            button = await store.button(session, conversation.id, inbound.choice) if inbound.choice else None
            files = await store.files(session, case.id) if inbound.files else ()
            progress = Progress.model_validate_json(case.progress)
            return Pending(
                turn=turn,
                case_id=case.id,
                conversation_id=conversation.id,
                seq=row.seq,
                inbound=inbound,
                pressed=dict(button.parse) if button and button.used_at is None else None,
                channel=conversation.channel,
                state=case.state,
                consent=case.consent,
                step=progress.step.name,
                expects=expects(progress),
                attempts=row.attempts,
                alarm=row.alarm,
                done=row.state != "new",
                waited=(self.now() - row.received_at).total_seconds(),
                file_ids=tuple(file.id for file in files if file.turn == turn),
            )

    async def take_turn(self, turn: str, heard: Heard, decision: str) -> list[Say]:
        """Run one of the journey's decisions (`DECISIONS`). A second call says the same and changes nothing."""
        move = journey.DECISIONS[decision]

        def run(working: Turn) -> None:
            journey.decide(working, move)

        return await self._turn(turn, heard, run)

    async def speak(self, turn: str, *says: Say) -> list[Say]:
        """Answer a turn with fixed words (a button that died, a sticker), then ask the pending question again."""

        def say(working: Turn) -> None:
            working.says.extend(says)
            journey.turn.ask(working)

        def run(working: Turn) -> None:
            journey.decide(working, say)

        return await self._turn(turn, Heard("none"), run)

    async def alarm(self, turn: str, tier: str) -> list[Say]:
        """An emergency or self-harm, recognised before the engine was asked."""

        def run(working: Turn) -> None:
            journey.safety.alarm(working, tier)

        return await self._turn(turn, Heard("safety"), run)

    async def relay(self, turn: str) -> bool:
        """A human holds the case: the words go to the topic, and the assistant is silent.

        False, and nothing done, when nobody holds it any more.
        """

        def run(working: Turn) -> None:
            if working.held != "claimed":
                raise _NotHeld
            working.progress.seen_at = working.now

        try:
            await self._turn(turn, Heard("relay"), run)
        except _NotHeld:
            return False
        return True

    async def delay(self, turn: str, reason: str, *, fault: bool = False) -> None:
        """It could not be answered: keep the turn for later, and tell the person once.

        After the last attempt, which comes soon for a `fault` of ours, a person is offered, and the next turn's time
        has come.
        """
        async with self.transaction() as session:
            row = await store.inbox(session, turn)
            if row is None:
                return
            conversation = case = None
            if row.conversation_id is not None:  # else it is of the coordinators' group
                row, conversation, case = await self._open(session, turn)
            if row.state != "new":
                return
            row.attempts += 1
            row.error = reason[:200]
            row.not_before = self.now() + timedelta(seconds=RETRY_SECONDS[min(row.attempts, len(RETRY_SECONDS)) - 1])
            last = row.attempts >= (LAST_FAULT if fault else LAST_ATTEMPT)
            row.state = "failed" if last else "new"
            if case is None or conversation is None:
                return
            progress = Progress.model_validate_json(case.progress)
            says = [Say("engine.away")] if row.attempts == 1 else []
            if last:
                says = [Say("fallback.second", {}, (press("choice.human", "human"),))]
                if case.consent != "agreed":
                    await self._keep_nothing(session, case, conversation, row)
            await self.deliver(session, case, conversation, says, progress, in_reply_to=row.seq)
            case.progress = progress.model_dump_json()

    async def hurry(self) -> None:
        """What was in the way is gone: turns of people that wait for another attempt need not wait any longer."""
        async with self.transaction() as session:
            await store.hurry_turns(session, self.now())

    async def _open(self, session: AsyncSession, turn: str) -> tuple[Inbox, Conversation, Case]:
        """A turn with its conversation and its case, locked, as they are once nobody else holds the lock.

        Raises LookupError when there is no such turn of a person.
        """
        while True:
            case = await store.case_of_turn(session, turn)
            found = await store.turn(session, turn)
            if found is None:
                raise LookupError(f"no turn {turn}")
            row, conversation = found
            if case is not None and case.id == conversation.case_id:
                return row, conversation, case
            # While we waited the conversation was given to another case, or all of the case was erased.

    async def _turn(self, turn: str, heard: Heard, run: Callable[[Turn], None]) -> list[Say]:
        async with self.transaction() as session:
            row, conversation, case = await self._open(session, turn)
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
                may_come_back=self.may_come_back(case),
                blocked=case.blocked,
                keep=self.keep,
                code=case.code,
                language=conversation.lang,
                channel=conversation.channel,
                files=tuple(FileView(f.id, f.name, f.mime, f.kind, f.record) for f in files if f.sender == "patient"),
            )
            run(working)
            if _speaks(inbound, heard) and journey.closing.writes_again(working):
                journey.closing.back_to_people(working)
            if case.state == "claimed" and inbound.kind == "choice":
                # An old button does what it stood for, and the assistant stays silent beside the coordinator.
                working.says = [say for say in working.says if say.say.startswith(BESIDE_A_HUMAN)]
            row.state = "done"
            await self._settle_button(session, conversation, inbound)
            kept = await self._apply(session, working, case, conversation, row, inbound)
            row.said = [{"say": say.say} for say in working.says]
        if not kept:
            await self.scrub()
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
                {
                    "blocks": message.blocks,
                    "name": message.name,
                    "role": message.role,
                    "chosen": button.label,
                    "message_id": inbound.raw["message_id"],
                },
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
    ) -> bool:
        """Effects, then words, in the order in which a person sees them. False when what was said is not kept."""
        reopens = any(effect.name == "reopen" for effect in working.effects)
        with_people = reopens or case.state in ("waiting", "claimed")
        for effect in working.effects:
            if effect.name in ("erase", "withdraw"):
                told = self.deleted if effect.name == "erase" else self._withdrawn
                withdrawn = effect.name == "withdraw"
                asked = (conversation, row)
                receipt = await self.erase(session, case, told, by="person", asked=asked, withdrawn=withdrawn)
                working.says = [told(receipt)]
                return False
            await self._EFFECTS[effect.name](self, session, working, case, conversation, effect.args)
        if with_people and case.state in ("waiting", "claimed"):
            await self.to_topic(session, case, conversation, row, inbound)
        self._tell_of_absence(working, case, conversation, inbound)
        says = working.says
        await self.deliver(session, case, conversation, says, working.progress, in_reply_to=row.seq)
        case.progress = working.progress.model_dump_json()
        case.updated_at = self.now()
        if case.consent != "agreed":
            await self._keep_nothing(session, case, conversation, row)
            return not (inbound.text or inbound.files or case.consent == "declined")
        return True

    def _tell_of_absence(self, working: Turn, case: Case, conversation: Conversation, inbound: Inbound) -> None:
        """Who writes to the coordinators, or is handed over to them, is told when they are there; never in an alarm."""
        handed_over = any(effect.name == "hand_off" for effect in working.effects)
        wrote = inbound.kind not in ("choice", "start") and not inbound.is_command
        said = [say.say for say in working.says]
        if case.state not in ("waiting", "claimed") or case.blocked or not (handed_over or wrote):
            return
        if any(say.startswith("safety.") for say in said):
            return
        place = said.index("handoff.next") + 1 if "handoff.next" in said else 0  # the pending question stays the last
        told = absence(self.hours, case, working.progress, self.now(), conversation.lang)
        working.says[place:place] = told

    async def _keep_nothing(self, session: AsyncSession, case: Case, conversation: Conversation, row: Inbox) -> None:
        """Nobody has agreed: the words and files that were just answered are not kept."""
        for file in await store.files(session, case.id):
            if file.turn == row.id:
                if file.path:
                    await self.send(session, "unlink", {"path": file.path}, lane="files")
                await session.delete(file)
        row.payload = {}
        message = await store.message(session, conversation.id, row.seq)
        if message is not None:
            message.blocks = []

    def _withdrawn(self, receipt: str) -> Say:
        return Say("consent.withdrawn", {"receipt": receipt, "hours": self.keep.draft_hours})

    # Effects: what the journey asked for beside words.

    async def _agree(
        self, session: AsyncSession, working: Turn, case: Case, conversation: Conversation, args: dict[str, str]
    ) -> None:
        session.add(consent.agreed(case, conversation, self.now(), self.keep))

    async def _decline(
        self, session: AsyncSession, working: Turn, case: Case, conversation: Conversation, args: dict[str, str]
    ) -> None:
        """Declined: what was noted so far goes, and so does what was said about it."""
        await store.erase_transcript(session, case.id)
        session.add(consent.declined(case, conversation, self.now()))
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
        session.add(consent.sent(case, conversation, self.now()))
        there_until = case.closed_at  # the topic of a case that was closed has its earlier files already
        case.state, case.handed_off_at = "waiting", self.now()
        case.holder_id, case.holder_name, case.closed_at = None, "", None
        case.urgent_reason = working.progress.urgent(self.now().date())
        case.urgent = bool(case.urgent_reason)
        await self.note(session, case, "handed_off")
        await self.open_topic(session, case)
        await self.person_waits(session, case)
        for file in await store.files(session, case.id):
            if file.sender == "patient" and (there_until is None or file.created_at > there_until):
                await self.file_to_topic(session, case, conversation, file)

    async def _link(
        self, session: AsyncSession, working: Turn, case: Case, conversation: Conversation, args: dict[str, str]
    ) -> None:
        working.says.append(await self.mint_link(session, case, conversation))

    async def _mydata(
        self, session: AsyncSession, working: Turn, case: Case, conversation: Conversation, args: dict[str, str]
    ) -> None:
        working.says.append(await self.offer_data(session, case, conversation))

    async def _reopen(
        self, session: AsyncSession, working: Turn, case: Case, conversation: Conversation, args: dict[str, str]
    ) -> None:
        await self.person_is_back(session, case)
        await self.person_waits(session, case)

    async def _rate(
        self, session: AsyncSession, working: Turn, case: Case, conversation: Conversation, args: dict[str, str]
    ) -> None:
        await self.rated(session, case, int(args["stars"]))

    async def _rate_words(
        self, session: AsyncSession, working: Turn, case: Case, conversation: Conversation, args: dict[str, str]
    ) -> None:
        await self.rated_words(session, case, args["words"])

    _EFFECTS = {  # noqa: RUF012
        "agree": _agree,
        "decline": _decline,
        "keep_file": _keep_file,
        "raise_urgent": _raise_urgent,
        "hand_off": _hand_off,
        "link": _link,
        "mydata": _mydata,
        "reopen": _reopen,
        "rate": _rate,
        "rate_words": _rate_words,
    }


def _speaks(inbound: Inbound, heard: Heard) -> bool:
    """Whether somebody wrote or sent something of their own, rather than pressed, commanded, edited or waved."""
    if inbound.kind == "other":
        return inbound.note != "sticker"
    if inbound.kind == "text":
        return heard.intent != "none" and not inbound.is_command and inbound.note != "edited"
    return inbound.kind == "file"
