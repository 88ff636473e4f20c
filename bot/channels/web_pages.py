"""The pages the bot serves itself: the demo page, its style, and the widget's one script."""

from __future__ import annotations

import html
import string
from pathlib import Path

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
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
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


def create_page_routes(sandbox_url: str) -> list[BaseRoute]:
    """Routes of `/`, `/widget.js` and the demo page's style. `sandbox_url`, where set, is linked to from the page."""
    files = StaticFiles(directory=STATIC)
    page = demo_page(sandbox_url)
    headers = dict(PAGE_HEADERS)
    if sandbox_url:  # its page shows ours beside the phone and the group
        policy = headers["Content-Security-Policy"]
        headers["Content-Security-Policy"] = policy.replace(
            "frame-ancestors 'none'", f"frame-ancestors {sandbox_url.rstrip('/')}"
        )

    async def demo(request: Request) -> Response:
        return HTMLResponse(page, headers=headers)

    async def widget(request: Request) -> Response:
        return await _file(request, "widget.js", SCRIPT_HEADERS)

    async def style(request: Request) -> Response:
        return await _file(request, "demo.css", PAGE_HEADERS)

    async def icon(request: Request) -> Response:
        return await _file(request, "icon.svg", PAGE_HEADERS)

    async def _file(request: Request, name: str, headers: dict[str, str]) -> Response:
        response = await files.get_response(name, request.scope)
        response.headers.update(headers)
        return response

    return [Route("/", demo), Route("/widget.js", widget), Route("/demo.css", style), Route("/icon.svg", icon)]


def demo_page(sandbox_url: str) -> str:
    """The demo page's HTML, with a link to the coordinators' side where there is a sandbox to show it."""
    template = string.Template((STATIC / "demo.html").read_text(encoding="utf-8"))
    link = ""
    if sandbox_url.startswith(("http://", "https://")):
        address = html.escape(f"{sandbox_url.rstrip('/')}/sandbox")
        link = f'<a class="desk" href="{address}">See the coordinators&rsquo; side</a>'
    return template.substitute(desk=link)
