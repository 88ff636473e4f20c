"""How much may be posted into one group: Telegram takes about 20 posts and edits a minute, all topics together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from bot.casework.outbound import Later

MINUTE = 60.0
SHARE = 0.75


class Budget:
    """At most `limit` posts in any minute of the clock `now`. It never waits: it says when to come again."""

    def __init__(self, limit: int, now: Callable[[], float]) -> None:
        self._limit, self._now = limit, now
        self._taken: deque[tuple[float, str]] = deque()
        self._closed_until = 0.0

    def take(self, count: int = 1, *, spare: int = 0, of: str = "") -> None:
        """Book `count` posts, of which `spare` more must stay free for what is more pressing. Raises Later.

        `of` names whose words they are: of one person's a quarter of the minute stays free for everybody else's.
        """
        now = self._now()
        while self._taken and self._taken[0][0] <= now - MINUTE:
            self._taken.popleft()
        theirs = [at for at, whose in self._taken if of and whose == of]
        if theirs and len(theirs) + count > self._limit * SHARE:
            raise Later("the others' share of the group's minute", theirs[0] + MINUTE - now)
        if now < self._closed_until:
            raise Later("flood control", self._closed_until - now)
        over = len(self._taken) + min(count + spare, self._limit) - self._limit
        if over > 0:
            raise Later("the group's minute is full", self._taken[over - 1][0] + MINUTE - now)
        self._taken.extend([(now, of)] * count)

    def close(self, seconds: float) -> None:
        """Telegram says that nothing more is taken for a while."""
        self._closed_until = max(self._closed_until, self._now() + seconds)
