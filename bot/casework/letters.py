"""Dead letters: what was given up on its way out, to be looked at, sent again or dropped by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot import store
from bot.casework.topic import CaseTopic
from bot.model import Outbox

MOST_LISTED = 200


@dataclass(frozen=True)
class DeadLetter:
    """One outgoing row that was given up. It tells whose it is and why, and none of the words."""

    number: int
    kind: str
    code: str  # of the case, "" for none
    to_group: bool
    attempts: int
    created_at: datetime
    reason: str


@dataclass(frozen=True)
class Waiting:
    """What is still on its way out: how much, and since when the oldest of it."""

    count: int
    oldest: datetime | None


class Letters(CaseTopic):
    """Use cases of `make outbox`."""

    async def dead_letters(self) -> list[DeadLetter]:
        """What was given up, oldest first."""
        async with self.reading() as session:
            return [
                DeadLetter(
                    number=row.id,
                    kind=row.kind,
                    code=code or "",
                    to_group=not row.lane.startswith("chat:"),
                    attempts=row.attempts,
                    created_at=row.created_at,
                    reason=row.error,
                )
                for row, code in await store.dead_letters(session, MOST_LISTED)
            ]

    async def waiting(self) -> Waiting:
        """What waits to be sent."""
        async with self.reading() as session:
            return Waiting(*await store.waiting_outbox(session))

    async def send_again(self, numbers: Sequence[int]) -> list[int]:
        """Give dead letters another life, each at its place in its lane. Returns which of them were dead."""
        async with self.transaction() as session:
            rows = await store.dead(session, numbers)
            for row in rows:
                row.state, row.attempts, row.error = "due", 0, ""
                row.not_before, row.lease_until = self.now(), None
                for number in _copies(row):
                    copy = await store.relayed(session, number)
                    if copy is not None and copy.state == "failed":  # it may arrive yet, and then it is marked so
                        copy.state = "sending"
            await self.refresh_board(session)
            return [row.id for row in rows]

    async def drop(self, numbers: Sequence[int]) -> list[int]:
        """Let go of dead letters for good, with their words. Returns which of them were dead."""
        async with self.transaction() as session:
            rows = await store.dead(session, numbers)
            for row in rows:
                row.state, row.payload = "dropped", {}
            await self.refresh_board(session)
            return [row.id for row in rows]


def _copies(row: Outbox) -> list[int]:
    of_parts = [part["relayed"] for part in row.payload.get("parts", ()) if "relayed" in part]
    return [*(row.payload.get("relayed") or ()), *of_parts]
