"""The topic of a case, and what coordinators do in it."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from typing import Any

from bot.casework import Casework, DeskInbound
from tests.bot.casework.people import Someone, outbox

GROUP, TOPIC = -100_200, 77
BRIEF, PERSONS, NOTE = 500, 501, 502
MEI, TARIQ = (1, "Mei (sample)"), (2, "Tariq (sample)")
_updates = itertools.count(1)


class Topic:
    """The topic of a case: what coordinators do in it."""

    def __init__(self, casework: Casework, case: str) -> None:
        self.casework, self.case = casework, case

    @classmethod
    async def of(cls, person: Someone) -> Topic:
        """The topic of somebody's case, opened, with a brief, a message of theirs, and a note."""
        topic = cls(person.casework, (await person.case()).id)
        await person.casework.topic_created(topic.case, TOPIC)
        for message, mark in ((BRIEF, "brief"), (PERSONS, "person"), (NOTE, "note")):
            await person.casework.topic_posted(topic.case, GROUP, message, mark)
        return topic

    async def update(self, who: tuple[int, str] = MEI, kind: str = "message", **values: Any) -> str:
        """Store one update of the group. Returns its turn."""
        number = next(_updates)
        said = DeskInbound(kind, GROUP, TOPIC, 900 + number, who[0], who[1], **values)
        assert await self.casework.receive_desk(f"u{number}", asdict(said), TOPIC)
        due = await self.casework.due_turns(set())
        return next(turn for lane, turn in due if lane.startswith("desk:"))

    async def write(self, text: str, who: tuple[int, str] = MEI, **values: Any) -> list[str]:
        """Write in the topic. Returns the conversations that may have something new."""
        return await self.casework.desk_turn(await self.update(who, text=text, **values))

    async def press(self, act: str, who: tuple[int, str] = MEI) -> str:
        """Press a button of the card. Returns the words of the toast."""
        return await self.press_data(f"{act}:{self.case}", who)

    async def press_data(self, data: str, who: tuple[int, str] = MEI) -> str:
        """Press any button of the topic. Returns the words of the toast."""
        turn = await self.update(who, "press", data=data, callback_id=f"q{next(_updates)}")
        await self.casework.desk_turn(turn)
        return str((await outbox(self.casework, "callback"))[-1].payload["text"])

    async def posts(self) -> list[str]:
        """What waits to be posted into the topic."""
        return [row.payload["text"] for row in await outbox(self.casework, "topic.post")]


async def coordinators_words(person: Someone) -> list[tuple[str, str]]:
    """(who, what) of everything a coordinator said to them."""
    return [
        (event["name"], block.get("text", block.get("name")))
        for event in await person.events()
        if event["role"] == "coordinator"
        for block in event["blocks"]
    ]
