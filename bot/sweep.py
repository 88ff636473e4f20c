"""Sweeps away what has been kept long enough, every hour, and says what it was: how many, never whose."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from prometheus_client import Counter

from bot.casework import Casework
from bot.channels import web_files
from bot.sealing import new_key

log = logging.getLogger(__name__)

SWEEP_SECONDS = 60 * 60.0
STRAY_SECONDS = 24 * 60 * 60.0  # a file that nothing refers to may be on its way into the database before that

SWEPT = Counter("waypoint_swept", "What was deleted because it had been kept long enough", ["kind"])


class Sweeper:
    """`run_once` is one sweep; `run` sweeps until it is cancelled. `clock` is that of the files, since 1970."""

    def __init__(self, casework: Casework, files_dir: Path, clock: Callable[[], float] = time.time) -> None:
        self._casework, self._files_dir, self._clock = casework, files_dir, clock

    async def run(self) -> None:
        """Sweep every hour."""
        while True:
            try:
                await self.run_once()
            except Exception:  # the database may be away for a moment; what is over stays over
                log.exception("sweeping failed")
            await asyncio.sleep(SWEEP_SECONDS)

    async def run_once(self) -> dict[str, int]:
        """Sweep once. Returns how much of each kind was deleted."""
        swept = await self._casework.sweep()
        counts = asdict(swept) | {"stray files": await self._strays()}
        await self._seal_files()
        for kind, count in counts.items():
            SWEPT.labels(kind.replace(" ", "_")).inc(count)
        told = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        log.info("kept long enough and deleted: %s", told or "nothing")
        return counts

    async def _seal_files(self) -> None:
        """Seal files from before files were sealed. What stood there in clear text is a stray for the next sweep."""
        for file_id, path in await self._casework.clear_files():
            clear = web_files.locate(self._files_dir, path)
            if clear is not None:
                sealed, key = self._files_dir / secrets.token_hex(16), new_key()
                await asyncio.to_thread(_seal, clear, sealed, key)
                if not await self._casework.file_sealed(file_id, path, sealed.name, key.hex()):
                    sealed.unlink(missing_ok=True)

    async def _strays(self) -> int:
        """Delete old files that nothing refers to: a process ended between writing one and noting it."""
        if not self._files_dir.is_dir():
            return 0
        old = [
            file
            for file in self._files_dir.iterdir()
            if file.is_file() and file.stat().st_mtime < self._clock() - STRAY_SECONDS
        ]
        kept = await self._casework.kept_files() if old else set()
        strays = [file for file in old if file.name not in kept]
        for file in strays:
            file.unlink(missing_ok=True)
        return len(strays)


def _seal(clear: Path, sealed: Path, key: bytes) -> None:
    with clear.open("rb") as file:
        web_files.write(file, sealed, key)
