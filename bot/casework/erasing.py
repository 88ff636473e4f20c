"""Everything of a case is deleted, because the person or an administrator of the group wants it so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.base import new_code
from bot.casework.closing import Closing
from bot.model import Case, Conversation, Inbox
from bot.progress import Progress
from bot.render import Say


class Erasing(Closing):
    """Use cases of erasing."""

    async def erase(
        self,
        session: AsyncSession,
        case: Case,
        told: Callable[[str], Say],
        *,
        asked: tuple[Conversation, Inbox] | None = None,
    ) -> str:
        """Delete everything of a case, and tell the person on every channel, with a receipt. Returns the receipt.

        `told` is what they are told, with the receipt. `asked` is the person's own turn that wanted it, which is
        answered; what came in after it belongs to the time after. The case must be locked; it is gone afterwards.
        """
        receipt = new_code().replace("WP-", "DEL-")
        conversations = await store.conversations_of(session, case.id)
        fresh = self.new_case(case.lang)
        session.add(fresh)
        await session.flush()
        for each in conversations:  # first, so that what comes in from now on belongs to the time after
            each.case_id, each.card_message_id = fresh.id, None
        await session.flush()
        await self._remove(session, case, conversations, until=asked[1].number if asked else 0)
        await session.delete(case)
        progress = Progress()
        said = [told(receipt)]
        for each in conversations:
            reply = asked[1].seq if asked and each.id == asked[0].id else None
            await self.deliver(session, fresh, each, said, progress, in_reply_to=reply)
        fresh.progress = progress.model_dump_json()
        return receipt

    async def forget(self, session: AsyncSession, case: Case) -> int:
        """Delete everything of a case and its conversations, and tell nobody: its time is over. Returns its files.

        The case must be locked, and no words of its person may wait.
        """
        conversations = await store.conversations_of(session, case.id)
        files = await self._remove(session, case, conversations, until=0)
        await store.forget(session, [each.id for each in conversations])
        await session.delete(case)
        return files

    async def _remove(
        self, session: AsyncSession, case: Case, conversations: Sequence[Conversation], *, until: int
    ) -> int:
        """Delete what a case holds, on our side and in the group. Returns how many files there were."""
        files = await store.erase(session, case.id, [each.id for each in conversations], until=until)
        for path in files:
            await self.send(session, "unlink", {"path": path}, lane="files")
        if case.topic_id is not None:
            await self.send(session, "topic.delete", {"topic_id": case.topic_id}, lane=f"topic:{case.id}")
        await self.refresh_board(session)
        return len(files)
