"""The demo page and the widget's script, as they are served."""

from __future__ import annotations

import httpx
import pytest

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


@pytest.mark.parametrize("path", ["/demo.css", "/icon.svg"])
async def test_what_the_page_needs_is_served(http: httpx.AsyncClient, path: str):
    assert (await http.get(path)).status_code == 200


@pytest.mark.parametrize(
    "path", ["/demo.html", "/static/widget.js", "/..%2fsettings.py", "/widget.js/../../settings.py"]
)
async def test_nothing_else_of_the_folder_is_served(http: httpx.AsyncClient, path: str):
    assert (await http.get(path)).status_code == 404
