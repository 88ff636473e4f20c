"""The pages the bot serves itself: the demo page, the chat as a page for a frame, and the widget's scripts.

A site that wants to know for sure what it embeds names a version of the script, `/widget-<version>.js`, with the digest
that the demo page shows: its content never changes. `/widget.js` is always the newest.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import string
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).resolve().parent.parent / "static"

# No third party, no inline script or style, no frame around it; text can only become markup through the widget's own
# templates (Trusted Types).
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types lit-html"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

# Other sites load the script, so it may cross origins; `no-cache` makes browsers ask whether it changed.
SCRIPT_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


FOREVER = "public, max-age=31536000, immutable"
LANGUAGE = re.compile(r"[a-z]{2,3}")


def create_page_routes(sandbox_url: str, public_url: str = "", origins: Sequence[str] = ()) -> list[BaseRoute]:
    """Routes of `/`, `/chat` and the scripts. `sandbox_url`, where set, is linked to from the demo page.

    `origins` are the sites that may show the chat in a frame; `public_url` is our address as they see it.
    """
    files = StaticFiles(directory=STATIC)
    headers = dict(PAGE_HEADERS)
    if sandbox_url:  # its page shows ours beside the phone and the group
        headers = _framed_by(sandbox_url.rstrip("/"))
    pinned, integrity = version(STATIC / "widget.js")
    current = {version(path)[0]: path.name for path in STATIC.glob("widget*.js")}

    async def demo(request: Request) -> Response:
        address = public_url.rstrip("/") or str(request.base_url).rstrip("/")
        in_frame = request.query_params.get("mode") == "iframe"
        page = demo_page(sandbox_url, address, f"{address}/{pinned}", integrity, in_frame=in_frame)
        return HTMLResponse(page, headers=headers)

    async def chat(request: Request) -> Response:
        return HTMLResponse(chat_page(request.query_params.get("lang", "")), headers=_framed_by("'self'", *origins))

    async def widget(request: Request) -> Response:
        return await _file(request, request.url.path.removeprefix("/"), SCRIPT_HEADERS)

    async def widget_version(request: Request) -> Response:
        name = f"widget-{request.path_params['digest']}.js"
        headers = {**SCRIPT_HEADERS, "Cache-Control": FOREVER}
        return await _file(request, current.get(name, f"pinned/{name}"), headers)

    async def style(request: Request) -> Response:
        return await _file(request, "demo.css", PAGE_HEADERS)

    async def icon(request: Request) -> Response:
        return await _file(request, "icon.svg", PAGE_HEADERS)

    async def _file(request: Request, name: str, headers: dict[str, str]) -> Response:
        response = await files.get_response(name, request.scope)
        response.headers.update(headers)
        return response

    scripts = [Route(f"/{path.name}", widget) for path in sorted(STATIC.glob("widget*.js"))]
    return [
        Route("/", demo),
        Route("/chat", chat),
        *scripts,
        Route("/widget-{digest:str}.js", widget_version),
        Route("/demo.css", style),
        Route("/icon.svg", icon),
    ]


def version(script: Path) -> tuple[str, str]:
    """The name under which a script never changes, and the digest by which a browser checks it."""
    content = script.read_bytes()
    digest = base64.b64encode(hashlib.sha384(content).digest()).decode()
    return f"widget-{hashlib.sha256(content).hexdigest()[:12]}.js", f"sha384-{digest}"


def demo_page(sandbox_url: str, own: str = "", script: str = "", integrity: str = "", *, in_frame: bool = False) -> str:
    """The demo page's HTML, with a link to the coordinators' side where there is a sandbox to show it beside `own`."""
    template = string.Template((STATIC / "demo.html").read_text(encoding="utf-8"))
    link = ""
    if sandbox_url.startswith(("http://", "https://")):
        address = html.escape(f"{sandbox_url.rstrip('/')}/sandbox?widget={quote(own, safe='')}")
        link = f'<a class="desk" href="{address}" target="_top">See the coordinators&rsquo; side</a>'
    snippet = f'<script src="{script}" integrity="{integrity}" crossorigin="anonymous" defer></script>'
    return template.substitute(
        desk=link,
        mode=' data-mode="iframe"' if in_frame else "",
        snippet=html.escape(snippet),
    )


def chat_page(lang: str) -> str:
    """The chat as a page of its own, for a frame on another site."""
    own = LANGUAGE.match(lang.lower())
    script = f"widget.{own[0]}.js" if own and (STATIC / f"widget.{own[0]}.js").exists() else "widget.js"
    template = string.Template((STATIC / "chat.html").read_text(encoding="utf-8"))
    return template.substitute(lang=own[0] if own else "en", script=script)


def _framed_by(*origins: str) -> dict[str, str]:
    """A page's headers, with these around it."""
    policy = PAGE_HEADERS["Content-Security-Policy"]
    allowed = policy.replace("frame-ancestors 'none'", f"frame-ancestors {' '.join(origins)}")
    return {**PAGE_HEADERS, "Content-Security-Policy": allowed}
