"""The coordinators' side: a topic a case, claim, reply, close. Who holds the case is decided here and nowhere else."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.base import ALERT, CARD, TO_PERSON, TO_TOPIC
from bot.casework.inbound import Inbound
from bot.casework.links import Links
from bot.journey import Heard, Turn
from bot.journey.brief import brief
from bot.journey.places import local_time
from bot.journey.turn import FileView
from bot.journey.welcome import next_choices
from bot.model import Case, Conversation, File, Inbox, TopicMessage
from bot.progress import Progress
from bot.render import Say, Voice, render

log = logging.getLogger(__name__)

DESK_VOICE = Voice("en", "self", None)
COMMANDS = ("/say", "/close", "/claim", "/help")


@dataclass(frozen=True)
class DeskInbound:
    """One update of the coordinators' group, as the desk's channel stores it.

    `kind` is message or press. `reply_to` is the message that was replied to, 0 when none was (Telegram makes every
    message of a topic a reply to the topic's creation: the channel takes that out). `media` says that the message
    holds something else than text: its Telegram file id, name, mime, size and kind.
    """

    kind: str
    chat_id: int
    thread_id: int
    message_id: int
    user_id: int
    user_name: str
    text: str = ""
    reply_to: int = 0
    media: dict[str, Any] | None = None
    data: str = ""
    callback_id: str = ""


@dataclass(frozen=True)
class Card:
    """What stands at the top of a case's topic: its words, its buttons (label, callback data)."""

    title: str
    text: str
    buttons: tuple[tuple[str, str], ...]
    topic_id: int | None
    message_id: int | None


class Desk(Links):
    """Use cases of the coordinators' topics."""

    def words(self, say: str, **args: Any) -> str:
        """A guide entry as the coordinators read it."""
        return "\n\n".join(b["text"] for b in render(self.guide, Say(say, args), DESK_VOICE, 0) if b["type"] == "text")

    # What goes to the topic.

    async def open_topic(self, session: AsyncSession, case: Case) -> None:
        """Open the case's topic, or bring the one it has back, with its brief."""
        if case.topic_id is not None:
            await self.send(session, "topic.reopen", {}, lane=f"topic:{case.id}", case=case, priority=ALERT)
        await self.send(session, "topic.open", {}, lane=f"topic:{case.id}", case=case, priority=ALERT)
        await self.refresh_card(session, case)

    async def refresh_card(self, session: AsyncSession, case: Case) -> None:
        """Bring the card up to date; several changes make one edit."""
        await self.send(
            session,
            "topic.card",
            {},
            lane=f"topic:{case.id}",
            case=case,
            coalesce=f"topic.card:{case.id}",
            priority=CARD,
        )

    async def post(
        self, session: AsyncSession, case: Case, text: str, *, mark: str = "note", priority: int = TO_TOPIC
    ) -> None:
        """Post words into the topic. `mark` says what a reply to them means: person, brief, or note."""
        await self.send(
            session, "topic.post", {"text": text, "mark": mark}, lane=f"topic:{case.id}", case=case, priority=priority
        )

    async def to_topic(
        self, session: AsyncSession, case: Case, conversation: Conversation, row: Inbox, inbound: Inbound
    ) -> None:
        """The person's words, or what they sent, to the case's topic."""
        if inbound.kind in ("choice", "start"):
            await self.refresh_card(session, case)
            return
        if inbound.kind == "text" and inbound.text.startswith("/"):
            return
        if inbound.kind == "text" and inbound.text:
            await self.post(session, case, self.words("desk.person_said", text=inbound.text), mark="person")
            return
        if inbound.note == "edited":
            await self.post(session, case, self.words("desk.person_said", text=f"✏️ {inbound.text}"), mark="person")
            return
        files = [file for file in await store.files(session, case.id) if file.turn == row.id]
        if files and not inbound.raw:
            for file in files:
                await self.file_to_topic(session, case, conversation, file)
            if inbound.text:
                await self.post(session, case, self.words("desk.person_said", text=inbound.text), mark="person")
        elif inbound.raw:
            copy = {**inbound.raw, "text": inbound.text, "mark": "person"}
            await self.send(session, "topic.copy", copy, lane=f"topic:{case.id}", case=case)

    async def file_to_topic(self, session: AsyncSession, case: Case, conversation: Conversation, file: File) -> None:
        """One file to the topic, by Telegram's id where it has one, else from our folder."""
        payload = {
            "file": file.telegram_file_id,
            "path": file.path,
            "name": file.name,
            "kind": file.kind,
            "mark": "person",
        }
        await self.send(session, "topic.file", payload, lane=f"topic:{case.id}", case=case)

    async def raise_urgent(self, session: AsyncSession, case: Case, reason: str) -> None:
        """Flag a case that people hold: something in it cannot wait."""
        case.urgent, case.urgent_reason = True, reason[:40]
        await self.post(session, case, self.words("desk.urgent_flag", reason=self.reason(reason)), priority=ALERT)
        await self.refresh_card(session, case)

    def reason(self, reason: str) -> str:
        """Why a case is urgent, in words."""
        return self.words(f"desk.reason.{reason}")

    async def card(self, case_id: str) -> Card | None:
        """The card of a case as it should read now; None when the case is gone."""
        async with self.reading() as session:
            case = await store.case(session, case_id)
            if case is None:
                return None
            progress = Progress.model_validate_json(case.progress)
            theirs = [file for file in await store.files(session, case.id) if file.sender == "patient"]
            files = tuple(FileView(f.id, f.name, f.mime, f.kind, f.record) for f in theirs)
            lines = [self._state_line(case)]
            if case.urgent:
                lines.append(self.words("desk.urgent_flag", reason=self.reason(case.urgent_reason)))
            lines += [self.words(line["say"], **line["args"]) for line in brief(progress, files)]
            if clock := local_time(progress.contact.timezone, self.now()):
                lines.append(self.words("desk.local_time", time=clock))
            lines.append(self.words("desk.how_to_reply"))
            return Card(
                title=case.code,
                text="\n".join(lines),
                buttons=self._buttons(case),
                topic_id=case.topic_id,
                message_id=case.brief_message_id,
            )

    def _state_line(self, case: Case) -> str:
        since = f"{case.handed_off_at:%d %b %H:%M} UTC" if case.handed_off_at else ""
        if case.state == "claimed":
            return self.words("desk.card_claimed", code=case.code, name=case.holder_name, since=since)
        if case.state == "closed":
            return self.words("desk.card_closed", code=case.code)
        return self.words("desk.card_waiting", code=case.code, since=since)

    def _buttons(self, case: Case) -> tuple[tuple[str, str], ...]:
        if case.state == "waiting":
            return ((self.words("desk.claim"), f"claim:{case.id}"),)
        return ((self.words("desk.close"), f"close:{case.id}"),) if case.state == "claimed" else ()

    async def topic_created(self, case_id: str, topic_id: int) -> None:
        """Remember the topic before anything is posted into it: bots cannot list topics."""
        async with self.transaction() as session:
            case = await store.case(session, case_id, lock=True)
            if case is not None:
                case.topic_id, case.brief_message_id = topic_id, None
            else:  # all of it was deleted while the topic was being opened
                await self.send(session, "topic.delete", {"topic_id": topic_id}, lane=f"topic:{case_id}")

    async def topic_lost(self, case_id: str, *, needed: bool = True) -> None:
        """Somebody deleted the topic: the next thing that goes there opens a new one, brief first.

        If it is needed, what was said in it goes there again, as a transcript.
        """
        async with self.transaction() as session:
            case = await store.case(session, case_id, lock=True)
            if case is None or case.topic_id is None:
                return
            case.topic_id = case.brief_message_id = None
            if not needed:
                return
            await self.send(
                session,
                "topic.transcript",
                {},
                lane=f"topic:{case.id}",
                case=case,
                coalesce=f"topic.transcript:{case.id}",
            )

    async def topic_posted(self, case_id: str, chat_id: int, message_id: int, mark: str) -> None:
        """Remember what a message in the topic stands for."""
        async with self.transaction() as session:
            case = await store.case(session, case_id, lock=True)
            if case is None:
                return
            await session.merge(TopicMessage(chat_id=chat_id, message_id=message_id, case_id=case_id, kind=mark))
            if mark == "brief":
                case.brief_message_id = message_id

    async def transcript(self, case_id: str, limit: int = 20) -> str:
        """The last words of a case, for a topic that had to be opened anew."""
        async with self.reading() as session:
            rows = await store.recent_messages(session, case_id, limit)
            lines = []
            for row in rows:
                text = " ".join(b["text"] for b in row.blocks if b["type"] == "text")
                if text and row.role in ("patient", "coordinator"):
                    who = row.name or self.words(f"desk.role.{row.role}")
                    lines.append(f"{row.at:%d %b %H:%M} {who}: {text}")
            return "\n".join(lines)

    # What comes from the topic.

    async def desk_turn(self, turn: str) -> list[str]:
        """One update of the coordinators' group: a press, a command, a reply, or a note that stays here.

        Returns the ids of the conversations whose people may have something new to read.
        """
        async with self.transaction() as session:
            row = await store.inbox(session, turn, lock=True)
            if row is None or row.state == "done":
                return []
            row.state = "done"
            said = DeskInbound(**row.payload)
            row.payload = {}
            if said.kind == "press":
                case = await self._pressed(session, said)
            else:
                case = await store.case_by_topic(session, said.thread_id) if said.thread_id else None
                if case is not None:
                    await self._wrote(session, case, said)
            return [each.id for each in await store.conversations_of(session, case.id)] if case else []

    async def _pressed(self, session: AsyncSession, said: DeskInbound) -> Case | None:
        act, _, case_id = said.data.partition(":")
        case = await store.case(session, case_id, lock=True) if case_id else None
        if case is None or act not in ("claim", "close"):
            answer = self.words("desk.gone")
        elif act == "claim":
            answer = await self._claim(session, case, said)
        else:
            answer = await self._close(session, case, said)
        await self.send(
            session, "callback", {"callback_id": said.callback_id, "text": answer[:190]}, lane="now", priority=0
        )
        return case

    async def _claim(self, session: AsyncSession, case: Case, said: DeskInbound) -> str:
        """Atomic: of two presses one wins, and the other is told who."""
        taken = await session.execute(
            update(Case)
            .where(Case.id == case.id, Case.state == "waiting")
            .values(state="claimed", holder_id=said.user_id, holder_name=said.user_name[:100], claimed_at=self.now())
            .execution_options(synchronize_session=False)
        )
        await session.refresh(case)
        if not taken.rowcount:  # type: ignore[attr-defined]
            if case.state == "claimed":
                return self.words("desk.already_claimed", name=case.holder_name)
            return self.words("desk.is_closed")
        await self._tell_person(session, case, Say("human.joined", {"name": case.holder_name}))
        await self.refresh_card(session, case)
        await self.post(session, case, self.words("desk.claimed_by", name=case.holder_name))
        return self.words("desk.claimed_by", name=case.holder_name)

    async def _close(self, session: AsyncSession, case: Case, said: DeskInbound) -> str:
        if case.state not in ("waiting", "claimed"):
            return self.words("desk.is_closed")
        case.state, case.closed_at = "closed", self.now()
        case.holder_name = case.holder_name or said.user_name[:100]
        case.urgent = False
        await self._resume_assistant(session, case)
        await self.post(session, case, self.words("desk.closed", name=said.user_name))
        await self.refresh_card(session, case)
        await self.send(session, "topic.close", {}, lane=f"topic:{case.id}", case=case, priority=CARD)
        return self.words("desk.closed", name=said.user_name)

    async def _wrote(self, session: AsyncSession, case: Case, said: DeskInbound) -> None:
        command, _, rest = said.text.partition(" ")
        command = command.partition("@")[0]  # in groups Telegram writes /close@OurBot
        if command in ("/claim", "/close"):
            before = case.state
            answer = await (self._claim if command == "/claim" else self._close)(session, case, said)
            if case.state == before:  # when it did change, the topic was told already
                await self.post(session, case, answer)
        elif command == "/say" and rest.strip():
            await self._reply(session, case, said, rest.strip())
        elif command.startswith("/"):
            await self.post(session, case, self.words("desk.how_to_reply"))
        elif said.reply_to:
            target = await store.topic_message(session, said.chat_id, said.reply_to)
            if target is not None and target.case_id == case.id and target.kind in ("person", "brief"):
                await self._reply(session, case, said, said.text)

    async def _reply(self, session: AsyncSession, case: Case, said: DeskInbound, text: str) -> None:
        """Words of a coordinator to the person, with the coordinator's name, on every channel they use."""
        if case.state == "waiting":
            await self._claim(session, case, said)  # whoever answers first holds the case
        if case.state != "claimed":
            await self.post(session, case, self.words("desk.is_closed"))
            return
        progress = Progress.model_validate_json(case.progress)
        for conversation in await store.conversations_of(session, case.id):
            blocks: list[dict[str, Any]] = [{"type": "text", "text": text}] if text else []
            if said.media:
                await self._media_to(session, case, conversation, said, blocks)
            elif blocks:
                await self.put(session, case, conversation, blocks, role="coordinator", name=said.user_name)
        case.progress = progress.model_dump_json()
        case.updated_at = self.now()

    async def _media_to(
        self,
        session: AsyncSession,
        case: Case,
        conversation: Conversation,
        said: DeskInbound,
        blocks: list[dict[str, Any]],
    ) -> None:
        """A picture or document of a coordinator: copied on Telegram, a link to fetch it in the widget."""
        media = said.media or {}
        if conversation.channel == "telegram":
            await self.send(
                session,
                "copy",
                {
                    "chat_id": said.chat_id,
                    "message_id": said.message_id,
                    "name": said.user_name,
                    "text": "\n\n".join(block["text"] for block in blocks),
                    "media": media.get("kind", "other"),
                    "role": "coordinator",
                },
                lane=f"chat:{conversation.address}",
                case=case,
                conversation=conversation,
                priority=TO_PERSON,
            )
            return
        if not media.get("file_id"):  # a place or a contact card: there is nothing to fetch
            await self.post(
                session, case, self.words("desk.not_delivered", reason=str(media.get("kind"))), priority=ALERT
            )
            return
        file = File(
            case_id=case.id,
            name=str(media.get("name", ""))[:200],
            mime=str(media.get("mime", ""))[:100],
            size=int(media.get("size", 0)),
            kind=str(media.get("kind", "document"))[:10],
            telegram_file_id=str(media.get("file_id", ""))[:200],
            sender="coordinator",
            created_at=self.now(),
        )
        session.add(file)
        await session.flush()
        await self.send(
            session,
            "fetch",
            {"file": file.id, "telegram_file_id": file.telegram_file_id, "role": "coordinator"},
            lane=f"file:{file.id}",
            case=case,
            conversation=conversation,
            priority=TO_PERSON,
        )
        link = {
            "type": "file",
            "id": file.id,
            "name": file.name,
            "mime": file.mime,
            "size": file.size,
            "url": f"/api/files/{file.id}",
        }
        await self.put(session, case, conversation, [link, *blocks], role="coordinator", name=said.user_name)

    async def _tell_person(self, session: AsyncSession, case: Case, *says: Say) -> None:
        progress = Progress.model_validate_json(case.progress)
        for conversation in await store.conversations_of(session, case.id):
            await self.deliver(session, case, conversation, says, progress, role="system")
        case.progress = progress.model_dump_json()

    async def _resume_assistant(self, session: AsyncSession, case: Case) -> None:
        """The person is told that the coordinator has closed, and what can be done now."""
        progress = Progress.model_validate_json(case.progress)
        working = Turn(progress, Heard("none"), self.now(), consent="agreed", held="closed")
        says = [Say("human.closed", {"name": case.holder_name}), Say("resume.open", {}, next_choices(working))]
        for conversation in await store.conversations_of(session, case.id):
            await self.deliver(session, case, conversation, says, progress)
        progress.paused = True  # a first "ok" after the coordinator answers no question from long ago
        case.progress = progress.model_dump_json()

    async def not_delivered(self, case_id: str, reason: str) -> None:
        """A coordinator's words could not be delivered: say so in the topic."""
        async with self.transaction() as session:
            case = await store.case(session, case_id)
            if case is not None and case.state in ("waiting", "claimed", "closed"):
                await self.post(session, case, self.words("desk.not_delivered", reason=reason), priority=ALERT)
