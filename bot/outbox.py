"""`make outbox`: what could not be delivered; send it again, or let go of it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from bot import database
from bot.casework import Casework
from bot.casework.letters import DeadLetter
from bot.database import StoreError
from bot.guide import Guide
from bot.keyring import Keyring
from bot.settings import Settings, SettingsError, load

ALL = "all"


def shown(letter: DeadLetter) -> str:
    """One line about a dead letter, with nobody's words."""
    where = "to the group" if letter.to_group else "to the person"
    of = f", case {letter.code}" if letter.code else ""
    tried = "tried once" if letter.attempts == 1 else f"tried {letter.attempts} times"
    what = f"{letter.kind} {where}{of}: {letter.reason} ({tried})"
    return f"{letter.number:>8}  {letter.created_at:%Y-%m-%d %H:%M} UTC  {what}"


async def report(casework: Casework) -> list[str]:
    """What waits and what was given up, line by line."""
    waiting, letters = await casework.waiting(), await casework.dead_letters()
    since = f", the oldest since {waiting.oldest:%Y-%m-%d %H:%M} UTC" if waiting.oldest else ""
    lines = [f"Waiting to be sent: {waiting.count}{since}.", f"Given up: {len(letters)}."]
    if letters:
        lines += [
            *map(shown, letters),
            "Send again: make outbox RETRY=all (or their numbers). Let go: make outbox DROP=…",
        ]
    return lines


async def act(settings: Settings, again: Sequence[str], drop: Sequence[str]) -> list[str]:
    """Do what was asked, then report. Raises StoreError, and ValueError for what is no number."""
    await database.revision(settings.database_url)
    engine = database.connect(settings.database_url)
    try:
        casework = Casework(database.sessions(engine, Keyring(settings.data_keys)), Guide.load(), hours=settings.hours)
        lines = []
        for asked, do, done in ((again, casework.send_again, "Sent again"), (drop, casework.drop, "Dropped")):
            if asked:
                numbers = await do(await _numbers(casework, asked))
                lines.append(f"{done}: {', '.join(map(str, numbers)) or 'nothing, since none of these was given up'}.")
        return [*lines, *await report(casework)]
    finally:
        await engine.dispose()


async def _numbers(casework: Casework, asked: Sequence[str]) -> list[int]:
    if ALL in asked:
        return [letter.number for letter in await casework.dead_letters()]
    return [int(number) for number in asked]


def main(arguments: list[str] | None = None) -> int:
    """List, send again, drop; returns the exit code."""
    parser = argparse.ArgumentParser(prog="outbox", description="What could not be delivered.")
    parser.add_argument("--retry", nargs="+", default=[], metavar="NUMBER", help=f"send these again, or {ALL}")
    parser.add_argument("--drop", nargs="+", default=[], metavar="NUMBER", help=f"let go of these, or {ALL}")
    options = parser.parse_args(arguments)
    try:
        print("\n".join(asyncio.run(act(load(), options.retry, options.drop))))
    except ValueError as error:
        print(error if isinstance(error, SettingsError) else "Give numbers from the list, or all.", file=sys.stderr)
        return 2
    except StoreError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
