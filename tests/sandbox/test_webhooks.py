"""Updates by webhook: with the secret, in order, again until they are taken."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram.error import BadRequest

from sandbox.clock import Bell
from sandbox.server import serving
from sandbox.testing import ADA, BEN
from tests.sandbox.spec import of_type


@dataclass
class Receiver:
    """A webhook that notes what comes and answers what the test wants."""

    url: str = ""
    answer: Callable[[dict], int] = lambda _: 200
    seen: list[tuple[str, str | None]] = field(default_factory=list)
    bell: Bell = field(default_factory=Bell)

    async def receive(self, request: Request) -> Response:
        update = await request.json()
        assert of_type(update, "Update", "update") == []
        self.seen.append((update["message"]["text"], request.headers.get("x-telegram-bot-api-secret-token")))
        self.bell.ring()
        return Response(status_code=self.answer(update))

    async def texts(self, count: int) -> list[str]:
        """The texts received, once there are so many."""
        await self.bell.until(lambda: len(self.seen) >= count or None, 10)
        return [text for text, _ in self.seen]


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = Starlette(routes=[Route("/hook", receiver.receive, methods=["POST"])])
    async with serving(app, receiver.bell) as port:
        receiver.url = f"http://127.0.0.1:{port}/hook"
        yield receiver


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def nothing_waits(box):
    """Return when the webhook has taken everything."""
    assert await box.world.bell.until(lambda: not box.world.updates.pending() or None, 10)


async def failed(box, error):
    """Return when the failure of a delivery is noted."""
    assert await box.world.bell.until(lambda: (box.world.webhook.last_error or (0, ""))[1] == error or None, 10)


async def test_updates_are_posted_with_the_secret(box, bot, hook):
    await bot.set_webhook(hook.url, secret_token="s3cret_-")
    await box.say(ADA, "one")
    await box.say(ADA, "two")
    assert await hook.texts(2) == ["one", "two"]
    assert {secret for _, secret in hook.seen} == {"s3cret_-"}
    await nothing_waits(box)


async def test_what_waited_before_is_posted_too(box, bot, hook):
    await box.say(ADA, "early")
    await bot.set_webhook(hook.url)
    assert await hook.texts(1) == ["early"]


async def test_what_waited_before_can_be_dropped(box, bot, hook):
    await box.say(ADA, "early")
    await bot.set_webhook(hook.url, drop_pending_updates=True)
    await box.say(ADA, "late")
    assert await hook.texts(1) == ["late"]


async def test_a_refused_update_comes_again_after_growing_pauses(box, bot, hook, clock):
    world = box.world
    hook.answer = lambda _: 503
    await bot.set_webhook(hook.url)
    await box.say(ADA, "hear me")
    await box.say(ADA, "and then this")
    for tries, pause in ((1, 1), (2, 2), (3, 4)):
        # The pause that would come next is set when this one begins.
        assert await world.bell.until(
            lambda following=2 * pause: world.webhook.pauses.get(ADA) == following or None, 10
        )
        info = await bot.get_webhook_info()
        assert info.last_error_message == "Wrong response from the webhook: 503 Service Unavailable"
        assert info.pending_update_count == 2
        # Not a moment before the pause is over, and then at once.
        clock.advance(pause - 0.5)
        await box.get("state")
        assert len(hook.seen) == tries
        clock.advance(0.5)
    assert await world.bell.until(lambda: world.webhook.pauses.get(ADA) == 16 or None, 10)
    hook.answer = lambda _: 200
    clock.advance(8)
    assert await hook.texts(6) == ["hear me"] * 5 + ["and then this"]
    await nothing_waits(box)


async def test_one_chat_that_fails_does_not_hold_up_another(box, bot, hook):
    hook.answer = lambda update: 500 if update["message"]["from"]["id"] == ADA else 200
    await bot.set_webhook(hook.url)
    await box.say(ADA, "stuck")
    await box.say(BEN, "goes through")
    assert set(await hook.texts(2)) == {"stuck", "goes through"}


async def test_a_webhook_that_is_down_gets_everything_when_it_is_back(box, bot, hook, clock):
    await bot.set_webhook("http://127.0.0.1:9/nobody")
    await box.say(ADA, "are you there?")
    await failed(box, "Connection refused")
    await bot.set_webhook(hook.url)
    assert await hook.texts(1) == ["are you there?"]


@pytest.mark.parametrize("url", ["https://example.org/hook", "ftp://127.0.0.1/", "nonsense", "http://["])
async def test_only_loopback_addresses_are_posted_to(bot, url):
    with pytest.raises(BadRequest, match="only posts to"):
        await bot.set_webhook(url)


async def test_a_secret_with_odd_characters_is_refused(bot):
    with pytest.raises(BadRequest, match="Secret token contains unallowed characters"):
        await bot.set_webhook("http://127.0.0.1:9/hook", secret_token="with space")
