"""Waypoint's Telegram side as it runs: real use cases on a real SQLite file, the real client library, the sandbox.

Only time stands still: the sandbox, the use cases and the sender share one clock that tests put forward.
"""

from __future__ import annotations

import asyncio
import base64
import shutil
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from telegram import Bot
from telegram.request import HTTPXRequest

from bot import database, store
from bot.casework import Casework
from bot.channels.bot_api import Members
from bot.channels.sender import TelegramSender
from bot.channels.updates import Poller
from bot.dispatch import Dispatcher
from bot.engine import Engine
from bot.gateway import Gateway
from bot.guide import Guide
from bot.model import Base, Case, Conversation, Inbox, Outbox
from bot.settings import Settings
from bot.wake import Wake
from bot.watch import Watcher
from sandbox.clock import Clock
from sandbox.testing import ADA, GROUP_ID, MEI, Sandbox, running
from sandbox.webhooks import NO_CERTIFICATES
from sandbox.world import World
from tests.keys import keys

MONDAY = 1_800_000_000.0
DEADLINE = 15.0  # of a wait that is normally over at once
SECRET = "a secret of the tests alone, long enough"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

type Json = dict[str, Any]


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; fail with `what` when it does not come to pass."""
    end = time.monotonic() + DEADLINE
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"waited in vain: {what}")
        await asyncio.sleep(0.01)


def upload(content: bytes, name: str = "") -> Json:
    """A file as the sandbox's people send it."""
    return {"name": name, "content": base64.b64encode(content).decode()}


def words(text: str) -> Json:
    """A block of words."""
    return {"type": "text", "text": text}


def choices(*labels: str) -> Json:
    """A block of choices, before its buttons are issued."""
    parse = {"intent": "press", "entities": []}
    return {"type": "choices", "choices": [{"label": label, "parse": parse} for label in labels]}


def checklist(**states: str) -> Json:
    """A checklist's block."""
    items = [{"id": name, "label": name, "state": state, "state_label": state} for name, state in states.items()]
    done = sum(1 for state in states.values() if state == "have")
    return {"type": "checklist", "id": "records", "title": "Records", "done": done, "total": len(items), "items": items}


def labels(message: Json) -> list[list[str]]:
    """The buttons of a message, row by row."""
    return [[key["text"] for key in row] for row in message.get("reply_markup", {}).get("inline_keyboard", [])]


@dataclass
class Waypoint:
    """The bot process without its website, stepped by hand."""

    box: Sandbox
    clock: Clock
    db: AsyncEngine
    settings: Settings
    bot: Bot
    guide: Guide
    engine: Engine
    wake: Wake = field(default_factory=Wake)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """A fresh process: it knows what the database knows."""
        self.casework = Casework(
            database.sessions(self.db, keys()),
            self.guide,
            now=self.now,
            hours=self.settings.hours,
            membership=Members(self.bot, self.clock.now).membership,
        )
        self.poller = Poller(self.bot, self.casework, self.wake, self.settings, sleep=self._sleep)
        self.gateway = Gateway(self.casework, self.engine, self.wake)
        self.sender = TelegramSender(self.bot, self.casework, self.settings, now=self.clock.now)
        self.dispatcher = Dispatcher(self.casework, self.sender, self.wake)
        self.watcher = Watcher(self.casework, self.wake)

    async def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def now(self) -> datetime:
        """The clock as the use cases read it."""
        return datetime.fromtimestamp(self.clock.now(), UTC)

    async def receive(self) -> None:
        """Store every update that waits."""
        while await self.poller.run_once(timeout=0):
            pass

    async def settle(self) -> None:
        """Go on until nothing is left that can be done at this moment."""
        busy = True
        while busy:
            busy = bool(await self.poller.run_once(timeout=0))
            while await self.gateway.run_once():
                await self.gateway.idle()
                busy = True
            while await self.dispatcher.run_once():
                busy = True

    async def later(self, seconds: float) -> None:
        """Time passes; then go on."""
        self.clock.advance(seconds)
        await self.settle()

    async def rows[T: Base](self, table: type[T]) -> list[T]:
        """All rows of a table, in the order in which they were written."""
        async with self.casework.reading() as session:
            rows: list[Any] = list((await session.scalars(select(table))).all())
        return sorted(rows, key=lambda row: getattr(row, "number", None) or row.id)

    async def inbox(self) -> list[Inbox]:
        """What was stored, in order."""
        return await self.rows(Inbox)

    async def outbox(self) -> list[Outbox]:
        """What goes or went out, in order, apart from the board, which every change of a case brings up to date."""
        return [row for row in await self.rows(Outbox) if row.lane != "board"]

    async def execute(self, sql: str, *values: object) -> None:
        """Change the database behind the use cases' back."""
        async with self.db.begin() as connection:
            await connection.exec_driver_sql(sql, values)

    async def meet(self, person: int = ADA) -> str:
        """Somebody writes to the bot for the first time. Returns their conversation; the turn is taken as done."""
        await self.box.say(person, "Hello")
        await self.receive()
        await self.execute("UPDATE inbox SET state = 'done'")
        async with self.casework.reading() as session:
            conversation = await store.conversation_at(session, "telegram", str(person))
            assert conversation is not None
            return conversation.id

    async def say(
        self, conversation: str, *blocks: Json, role: str = "assistant", name: str = "", say: str = ""
    ) -> int:
        """Put words for a person into the outbox, the way the use cases do. Returns their number."""
        async with self.casework.transaction() as session:
            case, row = await self._of(session, conversation)
            return await self.casework.put(session, case, row, list(blocks), role=role, name=name, say=say)

    async def post(self, conversation: str, text: str, mark: str = "note") -> None:
        """Put words for the case's topic into the outbox."""
        async with self.casework.transaction() as session:
            case, _ = await self._of(session, conversation)
            await self.casework.post(session, case, text, mark=mark)

    async def enqueue(self, conversation: str, kind: str, payload: Json, lane: str, *, in_group: bool = False) -> None:
        """Put anything else into the outbox."""
        async with self.casework.transaction() as session:
            case, row = await self._of(session, conversation)
            await self.casework.send(
                session, kind, payload, lane=lane, case=case, conversation=None if in_group else row
            )

    async def _of(self, session: Any, conversation: str) -> tuple[Case, Conversation]:
        row = await store.conversation(session, conversation)
        assert row is not None
        case = await store.case(session, row.case_id, lock=True)
        assert case is not None
        return case, row

    async def change_cases(self, **values: object) -> None:
        """Set columns of every case, as a use case would: what is secret is sealed."""
        async with self.casework.transaction() as session:
            for case in (await session.scalars(select(Case))).all():
                for name, value in values.items():
                    setattr(case, name, value)

    async def case(self, conversation: str) -> Case:
        """The conversation's case as it stands."""
        async with self.casework.reading() as session:
            return (await self._of(session, conversation))[0]

    async def hand_off(self, person: int = ADA) -> Handed:
        """A person's case is handed over, and its topic is open."""
        conversation = await self.meet(person)
        async with self.casework.transaction() as session:
            case, _ = await self._of(session, conversation)
            case.consent, case.state, case.handed_off_at = "agreed", "waiting", self.now()
            await self.casework.open_topic(session, case)
        await self.settle()
        return Handed(self, person, conversation, await self.case(conversation))

    async def claimed(self, person: int = ADA) -> Handed:
        """A person's case that Mei has taken."""
        handed = await self.hand_off(person)
        await self.box.press(MEI, await handed.brief(), label=self.casework.words("desk.button.claim"))
        await self.settle()
        return handed


@dataclass
class Handed:
    """A case in the coordinators' group."""

    waypoint: Waypoint
    person: int
    conversation: str
    _case: Case

    @property
    def code(self) -> str:
        """The case's code."""
        return self._case.code

    async def case(self) -> Case:
        """The case as it stands."""
        return await self.waypoint.case(self.conversation)

    async def thread(self) -> int:
        """The case's topic."""
        topic = (await self.case()).topic_id
        assert topic is not None
        return topic

    async def brief(self) -> Json:
        """The message at the top of the topic."""
        number = (await self.case()).brief_message_id
        return next(message for message in await self.messages() if message["message_id"] == number)

    async def messages(self, chat: int = GROUP_ID) -> list[Json]:
        """What stands in the topic, apart from service messages."""
        found = await self.waypoint.box.messages(chat, thread=await self.thread())
        kinds = ("text", "photo", "document", "voice", "video", "video_note", "audio", "sticker", "location", "contact")
        return [m for m in found if not m["sandbox"]["deleted"] and any(kind in m for kind in kinds)]

    async def texts(self, chat: int = GROUP_ID) -> list[str]:
        """The words of the topic."""
        return [message.get("text") or message.get("caption") or "" for message in await self.messages(chat)]

    async def find(self, text: str) -> Json:
        """The topic's message that holds these words."""
        return next(m for m in await self.messages() if text in (m.get("text") or m.get("caption") or ""))

    async def write(self, who: int, text: str = "", **more: Any) -> Json:
        """A coordinator writes into the topic."""
        return await self.waypoint.box.say(who, text, chat=GROUP_ID, thread=await self.thread(), **more)

    async def reply(self, who: int, to: Json, text: str = "", **more: Any) -> Json:
        """A coordinator replies to a message of the topic."""
        return await self.waypoint.box.say(who, text, chat=GROUP_ID, reply_to=to["message_id"], **more)

    async def heard(self) -> list[str]:
        """What the person was told, oldest first."""
        found = await self.waypoint.box.messages(self.person)
        return [m.get("text") or m.get("caption") or "" for m in found if m["sandbox"]["from_bot"]]


@pytest.fixture(scope="session")
def guide() -> Guide:
    """The real guide."""
    return Guide.load()


@pytest.fixture(scope="session")
def fresh_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database with nothing in it, made once and copied for every test."""
    path = tmp_path_factory.mktemp("fresh") / "waypoint.db"
    asyncio.run(database.upgrade(f"sqlite+aiosqlite:///{path}", keys()))
    return path


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still on a Monday."""
    clock = Clock(lambda: MONDAY)
    clock.freeze(True)
    return clock


@pytest.fixture
async def box(clock: Clock) -> AsyncIterator[Sandbox]:
    """A simulated Telegram."""
    async with running(World(clock)) as box:
        # Time stands still here, so that the limit of all chats together would never be over.
        box.world.limits.overall_per_second = None
        yield box


@pytest.fixture
async def bot(box: Sandbox) -> AsyncIterator[Bot]:
    """The Bot API's real client."""

    def request() -> HTTPXRequest:
        return HTTPXRequest(connection_pool_size=32, read_timeout=5, httpx_kwargs={"verify": NO_CERTIFICATES})

    async with Bot(
        box.token,
        base_url=box.base_url,
        base_file_url=box.base_file_url,
        request=request(),
        get_updates_request=request(),
    ) as bot:
        yield bot


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with the sandbox's group."""
    return Settings(
        database_url=f"sqlite+aiosqlite:///{tmp_path}/waypoint.db",
        files_dir=tmp_path / "files",
        secret_key=SECRET,
        coordinators_chat_id=GROUP_ID,
        telegram_webhook_url="",
        group_sends_per_minute=20,
    )


@pytest.fixture
async def waypoint(
    tmp_path: Path, fresh_database: Path, box: Sandbox, bot: Bot, clock: Clock, settings: Settings, guide: Guide
) -> AsyncIterator[Waypoint]:
    """The bot process. No engine answers it: what the assistant says, the test says."""
    shutil.copy(fresh_database, tmp_path / "waypoint.db")
    settings.files_dir.mkdir()
    db = database.connect(settings.database_url)
    engine = Engine(("http://127.0.0.1:9",), "", 1.0)
    yield Waypoint(box, clock, db, settings, bot, guide, engine)
    await engine.close()
    await db.dispose()
