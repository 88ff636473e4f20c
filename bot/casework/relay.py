"""Words and files between a person and the coordinator who holds their case, in both directions."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.base import ALERT, TO_PERSON
from bot.casework.claims import DeskInbound
from bot.casework.closing import Closing
from bot.casework.inbound import Inbound
from bot.model import Case, Conversation, File, Inbox
from bot.progress import Progress


class Relay(Closing):
    """Use cases of relaying."""

    async def to_topic(
        self, session: AsyncSession, case: Case, conversation: Conversation, row: Inbox, inbound: Inbound
    ) -> None:
        """The person's words, or what they sent, to the case's topic."""
        if inbound.kind in ("choice", "start"):
            await self.refresh_card(session, case)
            return
        if inbound.kind == "text" and inbound.text.startswith("/"):
            return
        await self.person_waits(session, case)
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

    async def _reply(self, session: AsyncSession, case: Case, said: DeskInbound, text: str) -> None:
        """Words of a coordinator to the person, with the coordinator's name, on every channel they use."""
        if case.state == "waiting":
            await self._claim(session, case, said)  # whoever answers first holds the case
        if case.state != "claimed":
            await self.post(session, case, self.words("desk.is_closed"))
            return
        await self.human_answered(session, case)
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

    async def not_delivered(self, case_id: str, reason: str) -> None:
        """A coordinator's words could not be delivered: say so in the topic."""
        async with self.transaction() as session:
            case = await store.case(session, case_id)
            if case is not None and case.state in ("waiting", "claimed", "closed"):
                await self.post(session, case, self.words("desk.not_delivered", reason=reason), priority=ALERT)
