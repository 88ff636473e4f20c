"""Flood control: about 20 sends or edits a minute in a group, 30 a second over all chats."""

import math
from collections import defaultdict, deque

from sandbox.clock import Clock
from sandbox.errors import too_many_requests

MINUTE = 60.0
SECOND = 1.0


class Limits:
    """Counts what the bot sends; `take` refuses the call that would be one too many.

    Source of the numbers: the Bot FAQ of Telegram, "My bot is hitting limits, how do I avoid this?".
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.group_per_minute: int | None = 20
        self.overall_per_second: int | None = 30
        self._by_group: defaultdict[int, deque[float]] = defaultdict(deque)
        self._overall: deque[float] = deque()

    def take(self, chat_id: int, count: int = 1) -> None:
        """Book `count` sends or edits in the chat, or raise 429 with the seconds to wait and book nothing."""
        now = self._clock.now()
        windows = [(self._overall, self.overall_per_second, SECOND)]
        if chat_id < 0:
            windows.append((self._by_group[chat_id], self.group_per_minute, MINUTE))
        for taken, allowed, span in windows:
            while taken and taken[0] <= now - span:
                taken.popleft()
            if allowed is not None and len(taken) + count > allowed:
                blocking = taken[min(len(taken), len(taken) + count - allowed) - 1] if taken else now
                raise too_many_requests(max(1, math.ceil(blocking + span - now)))
        for taken, _, _ in windows:
            taken.extend([now] * count)
