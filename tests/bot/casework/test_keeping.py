"""Kept no longer than needed: each kind of data goes when its time is over, and only then."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.casework import Casework, Inbound, Swept
from bot.keep import Keep
from bot.model import Conversation, DeskEvent, Inbox, Link
from bot.sweep import Sweeper
from tests.bot.casework.conftest import Arrives
from tests.bot.casework.people import Someone, everything, outbox
from tests.bot.casework.test_consent import PLANTED, nowhere, speaks
from tests.bot.casework.topic import Topic
from tests.bot.conftest import Clock

channels = pytest.mark.parametrize("channel", ["web", "telegram"])


async def count(casework: Casework, table: type) -> int:
    """How many rows a table has."""
    async with casework.reading() as session:
        return len((await session.scalars(select(table))).all())


@channels
async def test_drafts_of_who_never_agreed_live_24_hours(
    arrives: Arrives, casework: Casework, clock: Clock, db: AsyncEngine, channel: str
) -> None:
    person = await arrives(channel, "4815162342")
    await speaks(person)
    clock.pass_by(hours=23, minutes=59)
    assert (await casework.sweep()).drafts == 0
    assert PLANTED in (await person.case()).progress
    clock.pass_by(minutes=2)
    assert (await casework.sweep()).drafts == 1
    await nowhere(db)
    await nowhere(db, "4815162342")  # not even where they wrote from
    assert await count(casework, Conversation) == 0


async def test_who_writes_again_within_the_day_has_another_day(
    someone: Someone, casework: Casework, clock: Clock
) -> None:
    await speaks(someone)
    clock.pass_by(hours=23)
    await someone.write("oos", "still here")
    clock.pass_by(hours=23)
    assert await casework.sweep() == Swept()


async def test_who_comes_back_after_that_is_a_stranger_again(
    arrives: Arrives, casework: Casework, clock: Clock
) -> None:
    phone = await arrives("telegram", "42")
    await phone.start()
    await phone.press("choice.decline")
    clock.pass_by(hours=25)
    assert (await casework.sweep()).drafts == 1
    again = await arrives("telegram", "42")
    assert await again.start() == ["welcome.what", "welcome.consent"]


async def test_words_that_wait_for_an_answer_are_not_swept_away(
    someone: Someone, casework: Casework, clock: Clock
) -> None:
    await someone.start()
    turn = await someone.send(Inbound("text", text="the engine is away"))
    clock.pass_by(days=2)
    assert (await casework.sweep()).drafts == 0
    await someone.take(turn, "oos")
    assert await someone.events()


async def test_a_case_that_was_never_handed_over_goes_after_its_days(
    someone: Someone, casework: Casework, clock: Clock, db: AsyncEngine
) -> None:
    await someone.agree()
    await speaks(someone)
    clock.pass_by(days=179)
    assert (await casework.sweep()).talks == 0
    assert PLANTED in (await someone.case()).progress
    clock.pass_by(days=2)
    swept = await casework.sweep()
    assert (swept.talks, swept.files) == (1, 1)
    assert [row.payload["path"] for row in await outbox(casework, "unlink")]
    await nowhere(db)


async def test_an_open_case_is_kept_and_a_closed_one_goes_with_its_topic(
    waiting: Someone, held: Topic, casework: Casework, clock: Clock, db: AsyncEngine
) -> None:
    await speaks(waiting)
    await casework.topic_created((await waiting.case()).id, 77)
    clock.pass_by(days=1_000)
    assert (await casework.sweep()).cases == 0
    code = (await waiting.case()).code
    held.thread = 77
    await held.press("close.helped")
    clock.pass_by(days=364)
    assert (await casework.sweep()).cases == 0
    clock.pass_by(days=2)
    assert (await casework.sweep()).cases == 1
    await nowhere(db)
    assert [row.payload["topic_id"] for row in await outbox(casework, "topic.delete")] == [77]
    told = [row.payload["text"] for row in await outbox(casework, "group.post")]
    assert any(code in text and "deleted" in text for text in told)


async def test_who_was_promised_less_keeps_that_and_who_was_promised_more_gets_what_is_set(
    arrives: Arrives, casework: Casework, clock: Clock
) -> None:
    object.__setattr__(casework, "keep", Keep(days=30))
    first = await (await arrives()).agree()
    object.__setattr__(casework, "keep", Keep(days=90))
    second = await (await arrives()).agree()
    assert [(await person.case()).keep_days for person in (first, second)] == [30, 90]
    clock.pass_by(days=31)
    assert (await casework.sweep()).talks == 1
    object.__setattr__(casework, "keep", Keep(days=40))
    clock.pass_by(days=10)
    assert (await casework.sweep()).talks == 1


async def test_the_consent_says_how_long_it_is_kept(someone: Someone, casework: Casework) -> None:
    object.__setattr__(casework, "keep", replace(casework.keep, days=77, case_days=333))
    await someone.start()
    assert "77 days" in await someone.sees()
    assert "333 days" in await someone.sees()
    await someone.write("service.privacy")
    assert f"{casework.keep.draft_hours} hours" in await someone.sees()


async def test_records_of_delivery_links_and_figures_go_when_their_time_is_over(
    waiting: Someone, casework: Casework, clock: Clock
) -> None:
    await waiting.write("press", "", {"entity": "act", "value": "link"})
    assert await count(casework, Link) == 1
    assert await count(casework, Inbox) > 5
    clock.pass_by(days=31)
    swept = await casework.sweep()
    assert swept.deliveries > 5
    assert swept.expired == 1
    assert await count(casework, Inbox) == 0
    assert await waiting.events()  # what was said is the case's, and stays
    assert await outbox(casework, "topic.open")  # what waits to be sent stays, however old
    clock.pass_by(days=731)
    assert (await casework.sweep()).figures > 0
    assert await count(casework, DeskEvent) == 0


async def test_the_sweep_says_what_it_did_and_removes_files_that_nothing_refers_to(
    someone: Someone, casework: Casework, clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await speaks(someone)
    folder = tmp_path / "files"
    folder.mkdir()
    agreed = await Someone.arrives(casework)
    await agreed.agree()
    await agreed.upload(path="kept")
    now = clock().timestamp()
    for name, age in (("kept", 90_000), ("stray", 90_000), ("on_its_way", 600)):
        (folder / name).write_text(PLANTED)
        os.utime(folder / name, (now - age, now - age))
    clock.pass_by(hours=25)
    with caplog.at_level("INFO"):
        counts = await Sweeper(casework, folder, clock=lambda: now).run_once()
    assert (counts["drafts"], counts["stray files"]) == (1, 1)
    (sealed,) = await casework.kept_files()  # it lay there in clear text, and was sealed by the way
    assert PLANTED.encode() not in (folder / sealed).read_bytes()
    assert sorted(file.name for file in folder.iterdir()) == sorted([sealed, "kept", "on_its_way"])
    await Sweeper(casework, folder, clock=lambda: now).run_once()
    assert sorted(file.name for file in folder.iterdir()) == sorted([sealed, "on_its_way"])
    assert "1 drafts" in caplog.text
    assert PLANTED not in caplog.text


async def test_the_sweep_is_done_once_by_two_processes(someone: Someone, casework: Casework, clock: Clock) -> None:
    await someone.start()
    clock.pass_by(hours=25)
    (case, kind), *_ = await casework._over()
    swept = Swept()
    for _ in range(2):
        await casework._forget(case, kind, swept, [])
    assert swept.drafts == 1
    assert "steer" not in await everything(casework.sessions.kw["bind"])
