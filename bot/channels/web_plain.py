"""The chat without JavaScript: plain pages and forms, under the same limits as the widget.

A cookie knows the conversation until the browser is closed; it goes to these pages alone. The id of a message is made
of the form it came from and of what it says: pressing twice sends it once; other words in an old form are new words.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

from starlette.applications import Starlette
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from bot.casework import Casework, Inbound
from bot.channels import plain_page
from bot.channels.plain_page import NEWEST, PATH, Form
from bot.channels.web_http import ApiError, Guard, clean_text, origin_rule
from bot.channels.web_pages import STATIC
from bot.render import Voice, speak
from bot.settings import Settings
from bot.tokens import RENEWABLE, TokenExpired, TokenInvalid, Tokens

if TYPE_CHECKING:
    from bot.channels.web import WebChannel

COOKIE, COOKIE_PATH = "chat", "/chat"
# An answer of the assistant is waited for; where coordinators have the case it seldom speaks. Then a link looks again.
ANSWER_SECONDS, RELAYED_SECONDS = 8, 1
START = "/start"

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",  # with none, a browser would not say either that a form is our own
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def create_plain_routes(channel: WebChannel, casework: Casework, settings: Settings) -> list[BaseRoute]:
    """The routes of the plain chat."""
    chat = PlainChat(channel, casework, settings)
    routes = [
        Route("/plain", chat.show, methods=["GET"]),
        Route("/plain", chat.receive, methods=["POST"]),
        Route("/plain/start", chat.start, methods=["POST"]),
        Route("/plain/leave", chat.leave, methods=["POST"]),
        Route("/plain/left", chat.left, methods=["GET"]),
        Route("/plain/delete", chat.ask_to_delete, methods=["GET"]),
        Route("/plain/delete", chat.delete, methods=["POST"]),
        Route("/plain/files/{file_id}", chat.send_file, methods=["GET"]),
    ]
    handlers: Any = {ApiError: chat.on_refused, HTTPException: chat.on_http_error, Exception: chat.on_error}
    app = Starlette(routes=routes, exception_handlers=handlers)
    return [
        Route("/plain.css", _style),
        Mount("/chat", app=Guard(app, origin_rule(settings.public_url, ()), HEADERS)),
    ]


class PlainChat:
    """The pages."""

    def __init__(self, channel: WebChannel, casework: Casework, settings: Settings) -> None:
        self._channel, self._casework = channel, casework
        self._tokens = Tokens(settings.secret_key.get_secret_value(), purpose="plain", lifetime=RENEWABLE)
        self._secure = settings.public_url.startswith("https://")

    async def show(self, request: Request) -> Response:
        """GET /chat/plain: the conversation; without one, what this is and a button to begin."""
        conversation = await self._conversation(request)
        if conversation is not None:
            self._channel.limits.take("streams", request, conversation)
            return await self._chat(conversation, patient=True)
        unkept = "begun" in request.query_params and COOKIE not in request.cookies
        return await self._start("plain.no_cookie" if unkept else "")

    async def start(self, request: Request) -> Response:
        """POST /chat/plain/start: begin a conversation, or go on with the one there is."""
        conversation = await self._conversation(request) or await self._begin(request)
        return self._go_on(conversation, "?begun")

    async def receive(self, request: Request) -> Response:
        """POST /chat/plain: store words, a pressed button, or a file."""
        conversation, notice = await self._conversation(request), ""
        if conversation is None:
            conversation, notice = await self._begin(request), "plain.ended"
        draft = ""
        try:
            async with self._form(request, conversation) as form:
                draft = _field(form, "text")
                if not await self._store(request, conversation, form):
                    notice = "plain.empty"
        except ApiError as refused:
            response = await self._chat(conversation, Form(_new_id(), draft, refused.message), refused.status)
            response.headers.update(refused.headers or {})
        else:
            if not notice:
                return self._go_on(conversation)
            response = await self._chat(conversation, Form(_new_id(), notice=self._words(notice)))
        self._remember(response, conversation)
        return response

    async def send_file(self, request: Request) -> Response:
        """GET /chat/plain/files/<id>: a file of one's own case, always as a download."""
        conversation = await self._conversation(request)
        if conversation is None:
            raise HTTPException(404)
        return await self._channel.file_response(conversation, request.path_params["file_id"])

    async def leave(self, request: Request) -> Response:
        """POST /chat/plain/leave: forget the conversation on this device, and go to a page that says nothing."""
        response = RedirectResponse(f"{PATH}/left", 303, headers={"Clear-Site-Data": '"cache"'})  # "Back" shows nothing
        response.delete_cookie(COOKIE, path=COOKIE_PATH)
        return response

    async def left(self, request: Request) -> Response:
        """GET /chat/plain/left: nothing."""
        return HTMLResponse(plain_page.blank())

    async def ask_to_delete(self, request: Request) -> Response:
        """GET /chat/plain/delete: the question before everything is deleted."""
        if await self._conversation(request) is None:
            return RedirectResponse(PATH, 303)
        return self._page(plain_page.ask_to_delete(self._words))

    async def delete(self, request: Request) -> Response:
        """POST /chat/plain/delete: delete everything of the conversation's case, at once."""
        conversation = await self._conversation(request)
        if conversation is not None:
            with contextlib.suppress(LookupError):  # it is gone already
                await self._channel.erase(conversation)
        return RedirectResponse(f"{PATH}#{NEWEST}", 303)

    # What is refused, and what failed.

    async def on_refused(self, request: Request, error: Exception) -> Response:
        """An answer other than success, as a page."""
        assert isinstance(error, ApiError)  # noqa: S101 - Starlette calls us with nothing else
        response = await self._start(status=error.status, notice=error.message)
        response.headers.update(error.headers or {})
        return response

    async def on_http_error(self, request: Request, error: Exception) -> Response:
        """An unknown address, or the wrong method."""
        status = error.status_code if isinstance(error, HTTPException) else 404
        return await self._start("plain.nothing_here", status)

    async def on_error(self, request: Request, error: Exception) -> Response:
        """Something failed on our side; the guard around us writes it down."""
        return self._page(f"<p>{plain_page.safe(self._words('plain.failed'))}</p>", 500)

    # The parts.

    async def _conversation(self, request: Request) -> str | None:
        """The conversation that this browser's cookie is for, as long as it exists."""
        try:
            conversation = self._tokens.read(request.cookies.get(COOKIE, ""))
        except (TokenExpired, TokenInvalid):
            return None
        return conversation if await self._casework.is_open(conversation) else None

    async def _begin(self, request: Request) -> str:
        self._channel.limits.take("sessions", request)
        conversation = await self._casework.open_conversation("web", uuid4().hex)
        await self._channel.store(conversation, uuid4(), Inbound(kind="text", text=START))
        return conversation

    @contextlib.asynccontextmanager
    async def _form(self, request: Request, conversation: str) -> AsyncIterator[FormData]:
        self._channel.limits.take("messages", request, conversation)
        form = await self._channel.read_form(request, conversation)
        try:
            yield form
        finally:
            await form.close()

    async def _store(self, request: Request, conversation: str, form: FormData) -> bool:
        """Store what a form brings. False when it brings nothing."""
        text, choice, upload = clean_text(_field(form, "text")), _field(form, "choice"), form.get("file")
        form_id = _uuid(_field(form, "id"))
        if isinstance(upload, UploadFile) and upload.filename:
            self._channel.limits.take("files", request, conversation)
            said = uuid5(form_id, f"file {upload.filename} {upload.size} {text}")
            await self._channel.store_file(conversation, said, upload, text)
        elif choice:
            await self._channel.store(
                conversation, uuid5(form_id, f"choice {choice}"), Inbound(kind="choice", choice=choice[:64])
            )
        elif text.strip():
            await self._channel.store(conversation, uuid5(form_id, f"text {text}"), Inbound(kind="text", text=text))
        else:
            return False
        return True

    def _go_on(self, conversation: str, query: str = "") -> Response:
        """Show the conversation anew, so that loading the page again sends nothing again."""
        response = RedirectResponse(f"{PATH}{query}#{NEWEST}", 303)
        self._remember(response, conversation)
        return response

    def _remember(self, response: Response, conversation: str) -> None:
        response.set_cookie(
            COOKIE,
            self._tokens.issue(conversation),
            path=COOKIE_PATH,
            secure=self._secure,
            httponly=True,
            samesite="lax",  # a link from elsewhere may lead to the conversation; a form from elsewhere may not
        )

    async def _chat(
        self, conversation: str, form: Form | None = None, status: int = 200, *, patient: bool = False
    ) -> Response:
        """The conversation as a page. `patient`: an answer of the assistant is waited for a while."""
        events = await self._events(conversation)
        standing = await self._casework.standing(conversation)
        if patient and events and events[-1]["role"] == "patient" and not standing["holder"]:
            newest = events[-1]["seq"]
            seconds = RELAYED_SECONDS if 0 < standing["first"] <= newest else ANSWER_SECONDS
            events += await self._channel.wait_for_events(conversation, newest, seconds)
            standing = await self._casework.standing(conversation)
        return self._page(plain_page.chat(self._words, events, standing, form or Form(_new_id())), status)

    async def _events(self, conversation: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        while more := await self._casework.events_after(conversation, events[-1]["seq"] if events else 0):
            events += more
        return events

    async def _start(self, say: str = "", status: int = 200, *, notice: str = "") -> Response:
        telegram = await self._casework.telegram_username()
        return self._page(plain_page.start(self._words, telegram, notice or (self._words(say) if say else "")), status)

    def _page(self, body: str, status: int = 200) -> Response:
        return HTMLResponse(plain_page.page(self._words, body), status)

    def _words(self, say: str, **args: object) -> str:
        return speak(self._casework.guide, say, args, Voice())


def _field(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def _new_id() -> str:
    return str(uuid4())


def _uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise ApiError(400, "bad_id", "This page is too old. Please load it again.") from None


async def _style(request: Request) -> Response:
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    return FileResponse(STATIC / "plain.css", media_type="text/css", headers=headers)
