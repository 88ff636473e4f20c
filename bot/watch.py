"""Looks at the desk's clock: who waits too long for an answer, which reminder is due, the figures of a week."""

from __future__ import annotations

import asyncio
import logging

from bot.casework import Casework
from bot.wake import Wake

log = logging.getLogger(__name__)

LOOK_SECONDS = 20.0


class Watcher:
    """Alerts that are due. `run_once` is one look; `run` looks until it is cancelled.

    Several processes may look at once: each alert is of the one that locks its row first.
    """

    def __init__(self, casework: Casework, wake: Wake) -> None:
        self._casework, self._wake = casework, wake

    async def run(self) -> None:
        """Look every twenty seconds."""
        while True:
            try:
                await self.run_once()
            except Exception:  # the database may be away for a moment; what is due stays due
                log.exception("looking at the desk's clock failed")
            await asyncio.sleep(LOOK_SECONDS)

    async def run_once(self) -> int:
        """Give every alert, reminder and picture that is due now. Returns how many there were."""
        given = 0
        for case in await self._casework.due_alerts():
            try:
                conversations = await self._casework.alert(case)
            except Exception:  # a fault with one case must not keep the others waiting; it is looked at again
                log.exception("the alert of case %s failed", case)
                continue
            given += conversations is not None
            for conversation in conversations or ():
                self._wake.notify(conversation)
        for reminder in await self._casework.due_reminders():
            try:
                given += await self._casework.remind(reminder)
            except Exception:
                log.exception("reminder %d failed", reminder)
        try:
            await self._casework.scrub_again()
        except Exception:
            log.exception("the write-ahead log could not be emptied")
        try:
            given += await self._casework.post_week()
        except Exception:
            log.exception("the figures of the week could not be shown")
        if given:
            self._wake.notify("outbox")
        return given
