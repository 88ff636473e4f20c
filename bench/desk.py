"""The coordinators' desk under load: `python -m bench --desk`.

Sixty open cases, ten coordinators, two messages a second in each direction, and Telegram's limit of twenty messages a
minute for the group. The real use cases, the real client library and the simulated Telegram share one clock, which is
put forward step by step: what is measured is how long words wait for the limit, not how fast this machine is.
"""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import cast

from telegram import Bot

from bench.measure import percentile
from bot import database, store
from bot.casework import Casework
from bot.channels.bot_api import client
from bot.channels.sender import TelegramSender
from bot.channels.updates import Poller
from bot.dispatch import Dispatcher
from bot.engine import Engine
from bot.gateway import Gateway
from bot.guide import Guide
from bot.keyring import Keyring
from bot.model import Case, Conversation
from bot.settings import Settings
from bot.wake import Wake
from sandbox.chats import Member, Message
from sandbox.clock import Clock
from sandbox.testing import GROUP_ID, Sandbox, running
from sandbox.world import World

CASES, COORDINATORS = 60, 10
SECONDS = 120  # of traffic
STEP = 0.5  # seconds of the clock between two messages in each direction
PATIENCE = 30 * 60  # seconds of the clock, after which what has not arrived is lost
NOWHERE = "http://127.0.0.1:9"  # no engine: cases that people hold need none
TOKEN = re.compile(r"\bm(\d{5})\b")


@dataclass
class Direction:
    """What went one way: when each message was sent and seen, by its number; and what is wrong with that."""

    sent: dict[int, float] = field(default_factory=dict)
    case: dict[int, int] = field(default_factory=dict)
    seen: dict[int, float] = field(default_factory=dict)
    shown: dict[int, list[int]] = field(default_factory=dict)  # by case: the numbers as they stand, in order

    @property
    def lost(self) -> int:
        """Messages that never came."""
        return len(self.sent.keys() - self.seen.keys())

    @property
    def doubled(self) -> int:
        """Messages that came more than once."""
        return sum(len(numbers) - len(set(numbers)) for numbers in self.shown.values())

    @property
    def out_of_order(self) -> int:
        """Messages that came before one of the same case that was sent earlier."""
        return sum(1 for numbers in self.shown.values() for a, b in pairwise(numbers) if a > b)

    def waits(self) -> list[float]:
        """How long each message took, in seconds of the clock."""
        return sorted(self.seen[number] - at for number, at in self.sent.items() if number in self.seen)

    def row(self) -> dict[str, float]:
        """The figures."""
        waits = self.waits()
        return {
            "messages": len(self.sent),
            "p50": percentile(waits, 50),
            "p95": percentile(waits, 95),
            "lost": self.lost,
            "doubled": self.doubled,
            "out_of_order": self.out_of_order,
        }


async def measure(tell: Callable[[str], None], *, seconds: int = SECONDS, cases: int = CASES) -> dict[str, Direction]:
    """Run the traffic and wait until all of it has arrived. Returns both directions by name."""
    clock = Clock(lambda: 1_800_000_000.0)
    clock.freeze(True)
    with tempfile.TemporaryDirectory(prefix="waypoint-desk-") as folder:
        async with running(World(clock)) as box:
            bench = Bench(box, clock, Path(folder), cases)
            try:
                await bench.open(tell)
                return await bench.run(tell, seconds)
            finally:
                await bench.close()


class Bench:
    """The bot process without its website, stepped by hand."""

    def __init__(self, box: Sandbox, clock: Clock, folder: Path, cases: int) -> None:
        self._box, self._clock, self._dice = box, clock, random.Random(1)  # noqa: S311
        settings = Settings(
            database_url=f"sqlite+aiosqlite:///{folder}/waypoint.db",
            files_dir=folder / "files",
            secret_key="only of this measurement, long enough",  # noqa: S106
            data_key="only of this measurement, and long enough",
            telegram_bot_token=box.token,
            telegram_api_base=box.url,
            coordinators_chat_id=GROUP_ID,
        )
        self._settings = settings
        self._db = database.connect(settings.database_url)
        self._keys = Keyring(settings.data_keys)
        casework = self._casework = Casework(database.sessions(self._db, self._keys), Guide.load(), now=self._now)
        bot = self._bot = cast("Bot", client(settings))
        wake, self._engine = Wake(), Engine((NOWHERE,), "", 1.0)
        self._poller = Poller(bot, casework, wake, settings)
        self._gateway = Gateway(casework, self._engine, wake)
        self._dispatcher = Dispatcher(casework, TelegramSender(bot, casework, settings, now=clock.now), wake)
        self._people = [box.world.add_person(f"Person {n}", "(sample)").id for n in range(cases)]
        self._coordinators = [box.world.add_person(f"Coordinator {n}", "(sample)").id for n in range(COORDINATORS)]
        group = box.world.chats[GROUP_ID]
        for number in self._coordinators:
            group.members[number] = Member(box.world.people[number], "administrator")
        self._topics: list[tuple[int, int]] = []  # of each case: its topic, its card
        self._looked = dict[int, int]()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    async def close(self) -> None:
        """Let go of everything."""
        await self._engine.close()
        await self._bot.request.shutdown()
        await self._db.dispose()

    async def _settle(self) -> None:
        busy = True
        while busy:
            busy = bool(await self._poller.run_once(timeout=0))
            while await self._gateway.run_once():
                await self._gateway.idle()
                busy = True
            while await self._dispatcher.run_once():
                busy = True

    async def open(self, tell: Callable[[str], None]) -> None:
        """Every case is handed over and taken, and its topic stands; the limit holds here, too."""
        await database.upgrade(self._settings.database_url, self._keys)
        ids = []
        for person in self._people:
            await self._box.say(person, "Hello")  # bots cannot write first
            conversation = await self._casework.open_conversation("telegram", str(person))
            async with self._casework.transaction() as session:
                row = cast("Conversation", await store.conversation(session, conversation))
                case = cast("Case", await store.case(session, row.case_id))
                case.consent, case.state, case.handed_off_at = "agreed", "claimed", self._now()
                case.holder_id, case.holder_name = self._coordinators[0], "Coordinator 0 (sample)"
                await self._casework.open_topic(session, case)
                ids.append(case.id)
        for minute in range(60):
            await self._settle()
            cards = [await self._casework.card(case) for case in ids]
            self._topics = [(c.topic_id, c.message_id) for c in cards if c and c.topic_id and c.message_id]
            if len(self._topics) == len(ids):
                tell(f"{len(ids)} topics stand after {minute} minutes of the clock")
                self._clock.advance(120)  # the group's minute is empty again
                return
            self._clock.advance(60)
        raise TimeoutError("the topics do not stand after an hour of the clock")

    async def run(self, tell: Callable[[str], None], seconds: int) -> dict[str, Direction]:
        """The traffic, and then the wait for what is on its way."""
        to_topic, to_person = Direction(), Direction()
        for step in range(int(seconds / STEP)):
            await self._person_writes(to_topic, step)
            await self._coordinator_writes(to_person, step)
            await self._look(to_topic, to_person)
            self._clock.advance(STEP)
            if step % 40 == 0:
                tell(f"{step * STEP:.0f} of {seconds} seconds, {to_topic.lost} words on their way to the group")
        waited = 0.0
        while (to_topic.lost or to_person.lost) and waited < PATIENCE:
            self._clock.advance(1)
            waited += 1
            await self._look(to_topic, to_person)
        tell(f"All is said; the last words came {waited:.0f} seconds later")
        return {"from a person to the topic": to_topic, "from a coordinator to the person": to_person}

    async def _person_writes(self, way: Direction, number: int) -> None:
        case = self._dice.randrange(len(self._people))
        way.sent[number], way.case[number] = self._clock.now(), case
        await self._box.say(self._people[case], f"m{number:05} is what I wanted to say")

    async def _coordinator_writes(self, way: Direction, number: int) -> None:
        case = self._dice.randrange(len(self._people))
        way.sent[number], way.case[number] = self._clock.now(), case
        who, card = self._dice.choice(self._coordinators), self._topics[case][1]
        await self._box.say(who, f"m{number:05} is my answer", chat=GROUP_ID, reply_to=card)

    async def _look(self, to_topic: Direction, to_person: Direction) -> None:
        await self._settle()
        in_group = self._new(GROUP_ID)
        for case, (topic, _) in enumerate(self._topics):
            self._note(to_topic, case, (m for m in in_group if m.thread == topic))
            self._note(to_person, case, self._new(self._people[case]))

    def _new(self, chat: int) -> list[Message]:
        """What our bot has written into a chat since the last look."""
        messages = self._box.world.chats[chat].messages
        found = [m for number, m in messages.items() if number > self._looked.get(chat, 0)]
        self._looked[chat] = max(messages, default=0)
        return [m for m in found if m.sender.id == self._box.world.bot.id]

    def _note(self, way: Direction, case: int, messages: Iterable[Message]) -> None:
        for message in messages:
            for token in TOKEN.findall(str(message.content.get("text", ""))):
                number = int(token)
                way.shown.setdefault(case, []).append(number)
                if way.case.get(number) == case:
                    way.seen.setdefault(number, self._clock.now())
