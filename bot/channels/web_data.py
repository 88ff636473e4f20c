"""What is kept about a person, behind a link that is good once: a page, the data, and the files.

A link is opened in two steps, since messengers and mail programs open links by themselves to show what is behind them:
the first shows a button, and only that uses the link up. Then a signed cookie is good for ten minutes.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route

from bot.casework import Casework
from bot.casework.mydata import MyData
from bot.channels import web_files
from bot.channels.data_page import DATA_NAME, PAGE_NAME, STYLE_HASH, as_json, as_page, page, safe
from bot.render import Voice, speak
from bot.settings import Settings
from bot.tokens import TokenExpired, TokenInvalid, Tokens

PATH, COOKIE = "/mydata", "mydata"
SECONDS = 600
IN_MEMORY = 4 * 1024 * 1024  # larger archives are put together on disk
PIECE = 64 * 1024
_CODE, _FILE = re.compile(r"[A-Za-z0-9_-]{16,64}"), re.compile(r"[a-f0-9]{32}")

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {STYLE_HASH}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def create_data_routes(casework: Casework, settings: Settings) -> list[BaseRoute]:
    """The routes of what is kept about a person."""
    pages = DataPages(casework, settings)
    routes = [
        Route("/", pages.show),
        Route("/data.json", pages.data),
        Route("/files.zip", pages.archive),
        Route("/files/{file}", pages.file),
        Route("/{code}", pages.offer, methods=["GET"]),
        Route("/{code}", pages.open, methods=["POST"]),
    ]
    return [Mount(PATH, routes=routes)]


class DataPages:
    """The endpoints."""

    def __init__(self, casework: Casework, settings: Settings) -> None:
        self._casework, self._files_dir = casework, settings.files_dir
        self._passes = Tokens(settings.secret_key.get_secret_value(), purpose="mydata", lifetime=SECONDS)
        self._secure = settings.public_url.startswith("https://")

    async def offer(self, request: Request) -> Response:
        """GET /mydata/<code>: a button. It looks the same for every code."""
        button = f'<form method="post"><button>{safe(self._words("mydata.open_button"))}</button></form>'
        text = safe(self._words("mydata.open", minutes=SECONDS // 60))
        return self._page(f"<h1>{safe(self._words('mydata.title'))}</h1><p>{text}</p>{button}")

    async def open(self, request: Request) -> Response:
        """POST /mydata/<code>: use the link up, and go on to the page."""
        code = request.path_params["code"]
        case = await self._casework.use_data_link(code) if _CODE.fullmatch(code) else None
        if case is None:
            return self._gone()
        response = RedirectResponse(f"{PATH}/", 303, headers=HEADERS)
        response.set_cookie(
            COOKIE,
            self._passes.issue(case),
            max_age=SECONDS,
            path=PATH,
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )
        return response

    async def show(self, request: Request) -> Response:
        """GET /mydata/: the page."""
        mine = await self._mine(request)
        return HTMLResponse(as_page(mine, links=True), headers=HEADERS) if mine is not None else self._gone()

    async def data(self, request: Request) -> Response:
        """GET /mydata/data.json: the same for programs."""
        mine = await self._mine(request)
        if mine is None:
            return self._gone()
        named = {"Content-Disposition": f'attachment; filename="{DATA_NAME}"'}
        return Response(as_json(mine), media_type="application/json", headers=HEADERS | named)

    async def file(self, request: Request) -> Response:
        """GET /mydata/files/<id>: one file, always as a download."""
        case, file_id = self._case(request), request.path_params["file"]
        stored = await self._casework.my_file(case, file_id) if case and _FILE.fullmatch(file_id) else None
        path = web_files.locate(self._files_dir, stored.path) if stored is not None else None
        if stored is None or path is None:
            return self._gone()
        return web_files.download(path, stored.key, stored.name, stored.mime, HEADERS)

    async def archive(self, request: Request) -> Response:
        """GET /mydata/files.zip: the page, the data and the files in one."""
        mine, case = await self._mine(request), self._case(request)
        if mine is None or case is None:
            return self._gone()
        files = []
        for number, file in enumerate(mine.files, start=1):
            stored = await self._casework.my_file(case, file.id)
            path = web_files.locate(self._files_dir, stored.path) if stored is not None else None
            if stored is not None and path is not None:
                files.append((f"files/{number:03}-{web_files.clean_name(file.name)}", path, stored.key))
        packed = await run_in_threadpool(_packed, mine, files)
        named = {"Content-Disposition": 'attachment; filename="my-data.zip"'}
        return StreamingResponse(_pieces(packed), media_type="application/zip", headers=HEADERS | named)

    def _case(self, request: Request) -> str | None:
        try:
            return self._passes.read(request.cookies.get(COOKIE, ""))
        except (TokenExpired, TokenInvalid):
            return None

    async def _mine(self, request: Request) -> MyData | None:
        case = self._case(request)
        return await self._casework.my_data(case) if case is not None else None

    def _gone(self) -> Response:
        return self._page(f"<p>{safe(self._words('mydata.gone'))}</p>", 404)

    def _page(self, body: str, status: int = 200) -> Response:
        return HTMLResponse(page(self._words("mydata.title"), body), status, headers=HEADERS)

    def _words(self, say: str, **args: object) -> str:
        return speak(self._casework.guide, say, args, Voice())


def _packed(mine: MyData, files: Sequence[tuple[str, Path, str]]) -> IO[bytes]:
    packed = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed once it was sent
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(PAGE_NAME, as_page(mine, links=False))
        archive.writestr(DATA_NAME, as_json(mine))
        for name, path, key in files:
            with archive.open(name, "w") as packing:
                for piece in web_files.pieces(path, key):
                    packing.write(piece)
    packed.seek(0)
    return packed


def _pieces(packed: IO[bytes]) -> Iterator[bytes]:
    with packed:
        while piece := packed.read(PIECE):
            yield piece
