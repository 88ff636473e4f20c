"""`make rekey`: every data key is wrapped by the newest DATA_KEY, and what belongs to no case is sealed anew.

It may be stopped and started again at any time, and everything goes on meanwhile: the processes have to know both keys,
as DATA_KEY and DATA_KEY_OLD. When it has ended, DATA_KEY_OLD is not needed any more.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bot import database, keys
from bot.database import StoreError
from bot.keyring import SECONDS, SYSTEM, Keyring, seal_anew
from bot.model import DataKey, Inbox, Outbox
from bot.sealing import BadKey
from bot.settings import Settings, SettingsError, load

AT_ONCE = 200

Tell = Callable[[str], None]
Pause = Callable[[float], Awaitable[None]]


async def rekey(settings: Settings, tell: Tell, pause: Pause = asyncio.sleep) -> None:
    """Wrap every key anew, and give the system a fresh one. Raises StoreError and BadKey.

    `pause` waits until no process has the system's old key in memory.
    """
    keyring = Keyring(settings.data_keys)
    await database.upgrade(settings.database_url, keyring)
    engine = database.connect(settings.database_url)
    sessions = database.sessions(engine, keyring)
    try:
        await _wrap(sessions, keyring, tell)
        await _renew_system(sessions, keyring, tell, pause)
        if settings.keys_file.exists():
            keys.renew(settings.keys_file, await database.read(settings.database_url, keys.of_database))
            tell(f"{settings.keys_file} is written anew.")
    finally:
        await engine.dispose()


async def _wrap(sessions: async_sessionmaker[AsyncSession], keyring: Keyring, tell: Tell) -> None:
    wrapper = keyring.wrapper
    older = DataKey.wrapped.is_not(None) & (DataKey.wrapped_by != wrapper.current)
    async with sessions() as session:
        total = await session.scalar(select(func.count()).select_from(DataKey).where(older)) or 0
    done = 0
    while True:
        async with sessions.begin() as session:
            batch = (await session.scalars(select(DataKey).where(older).limit(AT_ONCE).with_for_update())).all()
            for row in batch:
                key = wrapper.unwrap(row.id, row.wrapped or b"", row.wrapped_by)
                row.wrapped, row.wrapped_by = wrapper.wrap(row.id, key), wrapper.current
        if not batch:
            break
        done += len(batch)
        tell(f"Keys wrapped anew: {done} of {total}")
    tell("Every key is wrapped by the newest DATA_KEY.")


async def _renew_system(sessions: async_sessionmaker[AsyncSession], keyring: Keyring, tell: Tell, pause: Pause) -> None:
    async with sessions.begin() as session:
        of_system = (DataKey.owner == SYSTEM) & DataKey.wrapped.is_not(None)
        older = (await session.scalars(select(DataKey.id).where(of_system))).all()
        await session.run_sync(lambda sync: keyring.make(sync.connection(), SYSTEM))
    await _seal_anew(sessions, tell)
    tell(f"Waiting {SECONDS:.0f} seconds, until no process has the system's old key in memory")
    await pause(SECONDS + 1)
    await _seal_anew(sessions, tell)
    async with sessions.begin() as session:
        gone = update(DataKey).where(DataKey.id.in_(older)).values(wrapped=None, destroyed_at=datetime.now(UTC))
        await session.execute(gone)
    tell("The system has a fresh key, and its old one is destroyed.")


async def _seal_anew(sessions: async_sessionmaker[AsyncSession], tell: Tell) -> None:
    """Rows that belong to no case."""
    for model, number, of_nobody in (
        (Inbox, Inbox.number, Inbox.conversation_id.is_(None)),
        (Outbox, Outbox.id, Outbox.case_id.is_(None)),
    ):
        last, done = 0, 0
        while True:
            async with sessions.begin() as session:
                query = select(model).where(of_nobody, number > last).order_by(number).limit(AT_ONCE).with_for_update()
                rows = (await session.scalars(query)).all()
                for row in rows:
                    last = getattr(row, number.key)
                    seal_anew(row)
            if not rows:
                break
            done += len(rows)
            tell(f"{model.__tablename__}: {done} rows sealed anew")


def main() -> int:
    """Exchange the key; returns the exit code."""
    try:
        asyncio.run(rekey(load(), lambda line: print(line, flush=True)))
    except (BadKey, StoreError, SettingsError, keys.KeysUnreadable) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
