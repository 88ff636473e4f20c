"""The website's side: sessions, messages, files, and the stream of events.

A message is stored before it is acknowledged, under the id that the browser gave it, so sending it again changes
nothing. Events are read from the database by their number, so a stream can break off anywhere and go on from there.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.applications import Starlette
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route

from bot.casework import EVENTS_AT_ONCE, Casework, FileRef, Inbound, NoSuchConversation, Receipt, TooFast
from bot.channels import web_files
from bot.channels.web_data import create_data_routes
from bot.channels.web_http import (
    TOO_LARGE,
    ApiError,
    Guard,
    clean_text,
    limited,
    on_api_error,
    on_http_error,
    origin_rule,
)
from bot.channels.web_limits import Limits
from bot.channels.web_pages import create_page_routes
from bot.channels.web_plain import create_plain_routes
from bot.settings import Settings
from bot.tokens import TokenExpired, TokenInvalid, Tokens
from bot.wake import Wake, Watch
from observe.traces import span

# 20,000 characters may take 12 bytes each when a client escapes everything beyond ASCII.
MAX_BODY = 256 * 1024
MAX_SEQ = 2**53 - 1  # the largest whole number that a browser counts exactly
MAX_WAIT = 25
POLL = 10.0  # a notice of something new may have been lost
HEARTBEAT = 15.0
STREAM_LIFE = 15 * 60.0  # then the browser connects anew, and its token is looked at again
MAX_STREAMS = 8  # open windows of one conversation

API_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_LANG = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?$"
_CHOICE = r"^[A-Za-z0-9_-]{1,64}$"
_BAD_MESSAGE = ("bad_message", "A message is JSON with `id` and either `text` or `choice`, and nothing else.")
_PROBLEMS = {
    "id": ("bad_id", "`id` is a UUID that you choose for this message."),
    "text": ("bad_text", "`text` is the words of the message."),
    "choice": ("bad_choice", "This button is not valid. Please type your answer instead."),
    "lang": ("bad_lang", "`lang` is a language code such as `en`."),
}
_FILE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class SessionIn(BaseModel):
    """What may be said when a conversation opens."""

    model_config = ConfigDict(extra="forbid")
    lang: Annotated[str, Field(pattern=_LANG)] = "en"


class MessageIn(BaseModel):
    """One message: typed words or a pressed button."""

    model_config = ConfigDict(extra="forbid")
    id: UUID
    text: Annotated[str, Field(strict=True)] | None = None
    choice: Annotated[str, Field(strict=True, pattern=_CHOICE)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> MessageIn:
        if (self.text is None) == (self.choice is None):
            raise ValueError("give either `text` or `choice`")
        return self


def create_routes(casework: Casework, wake: Wake, settings: Settings) -> list[BaseRoute]:
    """All routes of the website. Raises ValueError when no secret key is set."""
    channel = WebChannel(casework, wake, settings)
    api = Starlette(
        routes=[
            Route("/sessions", channel.open_session, methods=["POST"]),
            Route("/sessions", channel.delete_session, methods=["DELETE"]),
            Route("/messages", channel.receive_message, methods=["POST"]),
            Route("/files", channel.receive_file, methods=["POST"]),
            Route("/files/{file_id}", channel.send_file, methods=["GET"]),
            Route("/events", channel.send_events, methods=["GET"]),
        ],
        middleware=[
            Middleware(
                CORSMiddleware,
                allow_origins=settings.origins,
                allow_methods=["GET", "POST", "DELETE"],
                allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
            ),
            Middleware(Guard, origin_rule(settings.public_url, settings.origins), API_HEADERS),
        ],
        exception_handlers={ApiError: on_api_error, HTTPException: on_http_error},
    )
    return [
        Mount("/api", app=api),
        *create_data_routes(casework, settings),
        *create_page_routes(settings.sandbox_url, settings.public_url, settings.origins),
        *create_plain_routes(channel, casework, settings),
    ]


class WebChannel:
    """The endpoints. Each checks what came in, calls one use case, and says the outcome."""

    def __init__(self, casework: Casework, wake: Wake, settings: Settings) -> None:
        self._casework, self._wake = casework, wake
        self._tokens = Tokens(settings.secret_key.get_secret_value())
        self._files_dir, self._max_file_bytes = settings.files_dir, settings.max_file_bytes
        self._streams: Counter[str] = Counter()
        self.limits = Limits()

    async def open_session(self, request: Request) -> Response:
        """POST /api/sessions: a new conversation; or, with a session token, a fresh token for the same one."""
        self.limits.take("sessions", request)
        options = await _json(request, SessionIn, default=b"{}")
        if "authorization" in request.headers:
            conversation = self._conversation(request, renewing=True)
            await self._must_exist(conversation)
        else:
            conversation = await self._casework.open_conversation("web", uuid4().hex, lang=options.lang)
        return JSONResponse({"token": self._tokens.issue(conversation), "conversation": conversation})

    async def delete_session(self, request: Request) -> Response:
        """DELETE /api/sessions: delete everything of the conversation's case, at once and without the engine."""
        conversation = self._conversation(request)
        try:
            return JSONResponse({"receipt": await self.erase(conversation)})
        except LookupError:
            raise _gone() from None

    async def erase(self, conversation: str) -> str:
        """Delete everything of a conversation's case. Returns the receipt. Raises LookupError."""
        receipt = await self._casework.erase_at_once(conversation)
        for key in ("outbox", conversation):
            self._wake.notify(key)
        return receipt

    async def receive_message(self, request: Request) -> Response:
        """POST /api/messages: store typed words or a pressed button."""
        conversation = self._conversation(request)
        self.limits.take("messages", request, conversation)
        message = await _json(request, MessageIn)
        if message.choice is not None:
            inbound = Inbound(kind="choice", choice=message.choice)
        else:
            text = clean_text(message.text or "")
            if not text.strip():
                raise ApiError(400, "text_empty", "This message is empty. Please write something first.")
            inbound = Inbound(kind="text", text=text)
        return _accepted(await self.store(conversation, message.id, inbound))

    async def receive_file(self, request: Request) -> Response:
        """POST /api/files: store one file, with a caption where there is one."""
        conversation = self._conversation(request)
        self.limits.take("files", request, conversation)
        form = await self.read_form(request, conversation)
        try:
            upload, caption = form.get("file"), form.get("caption", "")
            known = set(form) <= {"id", "file", "caption"}
            if not known or not isinstance(upload, UploadFile) or not isinstance(caption, str):
                raise ApiError(400, "bad_form", "Send the parts `id` and `file`, and `caption` if you like.")
            receipt = await self.store_file(conversation, _uuid(form.get("id")), upload, clean_text(caption))
        finally:
            await form.close()
        return _accepted(receipt)

    async def read_form(self, request: Request, conversation: str) -> FormData:
        """A form with a file, counted by its size. Raises ApiError. The caller closes it."""
        declared = request.headers.get("content-length", "")
        size = int(declared) if declared.isdecimal() else self._max_file_bytes
        self.limits.take("bytes", request, conversation, min(size, self._max_file_bytes))
        return await web_files.read_form(request, self._max_file_bytes)

    async def store_file(self, conversation: str, message_id: UUID, upload: UploadFile, text: str) -> Receipt:
        """Keep a file, with the words beside it, and let it be handled. Raises ApiError, and then keeps nothing."""
        stored = await web_files.store(upload, self._files_dir, self._max_file_bytes)
        file = FileRef(
            name=stored.name, mime=stored.mime, size=stored.size, kind=stored.kind, path=stored.path, key=stored.key
        )
        try:
            receipt = await self.store(conversation, message_id, Inbound(kind="file", text=text, files=(file,)))
        except Exception:
            web_files.remove(self._files_dir, stored.path)
            raise
        if receipt.duplicate:
            web_files.remove(self._files_dir, stored.path)
        return receipt

    async def send_file(self, request: Request) -> Response:
        """GET /api/files/<id>: a file of one's own case, always as a download."""
        conversation = self._conversation(request)
        return await self.file_response(conversation, request.path_params["file_id"])

    async def file_response(self, conversation: str, file_id: str) -> Response:
        """A file of a conversation's case as a download. Raises ApiError."""
        stored = await self._casework.file_for(conversation, file_id) if _FILE_ID.fullmatch(file_id) else None
        path = web_files.locate(self._files_dir, stored.path) if stored is not None else None
        if stored is None or path is None:
            raise ApiError(404, "file_not_found", "This file is not here, or not any more.")
        return web_files.download(path, stored.key, stored.name, stored.mime)

    async def send_events(self, request: Request) -> Response:
        """GET /api/events: what was said after a given number, as a stream or, for those who cannot, as a long poll.

        With `state=1` it also brings the id under which each of the person's own messages was sent; and who talks with
        them and by when they are to be answered, in a stream as an event `state`, whenever that changes.
        """
        conversation = self._conversation(request)
        await self._must_exist(conversation)
        self.limits.take("streams", request, conversation)
        after = _whole(request.headers.get("last-event-id") or request.query_params.get("after") or "0", MAX_SEQ)
        if self._streams[conversation] >= MAX_STREAMS:
            raise ApiError(429, "too_many_windows", "This chat is open in too many windows. Please close some of them.")
        with_state = request.query_params.get("state") == "1"
        if "application/json" in request.headers.get("accept", ""):
            wait = _whole(request.query_params.get("wait") or "0", MAX_WAIT)
            answer: dict[str, Any] = {"events": await self.wait_for_events(conversation, after, wait, with_state)}
            if with_state:
                answer["state"] = await self._casework.standing(conversation)
            return JSONResponse(answer)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        return StreamingResponse(
            self._stream(conversation, after, with_state),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    async def wait_for_events(
        self, conversation: str, after: int, wait: int, with_ids: bool = False
    ) -> list[dict[str, Any]]:
        """What was said after a number; where that is nothing yet, as soon as there is, within `wait` seconds."""
        deadline = asyncio.get_running_loop().time() + wait
        with self._open(conversation) as news:
            while True:
                events = await self._casework.events_after(conversation, after, with_ids=with_ids)
                left = deadline - asyncio.get_running_loop().time()
                if events or left <= 0 or self._wake.closed:
                    return events
                await news.wait(min(left, POLL))

    async def _stream(self, conversation: str, after: int, with_state: bool) -> AsyncIterator[str]:
        clock = asyncio.get_running_loop().time
        end, quiet_since = clock() + STREAM_LIFE, clock()
        # Something is sent at once, so that the browser can tell an open stream from one that a proxy holds back.
        yield ": open\n\n"
        woken, state = with_state, None
        with self._open(conversation) as news:
            while clock() < end and not self._wake.closed:
                events = await self._casework.events_after(conversation, after, with_ids=with_state)
                for event in events:
                    after = event["seq"]
                    # All in ASCII, for readers that take U+2028 or U+0085 for the end of a line.
                    yield f"id: {after}\ndata: {json.dumps(event, separators=(',', ':'))}\n\n"
                # It changes with what is said, or because a turn was handled here, which wakes us; seldom otherwise.
                quiet = clock() - quiet_since >= HEARTBEAT
                if with_state and (events or woken or quiet):
                    before, state = state, await self._casework.standing(conversation)
                    if state != before:
                        yield f"event: state\ndata: {json.dumps(state)}\n\n"
                if events or quiet:
                    quiet_since, woken = clock(), False
                if quiet and not events:
                    yield ": still open\n\n"
                elif len(events) < EVENTS_AT_ONCE:
                    woken = await news.wait(POLL)

    @contextmanager
    def _open(self, conversation: str) -> Iterator[Watch]:
        self._streams[conversation] += 1
        try:
            with self._wake.watch(conversation) as news:
                yield news
        finally:
            self._streams[conversation] -= 1
            if not self._streams[conversation]:
                del self._streams[conversation]

    async def store(self, conversation: str, message_id: UUID, inbound: Inbound) -> Receipt:
        """Store a message and let it be handled. Raises ApiError."""
        try:
            with span("receive", conversation=conversation):
                receipt = await self._casework.receive(conversation, str(message_id), inbound)
        except NoSuchConversation:
            raise _gone() from None
        except TooFast as fast:
            self._wake.notify(conversation)  # they were told so
            raise _too_fast(fast.seconds) from None
        self._wake.notify("inbox")
        self._wake.notify(conversation)
        return receipt

    async def _must_exist(self, conversation: str) -> None:
        """Refuse a session whose conversation was deleted since. Raises ApiError."""
        if not await self._casework.is_open(conversation):
            raise _gone()

    def _conversation(self, request: Request, *, renewing: bool = False) -> str:
        """The conversation that this request's token is for. Raises ApiError."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _no_session("session_missing", "There is no chat session. Please open the chat again.")
        try:
            return self._tokens.renew(token) if renewing else self._tokens.read(token)
        except TokenExpired:
            message = "Your chat session has ended because it was not used. Please open the chat again."
            raise _no_session("session_expired", message) from None
        except TokenInvalid:
            raise _no_session(
                "session_invalid", "This chat session is not valid. Please open the chat again."
            ) from None


def _accepted(receipt: Receipt) -> Response:
    return JSONResponse({"seq": receipt.seq}, 202)


def _too_fast(seconds: float) -> ApiError:
    message = "That was a lot at once. Please wait a moment; then it can be sent again."
    return ApiError(429, "too_fast", message, {"Retry-After": str(math.ceil(seconds))})


def _no_session(code: str, message: str) -> ApiError:
    return ApiError(401, code, message, {"WWW-Authenticate": "Bearer"})


def _gone() -> ApiError:
    return _no_session("session_gone", "This conversation was deleted. Please open the chat again to start a new one.")


async def _json[Model: BaseModel](request: Request, model: type[Model], default: bytes = b"") -> Model:
    """The request's JSON body, checked. Raises ApiError."""
    too_long = ApiError(TOO_LARGE, "too_large", "This message is too long. Please send it in parts.")
    body = b"".join([piece async for piece in limited(request, MAX_BODY, too_long)]) or default
    if body != default and not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise ApiError(415, "not_json", "Send this as application/json.")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = str(problem["loc"][0]) if problem["loc"] else ""
        if problem["type"] == "extra_forbidden":
            field = ""
        raise ApiError(400, *_PROBLEMS.get(field, _BAD_MESSAGE)) from None


def _uuid(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise ApiError(400, *_PROBLEMS["id"]) from None


def _whole(value: str, largest: int) -> int:
    """A whole number from a header or an address, at most `largest`. Raises ApiError."""
    if not value.isascii() or not value.isdecimal() or len(value) > 16:
        raise ApiError(400, "bad_number", "`after`, `wait` and `Last-Event-ID` are whole numbers from 0.")
    return min(int(value), largest)
