"""How much may be asked in a short time."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from bot.channels.web_http import ApiError
from bot.channels.web_limits import BY_ADDRESS, BY_CONVERSATION, MAX_KEYS, Limits


class Clock:
    """A clock that is moved by hand."""

    time = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.time


def asked_from(address: str) -> Request:
    """A request from an address."""
    return Request({"type": "http", "client": (address, 1), "headers": []})


def refused(limits: Limits, what: str, request: Request, conversation: str = "", amount: float = 1) -> str:
    """The seconds to wait that a refusal names; "" when it is not refused."""
    try:
        limits.take(what, request, conversation, amount)
    except ApiError as error:
        return (error.headers or {})["Retry-After"] if (error.status, error.code) == (429, "too_much") else error.code
    return ""


@pytest.mark.parametrize("what", BY_CONVERSATION)
def test_one_conversation_may_ask_so_much_at_once_and_then_waits(what: str):
    clock = Clock()
    limits, request, limit = Limits(clock), asked_from("127.0.0.1"), BY_CONVERSATION[what]
    assert not refused(limits, what, request, "one", limit.burst)
    assert refused(limits, what, request, "one")
    assert not refused(limits, what, request, "another")
    clock.time += 60
    assert not refused(limits, what, request, "one", limit.per_minute)


def test_what_was_refused_does_not_count():
    clock = Clock()
    limits, request, limit = Limits(clock), asked_from("127.0.0.1"), BY_CONVERSATION["messages"]
    limits.take("messages", request, "one", limit.burst)
    waits = {refused(limits, "messages", request, "one") for _ in range(100)}
    assert waits == {"1"}
    clock.time += 1
    assert not refused(limits, "messages", request, "one")


def test_one_address_is_limited_whatever_tokens_it_has():
    limits, request = Limits(Clock()), asked_from("203.0.113.7")
    for number in range(int(BY_ADDRESS["messages"].burst)):
        limits.take("messages", request, f"conversation {number}")
    assert refused(limits, "messages", request, "one more")
    assert not refused(limits, "messages", asked_from("203.0.113.8"), "one more")


def test_many_addresses_of_one_network_are_one():
    limits = Limits(Clock())
    limits.take("sessions", asked_from("2001:db8::1"), amount=BY_ADDRESS["sessions"].burst)
    assert refused(limits, "sessions", asked_from("2001:db8::ffff:2"))
    assert not refused(limits, "sessions", asked_from("2001:db8:0:1::1"))


def test_a_proxy_that_does_not_say_for_whom_it_asks_is_not_taken_for_one_person():
    limits = Limits(Clock())
    assert not refused(limits, "sessions", asked_from("127.0.0.1"), amount=10 * BY_ADDRESS["sessions"].burst)


def test_what_is_counted_does_not_fill_the_memory():
    limits, request = Limits(Clock()), asked_from("127.0.0.1")
    for number in range(MAX_KEYS + 10):
        limits.take("messages", request, str(number))
    assert len(limits._levels) == MAX_KEYS
