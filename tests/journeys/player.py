"""Plays a journey: a YAML file of what a person does and what must come of it, on one channel or over both.

Steps (one key each):
  write: words typed                       press: guide id of a label
  send: {file, caption}                    expect: guide ids, said in this order since the last act
  expect_not: guide ids not said           sees: words in what they see now      silent: nothing is said
  away: days of silence                    move: go on at the other channel, by a one-time link
  known: {dotted path of the case's document: value}
  desk: {claim | close | reply | note | say: …, by: Mei}      topic_sees / topic_lacks: words in the case's topic
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.guide import Guide
from bot.render import Choice, Say, Voice, render
from tests.journeys.desk import DeskPlayer
from tests.journeys.people import Person, Seen, until


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

    async def change(self, sql: str, **values: Any) -> None:
        """Change a row; used only to let days pass."""
        async with self.database.begin() as connection:
            await connection.execute(text(sql), values)


@dataclass
class Player:
    """One journey in play."""

    world: World
    person: Person
    seen: list[Seen] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    last_message: int = 0

    async def play(self, steps: list[dict[str, Any]]) -> None:
        """Do every step; a failure names the step."""
        for number, step in enumerate(steps, 1):
            ((name, value),) = step.items()
            try:
                await getattr(self, f"_{name}")(value)
            except AssertionError as failure:
                raise AssertionError(f"step {number}, {name}: {value}\n{failure}\nsaid: {self.said}") from failure

    # What the person does.

    async def _write(self, text: str) -> None:
        await self._act(self.person.write(text))

    async def _press(self, label: str | dict[str, Any]) -> None:
        await self._act(self.person.press(await self.label(label)))

    async def _send(self, what: dict[str, str]) -> None:
        content = b"%PDF-1.4\n% a plainly fictional page\n%%EOF\n"
        await self._act(self.person.send(what["file"], content, what.get("caption", "")))

    async def _away(self, days: int) -> None:
        """Days pass: the case was last seen that long ago."""
        case = await self.case_id()
        ((stored,),) = await self.world.query("SELECT progress FROM cases WHERE id = :case", case=case)
        progress = json.loads(stored)
        seen_at = datetime.fromisoformat(progress["seen_at"]) - timedelta(days=days)
        progress["seen_at"] = seen_at.isoformat()
        await self.world.change(
            "UPDATE cases SET progress = :known WHERE id = :case", known=json.dumps(progress), case=case
        )

    async def _move(self, channel: str) -> None:
        await self._act(self.person.write("/link"))
        code = re.search(r"(?:start=|link=)([A-Za-z0-9_-]{16,})", "\n".join(seen.text for seen in self.seen))
        assert code, f"no one-time link in {[seen.text for seen in self.seen]}"
        elsewhere = "telegram" if self.person.channel == "web" else "web"
        self.person = await self.world.new_person(elsewhere if channel == "other" else channel)
        self.last_message = 0  # every conversation counts its own
        await self._act(self.person.write(f"/start {code[1]}"))

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

    # What must come of it.

    async def _expect(self, ids: str | list[str]) -> None:
        rest = iter(self.said)
        for wanted in [ids] if isinstance(ids, str) else ids:
            assert wanted in rest, f"{wanted} was not said"

    async def _expect_not(self, ids: str | list[str]) -> None:
        for unwanted in [ids] if isinstance(ids, str) else ids:
            assert unwanted not in self.said, f"{unwanted} was said"

    async def _silent(self, _: bool) -> None:
        assert self.said == [], "the assistant spoke"

    async def _sees(self, words: str) -> None:
        """They see these words now, or soon (a coordinator's reply is on its way)."""

        async def look() -> bool | None:
            if any(words in f"{seen.name}: {seen.text}" or words in seen.files for seen in self.seen):
                return True
            self.seen += await self.person.read()
            return None

        await until(look, f"{words!r}; they saw {[seen.text for seen in self.seen]}")

    async def _known(self, facts: dict[str, Any]) -> None:
        ((stored,),) = await self.world.query("SELECT progress FROM cases WHERE id = :case", case=await self.case_id())
        for path, wanted in facts.items():
            found: Any = json.loads(stored)
            for part in path.split("."):
                if isinstance(found, list):
                    found = found[int(part)] if int(part) < len(found) else None
                else:
                    found = (found or {}).get(part)
            assert found == wanted, f"{path} is {found!r}"

    # The coordinators.

    async def _desk(self, act: dict[str, str]) -> None:
        code, who = await self.code(), act.get("by", "Mei")
        if "claim" in act or "close" in act:
            label = await self.label("desk.button.claim" if "claim" in act else "desk.button.close")
            await self._act(self.world.desk.press(code, who, label))
            if "close" in act:
                await self._act(self.world.desk.press(code, who, await self.label("desk.closed_for.helped")))
        elif "reply" in act:
            target = await self.world.desk.find(code, act["to"])
            await self._act(self.world.desk.write(code, who, act["reply"], target["message_id"]))
        else:
            await self._act(self.world.desk.write(code, who, act.get("note") or f"/say {act['say']}"))

    async def _topic_sees(self, words: str) -> None:
        await self.world.desk.find(await self.code(), words)

    async def _topic_lacks(self, words: str) -> None:
        texts = [message.get("text", "") for message in await self.world.desk.texts(await self.code())]
        assert not any(words in text for text in texts), f"the topic holds {words!r}"

    # Helpers.

    async def label(self, say: str) -> str:
        """A button's label as this person reads it."""
        blocks = render(self.world.guide, Say("resume.open", {}, (Choice(say, {}),)), await self.voice(), 0)
        return str(blocks[-1]["choices"][0]["label"])

    async def voice(self) -> Voice:
        """How this person is spoken to."""
        ((stored,),) = await self.world.query("SELECT progress FROM cases WHERE id = :case", case=await self.case_id())
        known = json.loads(stored)
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
