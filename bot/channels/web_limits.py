"""How much one browser, and one address, may ask of the website's interface: leaky buckets in this process's memory.

They are far above what a person does, and stop a program that runs wild. A clinic may have hundreds of people behind
one address, so an address may do much more than a conversation. Our own machine is not limited by its address: either
it is a program of ours, or a proxy that does not say for whom it asks, and then it would stand for everybody.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from bot.channels.web_http import ApiError

MAX_KEYS = 20_000  # then whoever was quiet for longest is forgotten
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Limit:
    """At most `burst` at once, and `per_minute` in the long run."""

    burst: float
    per_minute: float


BY_CONVERSATION = {
    "messages": Limit(600, 120),
    "files": Limit(40, 10),
    "bytes": Limit(400 * MEGABYTE, 40 * MEGABYTE),
    "streams": Limit(3000, 1800),  # requests for events
}
BY_ADDRESS = {
    "sessions": Limit(200, 60),
    "messages": Limit(6000, 1200),
    "files": Limit(400, 100),
    "bytes": Limit(4000 * MEGABYTE, 400 * MEGABYTE),
    "streams": Limit(30_000, 18_000),
}


class Limits:
    """Counts what was asked. `now` is a clock in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._levels: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def take(self, what: str, request: Request, conversation: str = "", amount: float = 1) -> None:
        """Count something that is asked now. Raises ApiError, with the time to wait, when it is too much."""
        address = request.client.host if request.client is not None else ""
        buckets = []
        if conversation and what in BY_CONVERSATION:
            buckets.append((BY_CONVERSATION[what], (what, conversation)))
        if address and not _is_own(address):
            buckets.append((BY_ADDRESS[what], (what, _network(address))))
        waits = [self._wait(limit, key, amount) for limit, key in buckets]
        if any(waits):
            message = "That was very much in a short time. Please wait a moment; then it goes on."
            raise ApiError(429, "too_much", message, {"Retry-After": str(math.ceil(max(waits)))})
        for limit, key in buckets:
            self._levels[key] = (self._level(limit, key) + amount, self._now())
            self._levels.move_to_end(key)
        while len(self._levels) > MAX_KEYS:
            self._levels.popitem(last=False)

    def _level(self, limit: Limit, key: tuple[str, str]) -> float:
        level, since = self._levels.get(key, (0.0, 0.0))
        return max(0.0, level - (self._now() - since) * limit.per_minute / 60)

    def _wait(self, limit: Limit, key: tuple[str, str], amount: float) -> float:
        over = self._level(limit, key) + amount - limit.burst
        return max(0.0, over) * 60 / limit.per_minute


def _is_own(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _network(address: str) -> str:
    """One household or clinic: an IPv4 address, or the first half of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address
