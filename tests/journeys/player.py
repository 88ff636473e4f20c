"""Plays a journey: a YAML file of what a person does and what must come of it, on one channel or over both.

Steps (one key each):
  write: words typed                       press: guide id of a label
  send: {file, caption}                    expect: guide ids, said in this order since the last act
  expect_not: guide ids not said           sees: words in what they see now      silent: nothing is said
  sees_not: words that stand nowhere in their chat
  away: days of silence                    move: go on at the other channel, by a one-time link
  known: {dotted path of the case's document: value}

Steps of the coordinators, who are Mei, an administrator of the group, and Luis, a member:
  desk: one of these, with by: Mei | Luis | [both at once]
    {claim: now}, {close: now}             {note: words}, {say: words}           {reply: words, to: words}
    {order: /command, to: words it replies to, in: general}                      {press: guide id of a label}
    {edit: words of a message, into: new words}                                  {react: 👎, to: words}
    {hand: close | delete}                 what they do to the topic itself in their Telegram
  told: words in what their presses were answered with, a list for several
  topic_sees / topic_lacks: words in the case's topic                            topic: open | closed | gone
  general_sees: words said in General since their last act
  exported: words in the newest file of the topic
  days_later: days that pass for their reminders

In words, {code} stands for the case's code, {holder} for who holds it, {receipt} for the receipt that the person has.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tests.journeys.desk_steps import DeskSteps
from tests.journeys.people import until


class Player(DeskSteps):
    """One journey in play."""

    # What the person does.

    async def _write(self, text: str) -> None:
        await self._act(self.person.write(text))

    async def _press(self, label: str) -> None:
        await self._act(self.person.press(await self.label(label)))

    async def _send(self, what: dict[str, str]) -> None:
        content = b"%PDF-1.4\n% a plainly fictional page\n%%EOF\n"
        await self._act(self.person.send(what["file"], content, what.get("caption", "")))

    async def _away(self, days: int) -> None:
        """Days pass: the case was last seen that long ago."""
        await self.world.last_seen(await self.case_id(), days)

    async def _move(self, channel: str) -> None:
        await self._act(self.person.write("/link"))
        code = re.search(r"(?:start=|link=)([A-Za-z0-9_-]{16,})", "\n".join(seen.text for seen in self.seen))
        assert code, f"no one-time link in {[seen.text for seen in self.seen]}"
        elsewhere = "telegram" if self.person.channel == "web" else "web"
        self.person = await self.world.new_person(elsewhere if channel == "other" else channel)
        self.last_message = 0  # every conversation counts its own
        await self._act(self.person.write(f"/start {code[1]}"))

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
        words = await self.filled(words)

        async def look() -> bool | None:
            if any(words in f"{seen.name}: {seen.text}" or words in seen.files for seen in self.seen):
                return True
            self.seen += await self.person.read()
            return None

        await until(look, f"{words!r}; they saw {[seen.text for seen in self.seen]}")

    async def _sees_not(self, words: str) -> None:
        """Whoever reads the whole chat again does not find these words."""
        standing = [f"{seen.name}: {seen.text}" for seen in await self.person.read_again()]
        assert not any(words in text for text in standing), f"they see {words!r}: {standing}"

    async def _known(self, facts: dict[str, Any]) -> None:
        stored = (await self.world.case(await self.case_id())).progress
        for path, wanted in facts.items():
            found: Any = json.loads(stored)
            for part in path.split("."):
                if isinstance(found, list):
                    found = found[int(part)] if int(part) < len(found) else None
                else:
                    found = (found or {}).get(part)
            assert found == wanted, f"{path} is {found!r}"
