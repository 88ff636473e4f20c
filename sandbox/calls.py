"""The log of Bot API calls, for tests that ask what the bot did."""

from collections import deque
from itertools import count
from typing import Any

from sandbox.clock import Bell

KEPT = 5000


class CallLog:
    """The last 5,000 calls with parameters, answers and times."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._numbers = count(1)
        self._calls: deque[dict[str, Any]] = deque(maxlen=KEPT)

    def add(self, method: str, params: dict[str, Any], at: float, status: int, answer: Any, fault: int | None) -> None:
        """Note an answered call."""
        self._calls.append(
            {
                "n": next(self._numbers),
                "method": method,
                "params": params,
                "at": at,
                "status": status,
                "answer": answer,
                "fault": fault,
            }
        )
        self._bell.ring()

    def find(self, method: str = "", after: int = 0) -> list[dict[str, Any]]:
        """The calls after number `after`, of one method if named."""
        return [call for call in self._calls if call["n"] > after and method in ("", call["method"])]
