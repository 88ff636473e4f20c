"""People at the two channels, as casework sees them: what they send is received, taken as a turn, and read back."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncEngine

from actions.turns import heard
from bot import database
from bot.casework import Casework, FileRef, Inbound
from bot.keyring import SECRETS
from bot.model import Base, Case, Conversation, Outbox
from bot.progress import Progress
from bot.render import Say
from bot.store import case as case_of
from bot.store import conversation as conversation_of
from tests.bot.rules import decisions
from tests.keys import keys

_numbers = itertools.count(1)


@dataclass
class Someone:
    """One conversation of one person."""

    casework: Casework
    conversation: str
    channel: str
    address: str
    seen: int = 0
    files: list[str] = field(default_factory=list)

    @classmethod
    async def arrives(cls, casework: Casework, channel: str = "web", address: str = "") -> Someone:
        """Somebody opens a conversation."""
        address = address or f"{next(_numbers):06}"
        return cls(casework, await casework.open_conversation(channel, address), channel, address)

    # What they do.

    async def send(self, inbound: Inbound, external: str = "") -> str:
        """Send something. Returns its turn, which nobody has taken yet."""
        return (await self.casework.receive(self.conversation, external or f"m{next(_numbers)}", inbound)).turn

    async def write(self, intent: str, text: str = "some words", *entities: dict[str, Any]) -> list[str]:
        """Type words that the engine takes for `intent`. Returns the ids that are said."""
        turn = await self.send(Inbound("text", text=text))
        return await self.take(turn, intent, text, *entities)

    async def take(self, turn: str, intent: str, text: str = "", *entities: dict[str, Any]) -> list[str]:
        """Have a turn taken, as the engine's action does. Returns the ids that are said."""
        latest = {"text": text, "intent": {"name": intent, "confidence": 0.9}, "entities": list(entities)}
        return ids(await self.casework.take_turn(turn, heard(latest), decisions()[intent]))

    async def press(self, label: str) -> list[str]:
        """Press the newest button that is alive and bears the words of a guide entry."""
        return await self.push(await self.button(label))

    async def push(self, button: str) -> list[str]:
        """Press a button by its id. Returns the ids that are said."""
        turn = await self.send(Inbound("choice", choice=button))
        pending = await self.casework.pending(turn)
        assert pending is not None
        if pending.pressed is None:
            return ids(await self.casework.speak(turn, Say("choice.stale")))
        return await self.take(turn, pending.pressed["intent"], "", *pending.pressed["entities"])

    async def start(self) -> list[str]:
        """`/start`."""
        return await self.take(await self.send(Inbound("start")), "start")

    async def upload(self, name: str = "biopsy.pdf", caption: str = "", **file: Any) -> list[str]:
        """Send a file; from the web it lies in our folder."""
        place = {"path": f"{next(_numbers)}.pdf"} if self.channel == "web" else {"telegram_file_id": name}
        ref = FileRef(name=name, mime="application/pdf", size=10, kind="document", **{**place, **file})
        turn = await self.send(Inbound("file", text=caption, files=(ref,)))
        pending = await self.casework.pending(turn)
        assert pending is not None
        self.files += pending.file_ids
        entities = [{"entity": "file", "value": file} for file in pending.file_ids]
        return await self.take(turn, "file", "", *entities, {"entity": "caption", "value": caption})

    async def agree(self) -> Someone:
        """Past the welcome."""
        await self.start()
        await self.press("choice.agree")
        await self.press("choice.self")
        return self

    async def hand_off(self) -> Someone:
        """Agreed, and the case is with the coordinators."""
        await self.agree()
        await self.press("choice.ask")
        await self.write("control.human")
        await self.write("words", "Samira")
        for _ in range(3):
            await self.write("control.skip")
        assert "handoff.sent" in await self.press("choice.send")
        return self

    # What they see.

    async def events(self, after: int = 0) -> list[dict[str, Any]]:
        """Their transcript."""
        return await self.casework.events_after(self.conversation, after, limit=1_000)

    async def news(self) -> list[dict[str, Any]]:
        """What came since they last looked."""
        events = await self.events(self.seen)
        self.seen = events[-1]["seq"] if events else self.seen
        return events

    async def sees(self) -> str:
        """All the words in their transcript that were not their own."""
        blocks = [block for event in await self.events() if event["role"] != "patient" for block in event["blocks"]]
        return "\n".join(block.get("text", "") for block in blocks)

    async def button(self, label: str) -> str:
        """The id of the newest living button with these words."""
        words = self.casework.guide.entry(label).variants[0]
        for event in reversed(await self.events()):
            for block in event["blocks"]:
                if block["type"] == "choices" and not block.get("used"):
                    for choice in block["choices"]:
                        if choice["label"].casefold() == words.casefold():
                            return str(choice["id"])
        raise AssertionError(f"no living button {label}")

    # What is known of them.

    async def case(self) -> Case:
        """Their case, as it stands."""
        async with self.casework.reading() as session:
            row = await conversation_of(session, self.conversation)
            assert row is not None
            case = await case_of(session, row.case_id)
            assert case is not None
            return case

    async def progress(self) -> Progress:
        """Their document, as it stands."""
        return Progress.model_validate_json((await self.case()).progress)

    async def known(self, **facts: Any) -> None:
        """Let something be known already, as if it had been told before."""
        async with self.casework.transaction() as session:
            case = await case_of(session, (await self.case()).id, lock=True)
            assert case is not None
            progress = Progress.model_validate_json(case.progress)
            case.progress = progress.model_copy(update=facts).model_dump_json()

    async def row(self) -> Conversation:
        """Their conversation's row."""
        async with self.casework.reading() as session:
            row = await conversation_of(session, self.conversation)
            assert row is not None
            return row


def ids(says: list[Say]) -> list[str]:
    """The ids of what was said."""
    return [say.say for say in says]


async def outbox(casework: Casework, *kinds: str) -> list[Outbox]:
    """What waits to go out, oldest first."""
    async with casework.reading() as session:
        rows = (await session.scalars(select(Outbox).where(Outbox.state == "due").order_by(Outbox.id))).all()
    return [row for row in rows if not kinds or row.kind in kinds]


async def everything(db: AsyncEngine) -> str:
    """Every value of every row of every table, as one text, sealed and opened: whatever is kept can be found in it."""
    async with db.connect() as connection:
        found = []
        for table in Base.metadata.sorted_tables:
            rows = (await connection.execute(sql(f'SELECT * FROM "{table.name}"'))).all()  # noqa: S608
            found += [f"{table.name}: {tuple(row)}" for row in rows]  # a row itself prints cut off
    async with database.sessions(db, keys())() as session:
        for model, secrets in SECRETS.items():
            for row in (await session.scalars(select(model))).all():
                found.append(f"{model.__tablename__}: {[getattr(row, name) for name in secrets]}")
    return "\n".join(found)
