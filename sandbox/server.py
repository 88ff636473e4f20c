"""The HTTP server: uvicorn on a loopback socket, able to drop a connection without an answer."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.clock import Bell

LOOPBACK = "127.0.0.1"


class DroppableProtocol(H11Protocol):
    """Hands the connection's transport to the application, so that an ordered fault can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the transport where requests of this connection find it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class NoAnswer(Response):
    """A response that sends nothing; the connection is gone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send nothing."""


async def drop_connection(request: Request) -> Response:
    """Cut the client's connection and wait until the server has noticed."""
    request.state.transport.abort()
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return NoAnswer()


class Server(uvicorn.Server):
    """uvicorn, leaving signals alone when it runs inside another program."""

    def __init__(self, app: Starlette, bell: Bell, *, signals: bool) -> None:
        super().__init__(
            uvicorn.Config(
                app, http=DroppableProtocol, log_level="warning", access_log=False, timeout_graceful_shutdown=2
            )
        )
        self._bell = bell
        self._signals = signals

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM only when this is the program."""
        if self._signals:
            with super().capture_signals():
                yield
        else:
            yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wake all who wait, so that no long poll holds the server up."""
        self._bell.close()
        await super().shutdown(sockets)


@contextlib.asynccontextmanager
async def serving(app: Starlette, bell: Bell, port: int = 0) -> AsyncIterator[int]:
    """Run the application on a loopback port (0: a free one) in this event loop; gives the port.

    `bell` is closed at the end, which wakes those who wait for it.
    """
    with socket.create_server((LOOPBACK, port)) as listener:
        # A head and a body are two writes: without this the second waits for the first one's acknowledgement, 40 ms.
        # asyncio sets it only on sockets that name their protocol; those that are accepted inherit it from here.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = Server(app, bell, signals=False)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:
                await asyncio.sleep(0.005)
                if task.done():
                    await task
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task
