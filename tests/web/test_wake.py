"""Notices inside the process."""

from __future__ import annotations

import asyncio

from bot.wake import Wake


async def test_a_notice_ends_the_wait():
    wake = Wake()
    waiting = asyncio.create_task(wake.wait("inbox", 60))
    await asyncio.sleep(0)
    wake.notify("inbox")
    assert await waiting is True


async def test_a_notice_for_something_else_does_not_end_the_wait():
    wake = Wake()
    waiting = asyncio.create_task(wake.wait("inbox", 0.05))
    await asyncio.sleep(0)
    wake.notify("outbox")
    assert await waiting is False


async def test_a_notice_between_looking_and_waiting_is_not_lost():
    wake = Wake()
    with wake.watch("inbox") as watch:
        wake.notify("inbox")
        assert await watch.wait(60) is True


async def test_one_notice_wakes_everyone_once():
    wake = Wake()
    with wake.watch("inbox") as one, wake.watch("inbox") as other:
        wake.notify("inbox")
        assert await one.wait(60) is True
        assert await other.wait(60) is True
        assert await one.wait(0) is False


async def test_nothing_is_kept_of_keys_that_nobody_waits_for():
    wake = Wake()
    wake.notify("gone")
    await wake.wait("gone", 0)
    assert wake._watches == {}


async def test_closing_wakes_everyone_and_stays():
    wake = Wake()
    with wake.watch("a") as one, wake.watch("b") as other:
        wake.close()
        assert await one.wait(60) is True
        assert await other.wait(60) is True
    assert wake.closed
