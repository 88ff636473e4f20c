"""`python -m chaos.wire PORT TARGET_PORT`: the line between the bot and Telegram, which can be cut by killing it.

Telegram itself forgets nothing when one of its machines dies, and the simulated one keeps everything in its memory; so
what is killed is what stands between.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

LOOPBACK = "127.0.0.1"
PIECE = 64 * 1024


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await source.read(PIECE):
            target.write(piece)
            await target.drain()
    with suppress(OSError):
        target.close()


async def serve(port: int, target_port: int) -> None:
    """Pass on whatever is sent, in both directions, for ever."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_reader, to_writer = await asyncio.open_connection(LOOPBACK, target_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pass_on(reader, to_writer), _pass_on(to_reader, writer))

    async with await asyncio.start_server(connected, LOOPBACK, port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
