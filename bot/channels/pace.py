"""How much may come from one address of the internet, so that nobody floods the website from a thousand chats."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network

MINUTE = 60.0
MOST_KEYS = 10_000  # addresses that are remembered; past that those that are quiet are forgotten


class Pace:
    """At most `limit` of something in any minute, for each key. `now` is the clock, in seconds."""

    def __init__(self, limit: int, now: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._now = limit, now
        self._taken: dict[str, deque[float]] = {}

    def take(self, key: str) -> float:
        """Count one. Returns 0, or in how many seconds there is room again, and nothing is counted."""
        now = self._now()
        if len(self._taken) > MOST_KEYS:
            self._taken = {key: taken for key, taken in self._taken.items() if taken[-1] > now - MINUTE}
        taken = self._taken.setdefault(key, deque())
        while taken and taken[0] <= now - MINUTE:
            taken.popleft()
        if len(taken) >= self._limit:
            return taken[0] + MINUTE - now
        taken.append(now)
        return 0.0


def neighbourhood(host: str) -> str:
    """An address as one household has it: of IPv6 the first half, which is what a provider gives a customer.

    >>> neighbourhood("2001:db8:1:2:3:4:5:6"), neighbourhood("192.0.2.7"), neighbourhood("")
    ('2001:db8:1:2::/64', '192.0.2.7', '')
    """
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else host
