"""What comes in: stored before it is acknowledged, once, however often it is delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot import safety, store
from bot.casework.base import Work
from bot.model import Conversation, File, Inbox, Message
from bot.progress import Progress
from bot.render import Say
from bot.sealing import KeyGone

MAX_TEXT = 20_000
MAX_FILES = 10
EVENTS_AT_ONCE = 200  # messages of one look
PACE = timedelta(minutes=5)  # over which it is counted how much somebody sends
LANGUAGE_LENGTH = 12


class NoSuchConversation(LookupError):
    """It was read that there is none; a fault in reading is never this."""


@dataclass(frozen=True)
class FileRef:
    """A file as a channel received it: on Telegram by its id, from the web as a path under the files folder."""

    name: str
    mime: str
    size: int
    kind: str  # document, photo, voice, video, audio
    telegram_file_id: str = ""
    path: str = ""
    key: str = ""  # of the file in our folder


# What a person may command, and how the engine is told.
COMMANDS: dict[str, dict[str, Any]] = {
    "/start": {"intent": "start", "entities": []},
    "/stop": {"intent": "control.stop", "entities": []},
    "/delete": {"intent": "control.delete_data", "entities": []},
    "/human": {"intent": "control.human", "entities": []},
    "/status": {"intent": "control.status", "entities": []},
    "/mydata": {"intent": "press", "entities": [{"entity": "act", "value": "mydata"}]},
    "/withdraw": {"intent": "press", "entities": [{"entity": "act", "value": "withdraw_ask"}]},
    "/restart": {"intent": "control.restart", "entities": []},
    "/back": {"intent": "control.undo", "entities": []},
    "/link": {"intent": "press", "entities": [{"entity": "act", "value": "link"}]},
}


@dataclass(frozen=True)
class Inbound:
    """One message of a person, the same from every channel.

    `kind` is text, choice, file, start or other (a sticker, a place, a contact: named in `note`). `raw` is where
    Telegram keeps the original ({"chat_id", "message_id"}), so that it can be copied to the coordinators.
    """

    kind: str
    text: str = ""
    choice: str = ""
    files: tuple[FileRef, ...] = ()
    start: str = ""
    note: str = ""
    reply_to: str = ""
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def command(self) -> tuple[str, str]:
        """The first word, as commands are compared, and what follows it."""
        first, *rest = self.text.split(maxsplit=1) or [""]
        return first.partition("@")[0].casefold(), "".join(rest).strip()

    @property
    def looks_like_command(self) -> bool:
        """Whether it begins as commands do."""
        return self.kind == "text" and self.text.startswith("/")

    @property
    def is_command(self) -> bool:
        """Whether it is a command: what only looks like one is somebody's words."""
        return self.looks_like_command and self.command[0] in COMMANDS

    @staticmethod
    def of(payload: Mapping[str, Any]) -> Inbound:
        """An inbound message out of its stored form."""
        files = tuple(FileRef(**ref) for ref in payload.get("files", ()))
        return Inbound(**{**payload, "files": files})

    def kept(self) -> Inbound:
        """As it is kept: cut where it is longer than that, without characters that no database or peer takes."""
        text = self.text[:MAX_TEXT].replace("\0", "").encode("utf-8", "replace").decode()
        return replace(self, text=text, files=self.files[:MAX_FILES])


@dataclass(frozen=True)
class Receipt:
    """What a channel may tell its peer: the turn, the message's number, and whether it was known already."""

    turn: str
    seq: int
    duplicate: bool = False


class TooFast(Exception):
    """Somebody sends more than anybody writes: it was not taken, and they were told so. `seconds` until it is again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {seconds:g} s")
        self.seconds = seconds


@dataclass(frozen=True)
class StoredFile:
    """A file that a person may fetch."""

    path: str
    name: str
    mime: str
    size: int
    telegram_file_id: str = ""
    key: str = ""


class Receiving(Work):
    """Use cases of the channels."""

    async def open_conversation(self, channel: str, address: str, lang: str = "en", name: str = "") -> str:
        """The conversation at an address, made with a fresh case when it is new. Returns its id."""
        try:
            async with self.transaction() as session:
                known = await store.conversation_at(session, channel, address)
                return known.id if known else (await self._new_conversation(session, channel, address, lang)).id
        except IntegrityError:  # two first messages at once: the other one made it
            async with self.transaction() as session:
                known = await store.conversation_at(session, channel, address)
                if known is None:
                    raise
                return known.id

    async def _new_conversation(self, session: AsyncSession, channel: str, address: str, lang: str) -> Conversation:
        speaks = lang[:LANGUAGE_LENGTH] if lang[:LANGUAGE_LENGTH] in self.guide.languages else "en"
        case = self.new_case(speaks)
        session.add(case)
        await session.flush()
        conversation = Conversation(
            case_id=case.id, channel=channel, address=address, lang=speaks, created_at=self.now()
        )
        session.add(conversation)
        await session.flush()
        return conversation

    async def is_open(self, conversation_id: str) -> bool:
        """Whether a conversation exists; one whose time is over was deleted."""
        async with self.reading() as session:
            return await store.conversation(session, conversation_id) is not None

    async def receive(self, conversation_id: str, external_id: str, inbound: Inbound) -> Receipt:
        """Store one message. The same external id again changes nothing and gives the same receipt.

        Raises NoSuchConversation, and TooFast when too much comes from it.
        """
        inbound = inbound.kept()
        try:
            received = await self._receive(conversation_id, external_id, inbound)
        except (IntegrityError, KeyGone):  # the same message twice at once, or its case was erased meanwhile
            received = await self._receive(conversation_id, external_id, inbound)
        if isinstance(received, float):
            raise TooFast(received)
        return received

    async def _too_fast(self, session: AsyncSession, conversation: Conversation, alarm: str) -> float:
        """0, or in how many seconds words are taken again; then the person is told, once.

        Words of danger are taken even then, for as long again.
        """
        since = self.now() - PACE
        limit = int(self.messages_per_minute * PACE.total_seconds() / 60)
        count, oldest = await store.came_since(session, conversation.id, since)
        if count < (limit * 2 if alarm else limit) or oldest is None:
            return 0.0
        say = "limit.waits" if conversation.channel == "web" else "limit.not_taken"
        case = await store.case(session, conversation.case_id)
        if case is not None and not await store.was_said_since(session, conversation.id, say, since):
            await self.deliver(session, case, conversation, [Say(say)], Progress(), role="system")
        return max(1.0, (oldest - since).total_seconds())

    async def _receive(self, conversation_id: str, external_id: str, inbound: Inbound) -> Receipt | float:
        alarm = safety.screen(inbound.text) or ""
        async with self.transaction() as session:
            known = await store.inbox_by_external(session, conversation_id, external_id)
            if known is not None:
                return Receipt(known.id, known.seq, duplicate=True)
            conversation = await store.conversation(session, conversation_id)
            if conversation is None:
                raise NoSuchConversation
            if seconds := await self._too_fast(session, conversation, alarm):
                return seconds
            conversation.blocked = False  # whoever writes can be written to
            seq = await store.next_seq(session, conversation_id)
            row = Inbox(
                lane=conversation_id,
                conversation_id=conversation_id,
                external_id=external_id,
                seq=seq,
                payload=asdict(inbound),
                received_at=self.now(),
                alarm=alarm,
            )
            session.add(row)
            await session.flush()
            files = [_file(conversation.case_id, row.id, ref, row.received_at) for ref in inbound.files]
            session.add_all(files)
            await session.flush()
            session.add(
                Message(
                    conversation_id=conversation_id,
                    case_id=conversation.case_id,
                    seq=seq,
                    role="patient",
                    lang=conversation.lang,
                    blocks=await self._shown(session, conversation_id, inbound, files),
                    at=self.now(),
                )
            )
            return Receipt(row.id, seq)

    async def _shown(
        self, session: AsyncSession, conversation_id: str, inbound: Inbound, files: Sequence[File]
    ) -> list[dict[str, Any]]:
        """What the person's own message looks like in their transcript."""
        blocks: list[dict[str, Any]] = [
            {"type": "file", "id": file.id, "name": file.name, "mime": file.mime, "size": file.size} for file in files
        ]
        text = inbound.text
        if inbound.kind == "choice":
            button = await store.button(session, conversation_id, inbound.choice)
            text = button.label if button and button.used_at is None else ""
        return [*blocks, {"type": "text", "text": text}] if text else blocks

    async def receive_desk(self, external_id: str, payload: dict[str, Any], topic: int | None) -> bool:
        """Store one update of the coordinators' group. False when it was known already."""
        try:
            async with self.transaction() as session:
                session.add(
                    Inbox(lane=f"desk:{topic or 0}", external_id=external_id, payload=payload, received_at=self.now())
                )
        except IntegrityError:
            return False
        return True

    async def events_after(
        self, conversation_id: str, seq: int, limit: int = EVENTS_AT_ONCE, *, with_ids: bool = False
    ) -> list[dict[str, Any]]:
        """Messages of a conversation after a number, in order, as the web interface shows them.

        Choices that were used, or whose message is no longer the one to answer, come without their ids' life:
        they are marked `"used": true`, and a client shows them as text. `with_ids`, a person's own messages bring the
        id that their client gave them, so that it knows them again.
        """
        async with self.reading() as session:
            rows = await store.messages_after(session, conversation_id, seq, limit)
            asked = [row.seq for row in rows if any(block["type"] == "choices" for block in row.blocks)]
            alive = await store.live_buttons(session, conversation_id, asked) if asked else set()
            own = [row.seq for row in rows if row.role == "patient"]
            ids = await store.client_ids(session, conversation_id, own) if own and with_ids else {}
            return [
                {
                    "seq": row.seq,
                    "role": row.role,
                    "name": row.name,
                    "lang": row.lang,
                    "say": row.say,
                    "blocks": [_with_life(block, alive) for block in row.blocks],
                    "at": row.at.isoformat(),
                    "in_reply_to": row.in_reply_to,
                    **({"id": ids[row.seq]} if row.seq in ids else {}),
                }
                for row in rows
            ]

    async def standing(self, conversation_id: str) -> dict[str, Any]:
        """Who talks with a person, and by when they are to be answered; the website shows it beside the messages.

        `holder` is the coordinator's name, "" while the assistant talks. `answer_by` is a moment, None unless somebody
        waits for a human at a desk that has said when it is there, and is not late. Messages from the number `first`
        on went to the coordinators: up to `arrived` they are in their group, up to `seen` somebody answered since.
        """
        async with self.reading() as session:
            conversation = await store.conversation(session, conversation_id)
            case = await store.case(session, conversation.case_id) if conversation is not None else None
            if case is None:
                return {"holder": "", "answer_by": None, "first": 0, "arrived": 0, "seen": 0}
            first, arrived, seen = await store.reached_desk(session, conversation_id, case.answered_at)
            due = case.due_at if case.state in ("waiting", "claimed") and self.hours.known else None
            return {
                "holder": case.holder_name if case.state == "claimed" else "",
                "answer_by": due.isoformat() if due is not None and due > self.now() else None,
                "first": first,
                "arrived": arrived,
                "seen": seen,
            }

    async def file_for(self, conversation_id: str, file_id: str) -> StoredFile | None:
        """A file of the conversation's own case, or None."""
        async with self.reading() as session:
            conversation = await store.conversation(session, conversation_id)
            file = await session.get(File, file_id)
            if conversation is None or file is None or file.case_id != conversation.case_id:
                return None
            return StoredFile(file.path, file.name, file.mime, file.size, file.telegram_file_id, file.key)


def _file(case: str, turn: str, ref: FileRef, now: datetime) -> File:
    return File(
        case_id=case,
        turn=turn,
        name=ref.name[:200],
        mime=ref.mime[:100],
        size=ref.size,
        kind=ref.kind[:10],
        telegram_file_id=ref.telegram_file_id[:200],
        path=ref.path[:200],
        key=ref.key,
        created_at=now,
    )


def _with_life(block: dict[str, Any], alive: set[str]) -> dict[str, Any]:
    if block["type"] != "choices":
        return block
    used = not any(choice["id"] in alive for choice in block["choices"])
    return {**block, "used": True} if used else block
