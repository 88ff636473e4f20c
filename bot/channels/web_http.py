"""What every request of the website's interface goes through: origin, size, errors, headers.

Errors leave as `{"error": {"code", "message"}}`: the code is for programs, the message for the person at the screen.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from typing import cast
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

TOO_LARGE = 413
MAX_TEXT = 20_000  # characters of one message

# An answer may be ready before the request was read: a file that is too large, a session that ended. Closing then would
# make the sender's network stack throw the answer away, so what still comes is read and dropped for a while.
LINGER_BYTES = 100 * 1024 * 1024
LINGER_SECONDS = 30.0
LINGER_IDLE = 3.0

_MESSAGES = {
    400: ("bad_request", "This request could not be understood."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that kind of request."),
}


class ApiError(Exception):
    """An answer other than success. `message` is plain words that a person can act upon."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.message, self.headers = status, code, message, headers

    def response(self) -> Response:
        """The error as JSON."""
        body = {"error": {"code": self.code, "message": self.message}}
        return JSONResponse(body, self.status, self.headers)


async def on_api_error(request: Request, error: Exception) -> Response:
    """Starlette's handler for our own errors."""
    return cast("ApiError", error).response()


async def on_http_error(request: Request, error: Exception) -> Response:
    """Starlette's handler for its own errors: unknown address, wrong method."""
    http_error = cast("HTTPException", error)
    code, message = _MESSAGES.get(http_error.status_code, _MESSAGES[400])
    return ApiError(http_error.status_code, code, message, dict(http_error.headers or {})).response()


class Guard:
    """Around the whole interface: refuse other sites, set safe headers, let no traceback out, hear people out."""

    def __init__(self, app: ASGIApp, is_allowed: Callable[[str, str], bool], headers: dict[str, str]) -> None:
        self.app, self.is_allowed, self.headers = app, is_allowed, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Raises nothing but what ends the connection itself."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        started = False
        unread = "transfer-encoding" in asked or asked.get("content-length", "0") != "0"

        async def receive_noting() -> Message:
            nonlocal unread
            message = await receive()
            unread = unread and message.get("more_body", False)
            return message

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            elif unread and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await _linger(receive)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        origin = asked.get("origin")
        if origin is not None and not self.is_allowed(origin, asked.get("host", "")):
            refused = ApiError(403, "origin_not_allowed", "This website is not set up to use this chat.")
            await refused.response()(scope, receive, send_with_headers)
            return
        try:
            await self.app(scope, receive_noting, send_with_headers)
        except ClientDisconnect:
            return
        except Exception as error:
            # The text of an exception may quote what a person wrote, so only its kind and place are logged.
            logger.error("web request failed: %s at %s", type(error).__name__, _place(error))
            if started:
                return
            failed = ApiError(500, "internal", "Something went wrong on our side. Please try again in a moment.")
            await failed.response()(scope, receive, send_with_headers)


async def _linger(receive: Receive) -> None:
    """Read and drop the rest of a request, within bounds."""
    size, more = 0, True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while more and size < LINGER_BYTES:
                message = await asyncio.wait_for(receive(), LINGER_IDLE)
                size += len(message.get("body", b""))
                more = message.get("more_body", False)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else "?"


def origin_rule(own: str, others: tuple[str, ...]) -> Callable[[str, str], bool]:
    """Who may call: `others`, and our own pages.

    Our own origin is that of `own` (the public address) where it is set, else whatever host the browser asked for;
    behind a proxy that ends TLS the scheme is not known here, so hosts are compared.
    """
    own_origin = "{0.scheme}://{0.netloc}".format(urlsplit(own)) if own else ""

    def is_allowed(origin: str, host: str) -> bool:
        return origin in others or (origin == own_origin if own_origin else urlsplit(origin).netloc == host)

    return is_allowed


async def limited(request: Request, limit: int, error: ApiError) -> AsyncGenerator[bytes, None]:
    """The request's body, piece by piece; raises `error` as soon as it is known to be longer than `limit` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise error
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise error
        yield piece


def clean_text(text: str) -> str:
    """A person's words, without the one character that a database refuses. Raises ApiError when there are too many."""
    text = text.replace("\x00", "")
    if len(text) > MAX_TEXT:
        message = f"This message is longer than {MAX_TEXT:,} characters. Please send it in parts."
        raise ApiError(400, "text_too_long", message)
    return text
