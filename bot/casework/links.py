"""Going on elsewhere: one-time links between the widget and Telegram, good for ten minutes."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot import journey, store
from bot.casework.inbound import Receiving
from bot.keep import Keep
from bot.model import Case, Conversation, Link
from bot.progress import Progress
from bot.render import Code, Say

LINK_LIFE = timedelta(minutes=10)
USERNAME = "telegram.username"  # the fact that names our bot


class Links(Receiving):
    """Use cases of linking."""

    async def mint_link(self, session: AsyncSession, case: Case, conversation: Conversation) -> Say:
        """A one-time link to the other channel or device, as something to say; on the website as a code, too."""
        code = new_link_code()
        session.add(Link(code_hash=code_hash(code), case_id=case.id, expires_at=self.now() + LINK_LIFE))
        minutes = int(LINK_LIFE.total_seconds() // 60)
        web, here = f"{self.public_url}/#link={code}", conversation.channel
        codes = (Code("link.code.web", web),) if here == "web" else ()  # on a phone with Telegram the link is enough
        username = await store.fact(session, USERNAME)
        if here != "web" or not username:
            return Say("link.to_web", {"url": web, "code": code, "minutes": minutes}, codes=codes)
        url = f"https://t.me/{username}?start={code}"
        args = {"url": url, "web": web, "code": code, "minutes": minutes}
        return Say("link.to_telegram", args, codes=(Code("link.code.telegram", url), *codes))

    async def telegram_username(self) -> str:
        """The name of our bot on Telegram, "" where there is none or it is not known yet."""
        async with self.reading() as session:
            return await store.fact(session, USERNAME)

    async def use_link(self, turn: str, code: str) -> list[str]:
        """Join a turn's conversation to the case of a one-time code. Both sides are told.

        Returns the conversations that may have something new to read; none when the code is not good.
        What the joining side had agreed to keep fills what the other lacks; two different people are never merged.
        Words of a coordinator since the code was made come along.
        """
        async with self.transaction() as session:
            row = await store.inbox(session, turn)
            conversation = await store.conversation(session, str(row.conversation_id)) if row else None
            link = await session.get(Link, code_hash(code), with_for_update=True)
            if row is None or conversation is None or row.state == "done":
                return [conversation.id] if row and conversation and row.state == "done" else []
            if link is None or link.purpose != "join" or link.used_at is not None or link.expires_at < self.now():
                return []
            case = await store.case(session, link.case_id, lock=True)
            own = await store.case(session, conversation.case_id, lock=True)
            if case is None or own is None or case.id == own.id:
                return []
            progress, other = Progress.model_validate_json(case.progress), Progress.model_validate_json(own.progress)
            if own.state != "talking" or not merge(progress, other, keep=own.consent == "agreed"):
                return []
            link.used_at = self.now()
            here = await store.conversations_of(session, case.id)
            # What a coordinator wrote while the person was on the way stands only where they had left.
            missed = await store.coordinators_words_since(session, here[0].id, link.expires_at - LINK_LIFE)
            await self._move(session, conversation, own, case)
            progress.seen_at = self.now()
            joined = Say("link.joined", {"place": {"say": f"link.place.{conversation.channel}"}})
            for each in here:
                await self.deliver(session, case, each, [joined], progress)
            says = [Say("link.done"), *_welcome_back(progress, case, self.now(), self.keep)]
            await self.deliver(session, case, conversation, says, progress, in_reply_to=row.seq)
            for said in missed:
                await self.put(session, case, conversation, said.blocks, role=said.role, name=said.name)
            row.state, row.said = "done", [{"say": say.say} for say in says]
            case.progress, case.updated_at = progress.model_dump_json(), self.now()
            return [conversation.id, *(each.id for each in here)]

    async def _move(self, session: AsyncSession, conversation: Conversation, own: Case, case: Case) -> None:
        """The conversation, with its transcript and files, goes over to the case; its own empty case goes."""
        conversation.case_id = case.id
        await session.flush()
        await store.move(session, conversation.id, own.id, case.id)
        if not await store.conversations_of(session, own.id):
            await session.delete(own)


def _welcome_back(progress: Progress, case: Case, now: datetime, keep: Keep) -> list[Say]:
    """How far they got, and the pending question, as the journey says it."""
    working = journey.Turn(
        progress,
        journey.Heard("control.resume"),
        now,
        consent=case.consent,  # type: ignore[arg-type]
        held=case.state,  # type: ignore[arg-type]
        code=case.code,
        keep=keep,
    )
    journey.welcome.welcome_back(working)
    return working.says


def merge(progress: Progress, other: Progress, *, keep: bool) -> bool:
    """Fill what `progress` lacks from `other`. False, and nothing changed, when they speak of different people."""
    if not keep:
        return True
    if other.role and progress.role and (other.role, other.relation) != (progress.role, progress.relation):
        return False
    progress.role, progress.relation = progress.role or other.role, progress.relation or other.relation
    progress.signals = {**other.signals, **progress.signals}
    progress.records = {**other.records, **progress.records}
    progress.extras = list(dict.fromkeys([*progress.extras, *other.extras]))
    for question in other.questions:
        progress.add_question(question)
    if not progress.treatment.answer:
        progress.treatment = other.treatment
    for detail in ("name", "language", "country", "timezone"):
        if not getattr(progress.contact, detail):
            setattr(progress.contact, detail, getattr(other.contact, detail))
    return True


def new_link_code() -> str:
    """A code that cannot be guessed."""
    return secrets.token_urlsafe(18)


def code_hash(code: str) -> str:
    """What is kept of a code."""
    return hashlib.sha256(code.encode()).hexdigest()
