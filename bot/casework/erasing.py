"""Everything of a case is deleted, because the person or an administrator wants it so, or because its time is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework import consent
from bot.casework.base import new_code
from bot.casework.closing import Closing
from bot.keys import Kept, of_database
from bot.model import Case, Conversation, Inbox, Receipt
from bot.progress import Progress, Step
from bot.render import Say

EVERYTHING = 2**63 - 1  # an inbox row's highest number


class Erasing(Closing):
    """Use cases of erasing."""

    async def erase_at_once(self, conversation_id: str) -> str:
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
            receipt = await self.erase(session, case, self.deleted, by="person", until=EVERYTHING)
        await self.scrub()
        return receipt

    async def erase(
        self,
        session: AsyncSession,
        case: Case,
        told: Callable[[str], Say],
        *,
        by: str,
        asked: tuple[Conversation, Inbox] | None = None,
        withdrawn: bool = False,
        until: int = 0,
    ) -> str:
        """Delete everything of a case, and tell the person on every channel, with a receipt. Returns the receipt.

        `told` is what they are told, with the receipt; `by` is who wanted it. `asked` is the person's own turn that
        wanted it, which is answered; what came in after it, or after the inbox's number `until`, belongs to the time
        after. With `withdrawn` they take back what they agreed to: from now on their questions are answered, and
        nothing is kept. The case must be locked; it is gone afterwards. What the group holds is deleted by the outbox,
        and the person is told how that ended.
        """
        receipt = Receipt(code=new_code().replace("WP-", "DEL-"), at=self.now(), by=by, in_group="none")
        session.add(receipt)
        conversations = await store.conversations_of(session, case.id)
        fresh = self.new_case(case.lang)
        fresh.blocked = case.blocked
        session.add(fresh)
        await session.flush()
        for each in conversations:  # first, so that what comes in from now on belongs to the time after
            each.case_id, each.card_message_id = fresh.id, None
        await session.flush()
        until = asked[1].number if asked else until
        await self._remove(session, case, conversations, until=until, receipt=receipt)
        await session.delete(case)
        progress = Progress()
        if withdrawn and asked is not None:
            progress.step = Step("open")
            session.add(consent.declined(fresh, asked[0], self.now(), withdrawn=True))
        said = [told(receipt.code)]
        if receipt.in_group == "deleting":
            said.append(Say("erase.in_group"))
        for each in conversations:
            reply = asked[1].seq if asked and each.id == asked[0].id else None
            await self.deliver(session, fresh, each, said, progress, in_reply_to=reply)
        fresh.progress = progress.model_dump_json()
        return receipt.code

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
        self,
        session: AsyncSession,
        case: Case,
        conversations: Sequence[Conversation],
        *,
        until: int,
        receipt: Receipt | None = None,
    ) -> int:
        """Delete what a case holds on our side, and have deleted what the group does. Returns how many files went."""
        ids = [each.id for each in conversations]
        in_topic, elsewhere = await store.in_group(session, case.id)
        await store.unsay(session, case.code, case.topic_id)
        files = await store.erase(session, case.id, ids, until=until, now=self.now())
        for path in files:
            await self.send(session, "unlink", {"path": path}, lane="files")
        await self.send(session, "keys", {}, lane="files", coalesce="keys")
        if case.topic_id is not None or elsewhere:
            payload: dict[str, Any] = {"topic_id": case.topic_id, "in_topic": in_topic, "elsewhere": elsewhere}
            if receipt is not None:
                receipt.in_group = "deleting"
                payload |= {"receipt": receipt.code, "tell": ids}
            await self.send(session, "topic.delete", payload, lane=f"topic:{case.id}")
        await self.refresh_board(session)
        return len(files)

    # What became of it in the group.

    async def group_waits(self, payload: Mapping[str, Any]) -> None:
        """The group cannot be reached, so what it holds stands there still: the person is told, once."""
        async with self.transaction() as session:
            receipt = await store.receipt(session, str(payload.get("receipt", "")))
            if receipt is not None and receipt.in_group == "deleting":
                receipt.in_group = "waiting"
                await self._tell(session, payload, Say("erase.group_waits", {"receipt": receipt.code}))

    async def group_cleared(self, payload: Mapping[str, Any], left: int) -> None:
        """What the group held is deleted, except `left` messages: the person is told so, and the coordinators."""
        async with self.transaction() as session:
            receipt = await store.receipt(session, str(payload.get("receipt", "")))
            if receipt is not None and receipt.in_group in ("deleted", "left"):
                return
            if left:
                code = receipt.code if receipt is not None else "-"
                lines = [[code, self.words("desk.erase_topic"), payload.get("topic_id")]]
                await self.announce(session, self.words("desk.erase_left", count=left), also={"lines": lines})
            if receipt is None:
                return
            receipt.in_group, receipt.left_in_group = ("left" if left else "deleted"), left
            told = "erase.group_left" if left else "erase.group_done"
            await self._tell(session, payload, Say(told, {"receipt": receipt.code}))

    async def _tell(self, session: AsyncSession, payload: Mapping[str, Any], say: Say) -> None:
        for conversation_id in payload.get("tell") or ():
            conversation = await store.conversation(session, conversation_id)
            case = await store.case(session, conversation.case_id, lock=True) if conversation is not None else None
            if conversation is not None and case is not None:
                await self.deliver(session, case, conversation, [say], Progress.model_validate_json(case.progress))

    async def data_keys(self) -> list[Kept]:
        """Every data key, wrapped, as it is kept beside backups."""
        async with self.reading() as session:
            return await session.run_sync(lambda sync: of_database(sync.connection()))

    async def mentioned(self, chat_id: int, message_ids: Sequence[int], codes: Sequence[str]) -> None:
        """Remember which messages outside of their topics show something of cases."""
        async with self.transaction() as session:
            for code in codes:
                if (case := await store.case_by_code(session, code, lock=True)) is not None:
                    for message_id in message_ids:
                        await store.mention(session, chat_id, message_id, case.id)

    def deleted(self, receipt: str) -> Say:
        """What the person is told who wanted it so."""
        return Say("steer.deleted", {"receipt": receipt, "hours": self.keep.draft_hours})
