"""Polling: stored first, confirmed then; what goes wrong costs no update and lets none through twice."""

from __future__ import annotations

import asyncio
import logging

import pytest
from telegram import Bot
from telegram.error import Conflict, InvalidToken

from bot.casework import Casework
from bot.channels.updates import PAUSES, TROUBLE, USERNAME, Again, Poller
from bot.model import Message
from sandbox.testing import ADA, BEN, Sandbox
from tests.bot.conftest import locked
from tests.telegram.conftest import Waypoint, until


async def texts(waypoint: Waypoint) -> list[str]:
    return [row.payload["text"] for row in await waypoint.inbox()]


async def test_updates_are_confirmed_only_after_they_were_stored(waypoint: Waypoint, box: Sandbox) -> None:
    await box.say(ADA, "Hello")
    assert await waypoint.poller.run_once(timeout=0) == 1
    assert len(box.world.updates.pending()) == 1  # stored, and Telegram would still send it again
    await waypoint.poller.run_once(timeout=0)
    assert box.world.updates.pending() == []


async def test_a_process_killed_between_storing_and_confirming_stores_nothing_twice(
    waypoint: Waypoint, box: Sandbox
) -> None:
    for text in ("One", "Two"):
        await box.say(ADA, text)
    await waypoint.poller.run_once(timeout=0)
    waypoint.start()
    assert await waypoint.poller.run_once(timeout=0) == 2
    assert await texts(waypoint) == ["One", "Two"]
    assert len(await waypoint.rows(Message)) == 2


async def test_a_batch_that_breaks_off_goes_on_where_it_was(waypoint: Waypoint, box: Sandbox) -> None:
    for person, text in ((ADA, "One"), (BEN, "Two"), (ADA, "Three")):
        await box.say(person, text)
    await away(waypoint, "(SELECT count(*) FROM inbox) = 1")
    with pytest.raises(Again):
        await waypoint.poller.run_once(timeout=0)
    assert await texts(waypoint) == ["One"]
    await back(waypoint)
    await waypoint.receive()
    assert await texts(waypoint) == ["One", "Two", "Three"]


async def away(waypoint: Waypoint, rows: str = "1", also: str = "facts") -> None:
    """The database refuses to store these rows of the inbox, and everything of another table."""
    refuse = "BEGIN SELECT RAISE(ABORT, 'away'); END"
    await waypoint.execute(f"CREATE TRIGGER a BEFORE INSERT ON inbox WHEN {rows} {refuse}")
    if also:
        await waypoint.execute(f"CREATE TRIGGER b BEFORE INSERT ON {also} {refuse}")
        await waypoint.execute(f"CREATE TRIGGER c BEFORE UPDATE ON {also} {refuse}")


async def back(waypoint: Waypoint) -> None:
    for name in ("a", "b", "c"):
        await waypoint.execute(f"DROP TRIGGER IF EXISTS {name}")


async def test_while_the_database_is_away_no_update_is_given_up(waypoint: Waypoint, box: Sandbox) -> None:
    await box.say(ADA, "Hello")
    await away(waypoint)
    for _ in range(10):
        with pytest.raises(Again):
            await waypoint.poller.run_once(timeout=0)
    await back(waypoint)
    await waypoint.receive()
    assert await texts(waypoint) == ["Hello"]


async def test_an_update_that_alone_cannot_be_stored_is_skipped_in_the_end(
    waypoint: Waypoint, box: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    await box.say(ADA, "a poisoned word")
    await box.say(BEN, "Hello")
    (number, _) = [update.id for update in box.world.updates.pending()]
    await away(waypoint, f"new.external_id = '{number}'", also="")
    for _ in range(2):
        with pytest.raises(Again):
            await waypoint.poller.run_once(timeout=0)
    await waypoint.receive()
    assert await texts(waypoint) == ["Hello"]
    assert await waypoint.casework.fact(TROUBLE) == str(number)
    assert f"update {number} was skipped" in caplog.text
    assert "poisoned" not in caplog.text


async def test_an_update_that_meets_a_busy_database_again_and_again_is_never_given_up(
    waypoint: Waypoint, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await box.say(ADA, "Hello")
    busy, receive = await locked(waypoint.db), Casework.receive

    async def hindered(*_: object) -> None:
        raise busy

    monkeypatch.setattr(Casework, "receive", hindered)
    for _ in range(10):
        with pytest.raises(Again):
            await waypoint.poller.run_once(timeout=0)
    monkeypatch.setattr(Casework, "receive", receive)
    await waypoint.receive()
    assert await texts(waypoint) == ["Hello"]


async def test_an_update_that_cannot_be_read_is_skipped_at_once_without_logging_words(
    waypoint: Waypoint, box: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    box.world.updates.add("message", {"text": "a secret word"}, ADA)
    (number,) = [update.id for update in box.world.updates.pending()]
    await box.say(ADA, "Hello")
    with caplog.at_level(logging.WARNING):
        await waypoint.receive()
    assert await texts(waypoint) == ["Hello"]
    assert f"update {number} was skipped" in caplog.text
    assert "secret" not in caplog.text


async def test_kinds_of_updates_that_nobody_knows_yet_are_passed_over(waypoint: Waypoint, box: Sandbox) -> None:
    box.world.updates.allowed = ("message", "thought")
    box.world.updates.add("thought", {"id": 1}, ADA)
    await box.say(ADA, "Hello")
    await waypoint.receive()
    assert await texts(waypoint) == ["Hello"]


async def test_it_asks_for_no_kind_of_update_that_it_does_not_use(waypoint: Waypoint, box: Sandbox) -> None:
    await waypoint.poller.run_once(timeout=0)
    assert box.world.updates.allowed == (
        "message",
        "edited_message",
        "callback_query",
        "message_reaction",
        "my_chat_member",
        "chat_member",
    )


async def test_stored_updates_wake_the_gateway(waypoint: Waypoint, box: Sandbox) -> None:
    await box.say(ADA, "Hello")
    with waypoint.wake.watch("inbox") as watch:
        await waypoint.poller.run_once(timeout=0)
        assert await watch.wait(0)


class Pauses:
    """Stands for sleeping: notes how long, and ends what runs after enough of it."""

    def __init__(self, enough: int) -> None:
        self.taken: list[float] = []
        self._enough = enough

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        if len(self.taken) == self._enough:
            raise asyncio.CancelledError


def polling(waypoint: Waypoint, pauses: Pauses, bot: Bot | None = None) -> Poller:
    return Poller(bot or waypoint.bot, waypoint.casework, waypoint.wake, waypoint.settings, sleep=pauses)


@pytest.mark.parametrize("fault", [{"code": 409}, {"code": 500}, {"code": 502}, {"answer": "drop"}])
async def test_it_pauses_longer_and_longer_while_telegram_is_in_trouble(
    waypoint: Waypoint, box: Sandbox, fault: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    await box.post("faults", method="getUpdates", times=100, **fault)
    pauses = Pauses(8)
    with pytest.raises(asyncio.CancelledError):
        await polling(waypoint, pauses).run()
    assert pauses.taken == [*PAUSES, PAUSES[-1], PAUSES[-1]]
    assert len([record for record in caplog.records if "trying again in" in record.message]) == 8
    assert box.token not in caplog.text


async def test_it_waits_as_long_as_telegram_says(waypoint: Waypoint, box: Sandbox) -> None:
    await box.post("faults", method="getUpdates", code=429, retry_after=17)
    await box.post("faults", method="getUpdates", code=500)
    pauses = Pauses(2)
    with pytest.raises(asyncio.CancelledError):
        await polling(waypoint, pauses).run()
    assert pauses.taken[0] == 17


async def test_a_token_that_telegram_does_not_know_ends_it_with_a_sentence(
    waypoint: Waypoint, box: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    await box.post("faults", method="getUpdates", code=401)
    await polling(waypoint, Pauses(1)).run()
    assert "Ask @BotFather" in caplog.text


async def test_while_telegram_is_away_at_the_start_it_greets_later(waypoint: Waypoint, box: Sandbox) -> None:
    await box.post("faults", method="getMe", code=500, times=2)
    await box.post("faults", method="getUpdates", code=500, times=100)
    pauses = Pauses(3)
    with pytest.raises(asyncio.CancelledError):
        await polling(waypoint, pauses).run()
    assert await waypoint.casework.fact(USERNAME) == "waypoint_sandbox_bot"


async def test_it_sets_the_menu_and_takes_an_old_webhook_away(waypoint: Waypoint, box: Sandbox) -> None:
    await waypoint.bot.set_webhook("http://127.0.0.1:9/old")
    with pytest.raises(Conflict):
        await waypoint.poller.run_once(timeout=0)
    running = asyncio.create_task(waypoint.poller.run())
    await box.say(ADA, "Hello")
    with waypoint.wake.watch("inbox") as watch:
        assert await watch.wait(10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await texts(waypoint) == ["Hello"]
    call, *of_the_group = await box.calls("setMyCommands")
    assert [each["params"]["scope"]["type"] for each in of_the_group] == ["chat", "chat_administrators"]
    assert call["params"]["scope"] == {"type": "all_private_chats"}
    assert [command["command"] for command in call["params"]["commands"]] == [
        "start",
        "status",
        "back",
        "human",
        "link",
        "stop",
        "restart",
        "mydata",
        "delete",
    ]


async def test_another_bots_token_is_refused(waypoint: Waypoint, box: Sandbox) -> None:
    stranger = Bot("1000002:other", base_url=box.base_url, request=waypoint.bot.request)
    poller = Poller(stranger, waypoint.casework, waypoint.wake, waypoint.settings)
    with pytest.raises(InvalidToken):
        await poller.run_once(timeout=0)


async def test_it_goes_on_after_the_trouble_is_over(waypoint: Waypoint, box: Sandbox) -> None:
    await box.post("faults", method="getUpdates", code=500, times=3)
    await box.say(ADA, "Hello")
    running = asyncio.create_task(waypoint.poller.run())
    with waypoint.wake.watch("inbox") as watch:
        assert await watch.wait(10)
    await until(lambda: not box.world.updates.pending(), "the confirmation")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await texts(waypoint) == ["Hello"]
