"""What coordinators do in the group: a press, a command, a reply, or a note that stays there."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.claims import DeskInbound
from bot.casework.relay import Relay
from bot.model import Case


class Desk(Relay):
    """Use cases of the coordinators' group."""

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
            elif said.kind == "reaction":
                case = await self.reacted(session, said)
            else:
                case = await store.case_by_topic(session, said.thread_id) if said.thread_id else None
                if case is not None and said.kind == "edit":
                    await self.edited(session, case, said)
                elif case is not None:
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

    async def _wrote(self, session: AsyncSession, case: Case, said: DeskInbound) -> None:
        words = await self.for_person(session, case, said)
        command = said.text.split(maxsplit=1)[0].partition("@")[0] if said.text.startswith("/") else ""
        if words is not None:
            await self._reply(session, case, said, words)
        elif said.forwarded:
            return  # somebody else's words are no command
        elif command in ("/claim", "/close"):  # in groups Telegram writes /close@OurBot
            before = case.state
            answer = await (self._claim if command == "/claim" else self._close)(session, case, said)
            if case.state == before:  # when it did change, the topic was told already
                await self.post(session, case, answer)
        elif command == "/undo":
            await self.take_back(session, case, said, said.reply_to)
        elif command:
            await self.post(session, case, self.words("desk.how_to_reply"))
