"""The steps of a journey that coordinators take, and what must come of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from bot.model import Reminder
from tests.journeys.people import until
from tests.journeys.steps import Steps


class DeskSteps(Steps):
    """What coordinators do in the topic of the person's case, and in General."""

    async def _desk(self, act: dict[str, Any]) -> None:
        self.desk_code = await self.code()
        self.general_from = await self.world.desk.newest()
        who = act.get("by", "Mei")
        (kind,) = act.keys() & {"claim", "close", "press", "order", "note", "say", "reply", "edit", "react", "hand"}
        words = await self.filled(act[kind])
        await {
            "claim": lambda: self._press_each(who, "desk.button.claim"),
            "close": lambda: self._press_each(who, "desk.button.close", "desk.closed_for.helped"),
            "press": lambda: self._press_each(who, words),
            "order": lambda: self._order(who, words, act),
            "note": lambda: self._act(self.world.desk.write(self.desk_code, who, words)),
            "say": lambda: self._act(self.world.desk.write(self.desk_code, who, f"/say {words}")),
            "reply": lambda: self._order(who, words, act),
            "edit": lambda: self._act(self.world.desk.edit(self.desk_code, who, words, act["into"])),
            "react": lambda: self._act(self.world.desk.react(self.desk_code, who, act["to"], words)),
            "hand": lambda: self._hand(who, words),
        }[kind]()

    async def _press_each(self, who: str | list[str], *labels: str) -> None:
        """One button after the other; several coordinators press the same one at once."""
        for say in labels:
            label = await self.label(say)
            await self._act(self._press_at_once([who] if isinstance(who, str) else who, label))

    async def _press_at_once(self, everybody: list[str], label: str) -> None:
        code = self.desk_code
        self.told = await asyncio.gather(*(self.world.desk.press(code, who, label) for who in everybody))

    async def _order(self, who: str, words: str, act: dict[str, str]) -> None:
        """Words into the topic or into General, as a reply when it is said to which."""
        if act.get("in") == "general":
            await self._act(self.world.desk.write_in_general(who, words))
            return
        target = (await self.world.desk.find(self.desk_code, act["to"]))["message_id"] if "to" in act else None
        await self._act(self.world.desk.write(self.desk_code, who, words, target))

    async def _hand(self, who: str, verb: str) -> None:
        change = self.world.desk.manage_topic(self.desk_code, who, verb)
        await (change if verb == "delete" else self._act(change))  # bots are told of no deletions

    async def _days_later(self, days: int) -> None:
        """Days pass: what was to be remembered is due that much sooner."""
        case, database = await self.case_id(), self.world.database
        async with database.begin() as connection:
            query = select(Reminder.id, Reminder.due_at).where(Reminder.case_id == case)
            for number, due_at in (await connection.execute(query)).all():
                sooner = due_at - timedelta(days=days)
                await connection.execute(update(Reminder).where(Reminder.id == number).values(due_at=sooner))

    # What must come of it.

    async def _told(self, wanted: str | list[str]) -> None:
        """Each of these stands in the answer to one press, and to one only."""
        expected = [await self.filled(words) for words in ([wanted] if isinstance(wanted, str) else wanted)]
        found = [sum(words in answer for answer in self.told) for words in expected]
        assert found == [1] * len(self.told), f"they were told {self.told}"

    async def _topic_sees(self, words: str) -> None:
        await self.world.desk.find(await self.code(), await self.filled(words))

    async def _topic_lacks(self, words: str) -> None:
        """The words do not stand in the topic once all that is on its way there has arrived."""
        case = await self.case_id()

        async def look() -> bool | None:
            ((unsent,),) = await self.world.query(
                "SELECT count(*) FROM outbox WHERE state = 'due' AND case_id = :case AND kind LIKE 'topic.%'", case=case
            )
            return True if unsent == 0 else None

        await until(look, "all of the topic to arrive")
        texts = [message.get("text", "") for message in await self.world.desk.texts(await self.code())]
        assert not any(words in text for text in texts), f"the topic holds {words!r}"

    async def _topic(self, state: str) -> None:
        code = self.desk_code or await self.code()

        async def look() -> bool | None:
            return True if await self.world.desk.state_of_topic(code) == state else None

        await until(look, f"the topic {code} to be {state}")

    async def _general_sees(self, words: str) -> None:
        await self.world.desk.find_in_general(await self.filled(words), self.general_from)

    async def _exported(self, words: str) -> None:
        content = await self.world.desk.newest_file(await self.code())
        assert words in content, f"the file says: {content}"
