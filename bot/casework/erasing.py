"""Everything of a case is deleted, because the person or an administrator of the group wants it so."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.base import new_code
from bot.casework.closing import Closing
from bot.model import Case, Conversation, Inbox
from bot.progress import Progress
from bot.render import Say

EVERYTHING = 2**63 - 1  # an inbox row's highest number


class Erasing(Closing):
    """Use cases of erasing."""

    async def forget(self, conversation_id: str) -> str:
        """Delete everything of a conversation's case at once, words that nobody has read yet included.

        Returns the receipt. Raises LookupError when there is no such conversation.
        """
        async with self.transaction() as session:
            while True:
                conversation = await store.conversation(session, conversation_id)
                if conversation is None:
                    raise LookupError("There is no such conversation.")
                case = await store.case(session, conversation.case_id, lock=True)
                await session.refresh(conversation)
                if case is not None and case.id == conversation.case_id:
                    break  # else it was joined to another case, or erased, while we waited
            receipt = await self.erase(session, case, deleted, until=EVERYTHING)
        await self.scrub()
        return receipt

    async def erase(
        self,
        session: AsyncSession,
        case: Case,
        told: Callable[[str], Say],
        *,
        asked: tuple[Conversation, Inbox] | None = None,
        until: int = 0,
    ) -> str:
        """Delete everything of a case, and tell the person on every channel, with a receipt. Returns the receipt.

        `told` is what they are told, with the receipt. `asked` is the person's own turn that wanted it, which is
        answered; what came in after it, or after the inbox's number `until`, belongs to the time after. The case must
        be locked; it is gone afterwards.
        """
        topic_id, receipt = case.topic_id, new_code().replace("WP-", "DEL-")
        conversations = await store.conversations_of(session, case.id)
        fresh = self.new_case(case.lang)
        session.add(fresh)
        await session.flush()
        for each in conversations:  # first, so that what comes in from now on belongs to the time after
            each.case_id, each.card_message_id = fresh.id, None
        await session.flush()
        until = asked[1].number if asked else until
        for path in await store.erase(session, case.id, [each.id for each in conversations], until=until):
            await self.send(session, "unlink", {"path": path}, lane="files")
        await session.delete(case)
        if topic_id is not None:
            await self.send(session, "topic.delete", {"topic_id": topic_id}, lane=f"topic:{case.id}")
        await self.refresh_board(session)
        progress = Progress()
        said = [told(receipt)]
        for each in conversations:
            reply = asked[1].seq if asked and each.id == asked[0].id else None
            await self.deliver(session, fresh, each, said, progress, in_reply_to=reply)
        fresh.progress = progress.model_dump_json()
        return receipt


def deleted(receipt: str) -> Say:
    """What the person is told who wanted it so."""
    return Say("steer.deleted", {"receipt": receipt})
