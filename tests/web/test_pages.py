"""The demo page and the widget's script, as they are served."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import shutil
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from bot.channels import web_pages
from tests.web.conftest import ONE_LOOP, PARTNER

pytestmark = ONE_LOOP


async def test_the_demo_page_lets_in_no_third_party(http: httpx.AsyncClient):
    response = await http.get("/")
    policy = dict(part.strip().split(" ", 1) for part in response.headers["content-security-policy"].split(";"))
    assert response.status_code == 200
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "img-src", "connect-src")} == {"'self'"}
    assert policy["require-trusted-types-for"] == "'script'"
    assert policy["frame-ancestors"] == "http://127.0.0.1:9"  # the sandbox shows the site
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"


async def test_the_demo_page_says_what_this_is_and_is_not(http: httpx.AsyncClient):
    page = (await http.get("/")).text
    assert "coordination service, not a medical provider" in page
    assert "Not for emergencies." in page
    assert "data-waypoint-open" in page
    assert '<script src="/widget.js"' in page


async def test_the_script_may_be_loaded_by_other_sites_and_is_asked_for_anew(http: httpx.AsyncClient):
    response = await http.get("/widget.js", headers={"Origin": PARTNER})
    assert response.headers["content-type"].startswith("text/javascript")
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert response.headers["cache-control"] == "no-cache"


async def test_a_script_that_did_not_change_is_not_sent_again(http: httpx.AsyncClient):
    tag = (await http.get("/widget.js")).headers["etag"]
    again = await http.get("/widget.js", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_version_of_the_script_never_changes_and_is_checked_by_its_digest(http: httpx.AsyncClient):
    page = html.unescape((await http.get("/")).text)
    found = re.search(r'src="http://127[^/]*(/widget-[0-9a-f]{12}[.]js)" integrity="sha384-([^"]+)"', page)
    assert found is not None
    response = await http.get(found[1])
    assert base64.b64encode(hashlib.sha384(response.content).digest()).decode() == found[2]
    assert "immutable" in response.headers["cache-control"]
    assert (await http.get("/widget-000000000000.js")).status_code == 404
    assert (await http.get("/widget-..%2f..%2fsettings.js")).status_code == 404


async def test_an_older_version_that_was_pinned_is_still_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    shutil.copytree(web_pages.STATIC, tmp_path / "static")
    (tmp_path / "static/pinned").mkdir(exist_ok=True)
    (tmp_path / "static/pinned/widget-0123456789ab.js").write_text("/* older */")
    monkeypatch.setattr(web_pages, "STATIC", tmp_path / "static")
    app = Starlette(routes=web_pages.create_page_routes(""))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        older = await client.get("/widget-0123456789ab.js")
        arabic, _ = web_pages.version(web_pages.STATIC / "widget.ar.js")
        assert (older.text, "immutable" in older.headers["cache-control"]) == ("/* older */", True)
        assert (await client.get(f"/{arabic}")).content == (web_pages.STATIC / "widget.ar.js").read_bytes()


@pytest.mark.parametrize(("lang", "script"), [("ar", "widget.ar.js"), ("ar-EG", "widget.ar.js"), ("xx", "widget.js")])
async def test_the_chats_own_page_speaks_the_language_and_is_framed_by_sites_on_the_list_only(
    http: httpx.AsyncClient, lang: str, script: str
):
    response = await http.get("/chat", params={"lang": lang})
    assert f'<script src="/{script}" data-mode="inside"' in response.text
    assert f"frame-ancestors 'self' {PARTNER};" in response.headers["content-security-policy"]
    assert "Not for emergencies." in response.text
    assert (await http.get(f"/{script}")).status_code == 200


async def test_a_language_in_the_address_never_becomes_markup(http: httpx.AsyncClient):
    response = await http.get("/chat", params={"lang": '"><script>alert(1)</script>'})
    assert "alert" not in response.text
    assert '<html lang="en">' in response.text


@pytest.mark.parametrize("path", ["/demo.css", "/icon.svg"])
async def test_what_the_page_needs_is_served(http: httpx.AsyncClient, path: str):
    assert (await http.get(path)).status_code == 200


@pytest.mark.parametrize(
    "path", ["/demo.html", "/static/widget.js", "/..%2fsettings.py", "/widget.js/../../settings.py"]
)
async def test_nothing_else_of_the_folder_is_served(http: httpx.AsyncClient, path: str):
    assert (await http.get(path)).status_code == 404
