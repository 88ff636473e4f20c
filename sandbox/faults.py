"""Faults to order: the next calls fail as a network or Telegram's servers do."""

import itertools
from dataclasses import dataclass, field
from typing import Any, Literal

NUMBERS = itertools.count(1)
DESCRIPTIONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
    502: "Bad Gateway",
}


@dataclass
class Fault:
    """One order. `answer`: an error, a cut connection, one that hangs, or the normal answer, only delayed."""

    method: str = "*"
    times: int = 1
    answer: Literal["error", "drop", "hang", "normal"] = "error"
    when: Literal["before", "after"] = "before"
    code: int = 500
    description: str = ""
    retry_after: int = 0
    delay: float = 0.0
    chat: int = 0
    number: int = field(default_factory=lambda: next(NUMBERS))

    def body(self) -> dict[str, Any]:
        """The error's JSON."""
        if self.code == 429:
            wait = self.retry_after or 1
            text = self.description or f"Too Many Requests: retry after {wait}"
            return {"ok": False, "error_code": 429, "description": text, "parameters": {"retry_after": wait}}
        text = self.description or DESCRIPTIONS.get(self.code, "Error")
        return {"ok": False, "error_code": self.code, "description": text}


class Faults:
    """The orders that still stand, first come first served."""

    def __init__(self) -> None:
        self.standing: list[Fault] = []

    def take(self, method: str, chat_id: int) -> Fault | None:
        """The fault that this call meets. "*" means every method but getUpdates, which runs all the time."""
        for fault in self.standing:
            if fault.method.lower() != method.lower() and (fault.method != "*" or method == "getUpdates"):
                continue
            if fault.chat and fault.chat != chat_id:
                continue
            fault.times -= 1
            if fault.times <= 0:
                self.standing.remove(fault)
            return fault
        return None
