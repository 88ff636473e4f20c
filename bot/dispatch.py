"""The outbox goes out: lease, close the session, send, mark. Lanes keep their order and go side by side."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from prometheus_client import Counter

from bot.casework import Casework, Outgoing
from bot.casework.outbound import Later, Never
from bot.telemetry import stage, took
from bot.wake import Wake
from observe.logs import about

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0  # what another process wrote, or whose pause is over
AT_ONCE = 16  # more sends at a time make Telegram slower, not faster
INTO_GROUP = 8  # of them, so that a person's own chat never waits for a group that is slow to answer
STOP_SECONDS = 5.0
FROM_COORDINATOR = ("say", "copy", "album", "fetch", "correct", "take_back")

OUTGOING = Counter("waypoint_outgoing", "What was done with rows of the outbox", ["kind", "outcome"])


class Sender(Protocol):
    """Whatever can bring a row of the outbox to where it belongs."""

    async def send(self, outgoing: Outgoing) -> int | None:
        """Send one row. Returns the message's id, if it made one. Raises Later or Never."""
        ...


class Dispatcher:
    """Sends what is due. `run_once` is one look and waits for its end; `run` looks until it is cancelled."""

    def __init__(self, casework: Casework, sender: Sender, wake: Wake) -> None:
        self._casework, self._sender, self._wake = casework, sender, wake
        self._busy: dict[asyncio.Task[None], Outgoing] = {}

    async def run(self) -> None:
        """Look whenever woken, and every second."""
        with self._wake.watch("outbox") as watch:
            try:
                while True:
                    try:
                        await self._start()
                    except Exception:  # the database may be away for a moment; the rows are safe in it
                        log.exception("looking for outgoing rows failed")
                    await watch.wait(POLL_SECONDS)
            finally:
                if self._busy:  # what is on its way arrives and is marked, so that it is not sent again
                    await asyncio.wait(self._busy, timeout=STOP_SECONDS)

    async def run_once(self) -> int:
        """Send what is due now, one row a lane. Returns how many rows were taken."""
        taken = await self._start()
        while self._busy:
            await asyncio.wait(self._busy)
        return taken

    async def drain(self) -> None:
        """Send until nothing is due."""
        while await self.run_once():
            pass

    async def _start(self) -> int:
        free = AT_ONCE - len(self._busy)
        in_group = INTO_GROUP - sum(row.into_group for row in self._busy.values())
        rows = await self._casework.lease_outgoing(free, in_group) if free > 0 else []
        for row in rows:
            task = asyncio.create_task(self._guarded(row))
            self._busy[task] = row
            task.add_done_callback(self._done)
        return len(rows)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._busy.pop(task, None)
        self._wake.notify("outbox")  # the next row of its lane may go

    async def _guarded(self, row: Outgoing) -> None:
        took("outbox_wait", row.waited)
        try:
            with about(case=row.case_id, conversation=row.conversation_id):
                await self._deliver(row)
        except Exception:  # it could not be marked: its lease ends, and it is sent again
            log.exception("outgoing %d (%s) could not be marked", row.id, row.kind)

    async def _deliver(self, row: Outgoing) -> None:
        """Send one row and mark what became of it. No database session is open while Telegram is waited for."""
        try:
            with stage("send", kind=row.kind, case=row.case_id, conversation=row.conversation_id):
                message_id = await self._sender.send(row)
        except Never as never:
            OUTGOING.labels(row.kind, "failed").inc()
            log.error("outgoing %d (%s) is given up: %s", row.id, row.kind, never.reason)
            await self._casework.gave_up(row, never.reason, blocked=never.blocked)
            await self._tell(row, never.reason)
        except Later as later:
            await self._postpone(row, later)
        except Exception as error:  # a fault of ours must not stop the other lanes
            log.exception("outgoing %d (%s) failed", row.id, row.kind)
            await self._postpone(row, Later(type(error).__name__))
        else:
            await self._casework.sent(row, message_id)
            OUTGOING.labels(row.kind, "sent").inc()

    async def _postpone(self, row: Outgoing, later: Later) -> None:
        if await self._casework.send_later(row, later.reason, later.seconds):
            OUTGOING.labels(row.kind, "later").inc()
            log.info("outgoing %d (%s) waits: %s", row.id, row.kind, later.reason)
        else:
            OUTGOING.labels(row.kind, "failed").inc()
            log.error("outgoing %d (%s) is given up after many attempts: %s", row.id, row.kind, later.reason)
            await self._tell(row, later.reason)

    async def _tell(self, row: Outgoing, reason: str) -> None:
        """A coordinator whose words did not arrive has to know."""
        if row.kind in FROM_COORDINATOR and row.payload.get("role") == "coordinator" and row.case_id:
            await self._casework.not_delivered(
                row.case_id, reason, row.payload.get("relayed", ()), row.payload.get("what", "delivered")
            )
