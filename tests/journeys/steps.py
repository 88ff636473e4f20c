"""What every step of a journey needs: the running assistant, the person, and what came of the last act."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import database
from bot.guide import Guide
from bot.model import Case
from bot.render import Choice, Say, Voice, render
from tests.journeys.desk import DeskPlayer
from tests.journeys.people import Person, Seen, until
from tests.keys import keys


@dataclass
class World:
    """Everything a journey needs of the running assistant."""

    database: AsyncEngine
    guide: Guide
    desk: DeskPlayer
    new_person: Callable[[str], Awaitable[Person]]

    async def query(self, sql: str, **values: Any) -> list[Any]:
        """Look into the database, as it stands on the disk."""
        async with self.database.connect() as connection:
            await connection.execution_options(read_only=True)
            return list((await connection.execute(text(sql), values)).all())

    async def case(self, case_id: str) -> Case:
        """A case, opened."""
        async with database.sessions(self.database, keys())() as session:
            return await session.get_one(Case, case_id)

    async def last_seen(self, case_id: str, days: int) -> None:
        """Days pass: the case was last seen that much longer ago."""
        async with database.sessions(self.database, keys()).begin() as session:
            case = await session.get_one(Case, case_id)
            progress = json.loads(case.progress)
            progress["seen_at"] = (datetime.fromisoformat(progress["seen_at"]) - timedelta(days=days)).isoformat()
            case.progress = json.dumps(progress)

    async def change(self, sql: str, **values: Any) -> None:
        """Change a row; used only to let days pass."""
        async with self.database.begin() as connection:
            await connection.execute(text(sql), values)


@dataclass
class Steps:
    """One journey in play."""

    world: World
    person: Person
    seen: list[Seen] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    last_message: int = 0
    desk_code: str = ""  # of the case that the coordinators acted on last; it outlives an erased case
    told: list[str] = field(default_factory=list)  # what the last presses of coordinators were answered with
    general_from: int = 0  # the newest message of the group before the coordinators' last act

    async def play(self, steps: list[dict[str, Any]]) -> None:
        """Do every step; a failure names the step."""
        for number, step in enumerate(steps, 1):
            ((name, value),) = step.items()
            try:
                await getattr(self, f"_{name}")(value)
            except AssertionError as failure:
                raise AssertionError(f"step {number}, {name}: {value}\n{failure}\nsaid: {self.said}") from failure

    async def _act(self, act: Awaitable[None]) -> None:
        """Do something that makes a turn; wait until it came in, is done, and all that it says was sent; then read."""
        ((before,),) = await self.world.query("SELECT count(*) FROM inbox")
        await act

        async def look() -> bool | None:
            ((now,),) = await self.world.query("SELECT count(*) FROM inbox")
            ((open_turns,),) = await self.world.query("SELECT count(*) FROM inbox WHERE state = 'new'")
            ((unsent,),) = await self.world.query(
                "SELECT count(*) FROM outbox WHERE state = 'due' AND lane LIKE 'chat:%'"
            )
            known = await self.world.query(
                "SELECT last_seq FROM conversations WHERE address = :person OR id = :person", person=self.person.address
            )
            return True if known and now > before and open_turns == 0 and unsent == 0 else None

        await until(look, "an answer")
        self.seen = await self.person.read()
        rows = await self.world.query(
            "SELECT m.seq, m.say FROM messages m JOIN conversations c ON c.id = m.conversation_id "
            "WHERE (c.address = :person OR c.id = :person) AND m.role != 'patient' AND m.seq > :last ORDER BY m.seq",
            person=self.person.address,
            last=self.last_message,
        )
        self.said = [say for _, say in rows]
        self.last_message = max([self.last_message, *(number for number, _ in rows)])
        assert len(self.said) == 0 or self.seen, "the record holds an answer that the person cannot see"

    async def label(self, say: str) -> str:
        """A button's label as this person reads it."""
        blocks = render(self.world.guide, Say("resume.open", {}, (Choice(say, {}),)), await self.voice(), 0)
        return str(blocks[-1]["choices"][0]["label"])

    async def voice(self) -> Voice:
        """How this person is spoken to."""
        known = json.loads((await self.world.case(await self.case_id())).progress)
        return Voice("en", known["role"] or "self", known["relation"] or None)

    async def case_id(self) -> str:
        """The case of the person's conversation."""
        ((case,),) = await self.world.query(
            "SELECT case_id FROM conversations WHERE address = :person OR id = :person", person=self.person.address
        )
        return str(case)

    async def code(self) -> str:
        """The case's code."""
        ((code,),) = await self.world.query("SELECT code FROM cases WHERE id = :case", case=await self.case_id())
        return str(code)

    async def filled(self, words: str) -> str:
        """A story's words with {code}, {holder} and {receipt} filled in: of the case, and as the person has it."""
        if "{code}" in words:
            words = words.replace("{code}", self.desk_code or await self.code())
        if "{holder}" in words:
            words = words.replace("{holder}", (await self.world.case(await self.case_id())).holder_name)
        if "{receipt}" in words:
            found = re.search(r"DEL-\w{4}-\w{4}", "\n".join(seen.text for seen in self.seen))
            assert found, f"no receipt in {[seen.text for seen in self.seen]}"
            words = words.replace("{receipt}", found[0])
        return words
