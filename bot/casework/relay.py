"""Words and files between a person and the coordinator who holds their case, in both directions."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.base import TO_PERSON, TO_TOPIC
from bot.casework.claims import DeskInbound
from bot.casework.copies import ALBUM_GATHERS, ALBUM_LENGTH, LARGEST_FETCHED, Block, plain, shortened, words_of
from bot.casework.corrections import Corrections
from bot.casework.inbound import Inbound
from bot.model import Case, Conversation, File, Inbox, Message, Relayed
from bot.render import Say


class Relay(Corrections):
    """Use cases of relaying."""

    # From the person to the topic.

    async def to_topic(
        self, session: AsyncSession, case: Case, conversation: Conversation, row: Inbox, inbound: Inbound
    ) -> None:
        """The person's words, or what they sent, to the case's topic."""
        if inbound.kind in ("choice", "start"):
            chosen = words_of(await store.message(session, conversation.id, row.seq))
            if case.state == "claimed" and chosen:
                await self.post(session, case, self.words("desk.person_chose", label=chosen))
            await self.refresh_card(session, case)
            return
        if inbound.is_command:
            return
        if inbound.note == "edited":
            await self._edit_to_topic(session, case, conversation, row, inbound)
            return
        await self.person_waits(session, case)
        also = await self._answering(session, conversation, inbound)
        quoted = "" if "answers" in also else str(inbound.raw.get("quoted", ""))
        copy = await self.copy_to_topic(
            session, case, conversation, seq=row.seq, message_id=inbound.raw.get("message_id")
        )
        also["relayed"] = [copy.id]
        if inbound.kind == "text" and inbound.text:
            await self.post(session, case, self._person_said(inbound.text, quoted), mark="person", also=also)
            return
        files = [file for file in await store.files(session, case.id) if file.turn == row.id]
        if files and not inbound.raw:
            for file in files:
                await self.file_to_topic(session, case, conversation, file, also)
            if inbound.text:
                await self.post(session, case, self._person_said(inbound.text), mark="person", also=also)
        elif files and inbound.raw.get("album"):
            await self._album_to_topic(session, case, conversation, files[0], inbound, also)
        elif inbound.raw:
            raw = {"chat_id": inbound.raw["chat_id"], "message_id": inbound.raw["message_id"]}
            kind = files[0].kind if files else ""
            payload = {**raw, "kind": kind, "text": inbound.text, "mark": "person", **also}
            await self.send(session, "topic.copy", payload, lane=f"topic:{case.id}", case=case)

    def _person_said(self, text: str, quoted: str = "") -> str:
        said = self.words("desk.person_said", text=text)
        return self.words("desk.person_answers", quoted=shortened(quoted), text=said) if quoted else said

    async def _answering(self, session: AsyncSession, conversation: Conversation, inbound: Inbound) -> dict[str, Any]:
        """What the person replied to, where that stands in the topic, too."""
        if not inbound.reply_to.isdecimal():
            return {}
        target = await store.relayed_in_chat(session, conversation.id, int(inbound.reply_to))
        return {"answers": target.id} if target is not None else {}

    async def _edit_to_topic(
        self, session: AsyncSession, case: Case, conversation: Conversation, row: Inbox, inbound: Inbound
    ) -> None:
        """New words in the place of old ones: both, in answer to the message that stood there first."""
        message_id = int(inbound.raw.get("message_id") or 0)
        before = await store.relayed_in_chat(session, conversation.id, message_id)
        was = words_of(await store.message(session, conversation.id, before.seq or 0)) if before is not None else ""
        if was == inbound.text:  # something else about the message is new
            return
        await self.person_waits(session, case)
        text = self.words("desk.person_said", text=f"✏️ {inbound.text}")
        if was:
            text = self.words("desk.person_edited", before=was, after=inbound.text)
        copy = await self.copy_to_topic(session, case, conversation, seq=row.seq, message_id=message_id or None)
        also = {"relayed": [copy.id], **({"answers": before.id} if before is not None else {})}
        await self.post(session, case, text, mark="person", also=also)

    async def _album_to_topic(
        self,
        session: AsyncSession,
        case: Case,
        conversation: Conversation,
        file: File,
        inbound: Inbound,
        also: dict[str, Any],
    ) -> None:
        """A part of an album, which goes to the topic as an album again."""
        part = {
            "file": file.telegram_file_id,
            "kind": file.kind,
            "text": inbound.text,
            "relayed": also["relayed"][0],
            "chat_id": inbound.raw["chat_id"],
            "message_id": inbound.raw["message_id"],
        }
        await self._gather(
            session,
            "topic.album",
            f"album:{conversation.id}:{inbound.raw['album']}"[:80],
            part,
            {"mark": "person", **also},
            lane=f"topic:{case.id}",
            case=case,
        )

    async def _gather(
        self,
        session: AsyncSession,
        kind: str,
        key: str,
        part: dict[str, Any],
        payload: dict[str, Any],
        *,
        lane: str,
        case: Case,
        conversation: Conversation | None = None,
        priority: int = TO_TOPIC,
    ) -> None:
        """Add a part to an album that waits for its parts, or begin one."""
        waiting = await store.coalesced(session, key)
        if waiting is not None and len(waiting.payload["parts"]) < ALBUM_LENGTH:
            parts = [*waiting.payload["parts"], part]
            waiting.payload = {**waiting.payload, "parts": parts, "relayed": [each["relayed"] for each in parts]}
            waiting.not_before = self.now() + ALBUM_GATHERS
            return
        payload = {**payload, "parts": [part], "relayed": [part["relayed"]]}
        await self.send(
            session,
            kind,
            payload,
            lane=lane,
            case=case,
            conversation=conversation,
            coalesce=key if waiting is None else "",
            priority=priority,
            after=ALBUM_GATHERS,
        )

    async def file_to_topic(
        self,
        session: AsyncSession,
        case: Case,
        conversation: Conversation,
        file: File,
        also: dict[str, Any] | None = None,
    ) -> None:
        """One file to the topic, by Telegram's id where it has one, else from our folder."""
        payload = {
            "file": file.telegram_file_id,
            "path": file.path,
            "key": file.key,
            "name": file.name,
            "kind": file.kind,
            "mark": "person",
            **(also or {}),
        }
        await self.send(session, "topic.file", payload, lane=f"topic:{case.id}", case=case)

    async def not_relayed(self, case_id: str) -> None:
        """What a person sent could not be passed on: the coordinators know at least that there was something."""
        async with self.transaction() as session:
            case = await store.case(session, case_id)
            if case is not None:
                await self.post(session, case, self.words("desk.person_sent_other"), mark="person")

    # From a coordinator to the person.

    async def _reply(self, session: AsyncSession, case: Case, said: DeskInbound, text: str) -> None:
        """Words of a coordinator to the person, with the coordinator's name, on every channel they use."""
        if not await self.steps_in(session, case, said):
            await self.post(session, case, self.words("desk.is_closed"))
            return
        for conversation in await store.conversations_of(session, case.id):
            copy = await self.copy_to_person(session, case, conversation, said)
            if conversation.channel == "telegram":
                await self._to_telegram(session, case, conversation, said, text, copy)
            else:
                await self._to_website(session, case, conversation, said, text, copy)
        case.updated_at = self.now()

    async def _to_telegram(
        self,
        session: AsyncSession,
        case: Case,
        conversation: Conversation,
        said: DeskInbound,
        text: str,
        copy: Relayed,
    ) -> None:
        """Words, or a copy of what was sent; in answer to the person's own message if that was replied to."""
        target = await self._answered(session, case, said)
        reply_to = target.message_id if target is not None and target.conversation_id == conversation.id else None
        also: dict[str, Any] = {"relayed": [copy.id]} | ({"reply_to": reply_to} if reply_to else {})
        quote = [] if reply_to else await self._quote(session, conversation, said, target)
        words = [plain(text)] if text else []
        if not said.media:
            copy.seq = await self.put(
                session, case, conversation, [*quote, *words], role="coordinator", name=said.user_name, also=also
            )
            return
        blocks = [*quote, *self._as_said(conversation, said), *words]
        copy.seq, _ = await self.record(session, case, conversation, blocks, role="coordinator", name=said.user_name)
        payload = {
            "chat_id": said.chat_id,
            "message_id": said.message_id,
            "name": said.user_name,
            "text": text,
            "media": said.media.get("kind", "other"),
            "role": "coordinator",
            **also,
        }
        lane = f"chat:{conversation.address}"
        if said.album and said.media.get("file_id"):
            part = {name: payload[name] for name in ("chat_id", "message_id", "text")}
            part |= {"file": said.media["file_id"], "kind": said.media["kind"], "relayed": copy.id}
            await self._gather(
                session,
                "album",
                f"album:{conversation.id}:{said.album}"[:80],
                part,
                payload,
                lane=lane,
                case=case,
                conversation=conversation,
                priority=TO_PERSON,
            )
            return
        await self.send(session, "copy", payload, lane=lane, case=case, conversation=conversation, priority=TO_PERSON)

    async def _to_website(
        self,
        session: AsyncSession,
        case: Case,
        conversation: Conversation,
        said: DeskInbound,
        text: str,
        copy: Relayed,
    ) -> None:
        """Words; a link to fetch a file; what a website cannot show is said in words."""
        quote = await self._quote(session, conversation, said, await self._answered(session, case, said))
        words = [plain(text)] if text else []
        shown = self._as_said(conversation, said) if said.media else []
        problem, file = "", None
        if said.media and not shown and not said.media.get("file_id"):
            problem = str(said.media.get("kind"))
        elif said.media and said.media.get("file_id") and said.media.get("kind") != "sticker":
            if int(said.media.get("size", 0)) > LARGEST_FETCHED:
                problem, shown = "file is too big", []
            else:
                file = await self._file_for_website(session, case, said.media)
                shown = [_link(file)]
        if shown or words:
            copy.seq = await self.put(
                session, case, conversation, [*quote, *shown, *words], role="coordinator", name=said.user_name
            )
        if problem:
            await self._cannot_show(session, case, copy, problem)
        elif file is not None:
            payload = {"file": file.id, "telegram_file_id": file.telegram_file_id, "role": "coordinator"}
            await self.send(
                session,
                "fetch",
                {**payload, "relayed": [copy.id]},
                lane=f"file:{file.id}",
                case=case,
                conversation=conversation,
                priority=TO_PERSON,
            )
        else:
            await self.settled(session, copy, "delivered")

    async def _file_for_website(self, session: AsyncSession, case: Case, media: dict[str, Any]) -> File:
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
        return file

    async def _cannot_show(self, session: AsyncSession, case: Case, copy: Relayed, problem: str) -> None:
        """Something that cannot go to the website at all: the coordinator knows at once."""
        await self.settled(session, copy, "failed")
        advice = self.too_big() if "too big" in problem else self.words("desk.advise.kind")
        text = f"{self.words('desk.not_delivered', reason=problem)}\n{advice}"
        await self.post(session, case, text, also={"reply_to": copy.desk_message_id})

    async def _answered(self, session: AsyncSession, case: Case, said: DeskInbound) -> Relayed | None:
        """What of the person a coordinator replied to; None for the card."""
        if not said.reply_to:
            return None
        return next(
            (one for one in await store.original_of(session, said.chat_id, said.reply_to) if one.case_id == case.id),
            None,
        )

    async def _quote(
        self, session: AsyncSession, conversation: Conversation, said: DeskInbound, target: Relayed | None
    ) -> list[Block]:
        """The person's own words that a coordinator replied to, in short, where the channel has no replies."""
        if target is None:
            return []
        message = await store.message(session, target.conversation_id, target.seq or 0)
        quoted = said.quote or words_of(message) or _first_file(message)
        return self.phrased(conversation, Say("relay.quoted", {"text": shortened(quoted)})) if quoted else []

    def _as_said(self, conversation: Conversation, said: DeskInbound) -> list[Block]:
        """What a coordinator sent beside words, as a transcript says it: a file's name, a place, a contact."""
        media = said.media or {}
        kind = str(media.get("kind", ""))
        args = {name: str(value) for name, value in (media.get("said") or {}).items()}
        if kind in ("location", "venue", "contact", "sticker") and args:
            return self.phrased(conversation, Say(f"relay.{kind}", args))
        if not media.get("file_id"):
            return []
        return [
            {"type": "file", **{name: media.get(name) or "" for name in ("name", "mime")}, "size": media.get("size", 0)}
        ]


def _link(file: File) -> Block:
    """A file as the website shows it."""
    return {
        "type": "file",
        "id": file.id,
        "name": file.name,
        "mime": file.mime,
        "size": file.size,
        "url": f"/api/files/{file.id}",
    }


def _first_file(message: Message | None) -> str:
    return next((str(b["name"]) for b in message.blocks if b["type"] == "file"), "") if message is not None else ""
