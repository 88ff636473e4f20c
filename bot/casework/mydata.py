"""Theirs to see: all that is kept about a person, as a page and as data, behind a one-time link or as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.desk import Desk
from bot.casework.inbound import StoredFile
from bot.casework.links import code_hash, new_link_code
from bot.journey.brief import brief
from bot.journey.turn import FileView
from bot.model import Case, Consent, Conversation, File, Link, Message
from bot.progress import Progress
from bot.render import Say, Voice, speak

LINK_LIFE = timedelta(minutes=10)
FOR = "data"  # what such a link is for; it joins nobody to a case
# What the assistant needs to find its place again; it says nothing about the person.
INTERNAL = {"version", "step", "trail", "held", "after_consent", "later", "misses", "topic", "said", "file_waiting"}


@dataclass(frozen=True)
class MyFile:
    """A file of the case: by its id if it lies with us, else it is only in the person's own chat on Telegram."""

    id: str
    name: str
    size: int
    here: bool


@dataclass(frozen=True)
class MyData:
    """All of it: `data` is for programs; `title`, `sections` (head, lines) and `files` are for people."""

    data: dict[str, Any]
    lang: str
    title: str
    words: dict[str, str]  # of the page around it
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    files: tuple[MyFile, ...]


class Seeing(Desk):
    """Use cases of seeing what is kept."""

    async def offer_data(self, session: AsyncSession, case: Case, conversation: Conversation) -> Say:
        """On the website a link that is good once and for ten minutes; on Telegram files, which are put on their way.

        Returns what to say.
        """
        if conversation.channel == "telegram":
            for kind, file in await self._to_send(session, case):
                await self.send(
                    session,
                    "mydata",
                    {"what": kind, "file": file},
                    lane=f"chat:{conversation.address}",
                    case=case,
                    conversation=conversation,
                )
            return Say("mydata.sent")
        code = new_link_code()
        link = Link(code_hash=code_hash(code), case_id=case.id, expires_at=self.now() + LINK_LIFE, purpose=FOR)
        session.add(link)
        minutes = int(LINK_LIFE.total_seconds() // 60)
        return Say("mydata.link", {"url": f"{self.public_url}/mydata/{code}", "minutes": minutes})

    async def _to_send(self, session: AsyncSession, case: Case) -> list[tuple[str, str]]:
        """The page, the data, and each file that is not in a chat of theirs on Telegram already."""
        files = await store.files(session, case.id)
        return [("page", ""), ("data", ""), *(("file", file.id) for file in files if file.path)]

    async def use_data_link(self, code: str) -> str | None:
        """The case whose data a one-time link shows; None when it is not good (any more)."""
        async with self.transaction() as session:
            link = await session.get(Link, code_hash(code), with_for_update=True, populate_existing=True)
            if link is None or link.purpose != FOR or link.used_at is not None or link.expires_at < self.now():
                return None
            link.used_at = self.now()
            return link.case_id

    async def my_file(self, case_id: str, file_id: str) -> StoredFile | None:
        """A file of a case that lies with us, or None."""
        async with self.reading() as session:
            file = await store.file_of_case(session, case_id, file_id)
            if file is None or not file.path:
                return None
            return StoredFile(file.path, file.name, file.mime, file.size, key=file.key)

    async def my_data(self, case_id: str) -> MyData | None:
        """All that is kept of a case; None when it is gone."""
        async with self.reading() as session:
            case = await store.case(session, case_id)
            if case is None:
                return None
            progress = Progress.model_validate_json(case.progress)
            conversations = await store.conversations_of(session, case.id)
            messages = [row for row in await store.recent_messages(session, case.id, None) if row.blocks]
            files = await store.files(session, case.id)
            kept_by_desk = len(await store.notes(session, case.id)) + len(await store.reminders(session, case.id))
            channels = {each.id: each.channel for each in conversations}
            data = {
                "made_at": self.now().isoformat(),
                "case": _case(case),
                "consent": _consent(case)
                | {"history": [_said(said) for said in await store.consents(session, case.id)]},
                "channels": [
                    {"channel": each.channel, "address": each.address, "since": each.created_at.isoformat()}
                    for each in conversations
                ],
                "told": progress.model_dump(mode="json", exclude=INTERNAL),
                "messages": [_message(row, channels) for row in messages],
                "files": [_file(file) for file in files],
                "kept_by_coordinators_for_themselves": kept_by_desk,
            }
            return self._page(case, progress, messages, files, kept_by_desk, data)

    def _page(
        self,
        case: Case,
        progress: Progress,
        messages: Sequence[Message],
        files: Sequence[File],
        kept_by_desk: int,
        data: dict[str, Any],
    ) -> MyData:
        voice = Voice(case.lang, "self", None)

        def words(say: str, **args: Any) -> str:
            return speak(self.guide, say, args, voice)

        about = [
            words("mydata.made", at=_when(self.now()), code=case.code),
            words(f"mydata.consent.{case.consent}", at=_when(case.consent_at or case.created_at)),
            words(
                "mydata.kept",
                days=case.keep_days or self.keep.days,
                case_days=case.keep_case_days or self.keep.case_days,
            )
            if case.consent == "agreed"
            else words("mydata.kept_draft", hours=self.keep.draft_hours),
        ]
        if case.handed_off_at is not None:
            about.append(words("mydata.handed_off", at=_when(case.handed_off_at)))
        if kept_by_desk or case.close_reason:
            about.append(words("mydata.desk"))
        theirs = tuple(FileView(f.id, f.name, f.mime, f.kind, f.record) for f in files if f.sender == "patient")
        told = [speak(self.guide, line["say"], line["args"], voice) for line in brief(progress, theirs)]
        speakers = {
            "patient": words("mydata.you"),
            "assistant": words("mydata.assistant"),
            "system": words("mydata.assistant"),
            "coordinator": words("mydata.coordinator"),
        }
        said = [f"{_when(row.at)} · {row.name or speakers.get(row.role, row.role)}: {_text(row)}" for row in messages]
        sections = (
            (words("mydata.head_about"), tuple(about)),
            (words("mydata.head_told"), tuple(told)),
            (words("mydata.head_said"), tuple(said)),
        )
        around = {
            "head_files": words("mydata.head_files"),
            "no_files": words("mydata.no_files"),
            "in_your_chat": words("mydata.in_your_chat"),
            "download": words("mydata.download"),
            "all_files": words("mydata.all_files"),
        }
        kept = tuple(MyFile(file.id, file.name, file.size, bool(file.path)) for file in files)
        return MyData(data, case.lang, words("mydata.title"), around, sections, kept)


def _when(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def _case(case: Case) -> dict[str, Any]:
    return {
        "code": case.code,
        "state": case.state,
        "language": case.lang,
        "began_at": _iso(case.created_at),
        "changed_at": _iso(case.updated_at),
        "handed_over_at": _iso(case.handed_off_at),
        "held_by": case.holder_name or None,
        "first_answered_at": _iso(case.first_answered_at),
        "closed_at": _iso(case.closed_at),
        "opened_again": case.reopened,
        "urgent": case.urgent,
        "urgent_reason": case.urgent_reason or None,
        "rating": case.satisfaction,
        "blocked": case.blocked,
    }


def _consent(case: Case) -> dict[str, Any]:
    return {
        "state": case.consent,
        "version": case.consent_version or None,
        "at": _iso(case.consent_at),
        "channel": case.consent_channel or None,
        "kept_days": case.keep_days,
        "kept_days_after_closing": case.keep_case_days,
    }


def _said(said: Consent) -> dict[str, Any]:
    return {
        "what": said.what,
        "at": _iso(said.at),
        "version": said.version,
        "channel": said.channel,
        "kept_days": said.keep_days,
        "kept_days_after_closing": said.keep_case_days,
    }


def _message(row: Message, channels: dict[str, str]) -> dict[str, Any]:
    return {
        "at": _iso(row.at),
        "channel": channels.get(row.conversation_id),
        "by": row.role,
        "name": row.name or None,
        "text": _text(row),
        "files": [block["id"] for block in row.blocks if block["type"] == "file" and "id" in block],
    }


def _text(row: Message) -> str:
    """The words of a message; of a checklist and a file their names."""
    parts = []
    for block in row.blocks:
        if block["type"] == "text":
            parts.append(str(block["text"]))
        elif block["type"] == "checklist":
            parts.append("\n".join(f"{item['label']}: {item['state_label']}" for item in block["items"]))
        elif block["type"] == "file" and "name" in block:
            parts.append(f"[{block['name']}]")
    return "\n".join(parts)


def _file(file: File) -> dict[str, Any]:
    return {
        "id": file.id,
        "name": file.name,
        "type": file.mime,
        "size": file.size,
        "sent_by": file.sender,
        "at": _iso(file.created_at),
        "record": file.record or None,
        "where": "here" if file.path else "telegram",
    }
