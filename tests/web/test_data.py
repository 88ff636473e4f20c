"""What is kept about a person, as the website shows it: behind a link that is good once, to them alone."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import timedelta

import httpx
import pytest

from bot.casework import Inbound
from bot.casework.mydata import LINK_LIFE
from bot.guide import Guide
from bot.journey import Heard
from tests.web.conftest import ONE_LOOP, Person, Site, each

pytestmark = ONE_LOOP
NASTY = '<script>alert("x")</script> & "quotes"\nsecond line'


@each
async def real_guide(site: Site) -> Site:
    """The site with the words that people really read."""
    object.__setattr__(site.casework, "guide", Guide.load())
    return site


async def press(site: Site, person: Person, act: str, **carries: str) -> list[str]:
    """The person presses a button. Returns the ids that are said."""
    turn = (await site.casework.receive(person.conversation, f"{act}{carries}", Inbound("choice", choice="x"))).turn
    heard = Heard("press", pressed={"act": act, **carries})
    return [say.say for say in await site.casework.take_turn(turn, heard, "action_press")]


async def told(site: Site, person: Person) -> None:
    """Somebody agreed, and told and sent something."""
    await press(site, person, "resume")
    await press(site, person, "consent", answer="yes")
    turn = (await site.casework.receive(person.conversation, "words", Inbound("text", text=NASTY))).turn
    await site.casework.take_turn(turn, Heard("service.cost", text=NASTY), "action_inform")
    assert (await person.upload(b"%PDF-1.7 biopsy", '<img src=x onerror="y">.pdf')).status_code == 202


async def link(site: Site, person: Person) -> str:
    """A fresh link to what is kept, as it is told; its path."""
    assert await press(site, person, "mydata") == ["mydata.link"]
    text = (await person.events())[-1]["blocks"][0]["text"]
    found = re.search(r"/mydata/[\w-]+", text)
    assert found is not None
    return found[0]


async def opened(site: Site, person: Person) -> httpx.Response:
    """The page behind a fresh link; the cookie stays with the client."""
    return await person.http.post(await link(site, person), follow_redirects=True)


async def test_a_link_shows_a_button_and_the_button_shows_everything(real_guide: Site, person: Person) -> None:
    await told(real_guide, person)
    path = await link(real_guide, person)
    for _ in range(2):  # messengers look at links by themselves; that uses nothing up
        offer = await person.http.get(path)
        assert (offer.status_code, "<form" in offer.text, "second line" in offer.text) == (200, True, False)
    page = await person.http.post(path, follow_redirects=True)
    assert page.status_code == 200
    assert page.url.path == "/mydata/"
    assert "second line" in page.text
    assert "<script" not in page.text
    assert "<img" not in page.text
    assert "deleted 180 days" in page.text


async def test_a_link_is_good_once_and_for_ten_minutes_and_for_nothing_else(
    real_guide: Site, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await told(real_guide, person)
    path = await link(real_guide, person)
    assert (await person.http.post(path)).status_code == 303
    assert (await person.http.post(path)).status_code == 404
    other = path.rsplit("/", 1)[1]
    turn = (await real_guide.casework.receive(person.conversation, "start", Inbound("start", start=other))).turn
    assert not await real_guide.casework.use_link(turn, other)
    code = "A" * 24
    assert (await person.http.post(f"/mydata/{code}")).status_code == 404
    late = real_guide.casework.now() + LINK_LIFE + timedelta(seconds=1)
    fresh = await _second_link(real_guide, person)
    object.__setattr__(real_guide.casework, "now", lambda: late)
    assert (await person.http.post(fresh)).status_code == 404


async def _second_link(site: Site, person: Person) -> str:
    turn = (await site.casework.receive(person.conversation, "again", Inbound("choice", choice="x"))).turn
    await site.casework.take_turn(turn, Heard("press", pressed={"act": "mydata"}), "action_press")
    found = re.search(r"/mydata/[\w-]+", (await person.events())[-1]["blocks"][0]["text"])
    assert found is not None
    return found[0]


async def test_the_data_holds_words_answers_consent_and_files_and_nothing_of_the_machine(
    real_guide: Site, person: Person
) -> None:
    await told(real_guide, person)
    await opened(real_guide, person)
    answer = await person.http.get("/mydata/data.json")
    assert "attachment" in answer.headers["content-disposition"]
    data = answer.json()
    assert data["consent"]["state"] == "agreed"
    assert NASTY in [message["text"] for message in data["messages"]]
    assert data["told"]["questions"][0]["text"] == NASTY
    (file,) = data["files"]
    assert file["where"] == "here"
    assert not {"step", "said", "trail"} & set(data["told"])
    got = await person.http.get(f"/mydata/files/{file['id']}")
    assert got.content == b"%PDF-1.7 biopsy"
    assert "attachment" in got.headers["content-disposition"]


async def test_everything_in_one_archive_with_safe_names(real_guide: Site, person: Person) -> None:
    await told(real_guide, person)
    await opened(real_guide, person)
    archive = zipfile.ZipFile(io.BytesIO((await person.http.get("/mydata/files.zip")).content))
    page, data, file = archive.namelist()
    assert (page, data) == ("my-data.html", "my-data.json")
    assert re.fullmatch(r"files/001-[^/<>\"]+\.pdf", file)
    assert archive.read(file) == b"%PDF-1.7 biopsy"
    assert json.loads(archive.read(data))["case"]["code"].startswith("WP-")


@pytest.mark.parametrize("path", ["", "data.json", "files.zip", "files/" + "0" * 32])
async def test_nobody_sees_anything_without_the_cookie(real_guide: Site, person: Person, path: str) -> None:
    await told(real_guide, person)
    assert (await person.http.get(f"/mydata/{path}")).status_code == 404
    person.http.cookies.set("mydata", person.token)  # a session's token opens nothing here
    assert (await person.http.get(f"/mydata/{path}")).status_code == 404


async def test_somebody_elses_file_is_not_shown(real_guide: Site, person: Person) -> None:
    await told(real_guide, person)
    await opened(real_guide, person)
    mine = (await person.http.get("/mydata/data.json")).json()["files"][0]["id"]
    async with httpx.AsyncClient(base_url=real_guide.address) as other_http:
        session = (await other_http.post("/api/sessions")).json()
        other = Person(other_http, session["conversation"], session["token"])
        await press(real_guide, other, "resume")
        await opened(real_guide, other)
        assert (await other_http.get("/mydata/data.json")).status_code == 200
        assert (await other_http.get(f"/mydata/files/{mine}")).status_code == 404


async def test_after_everything_was_deleted_the_page_is_gone_too(real_guide: Site, person: Person) -> None:
    await told(real_guide, person)
    assert (await opened(real_guide, person)).status_code == 200
    await press(real_guide, person, "erase")
    for path in ("", "data.json", "files.zip"):
        assert (await person.http.get(f"/mydata/{path}")).status_code == 404


async def test_the_page_lets_in_no_script_and_is_kept_by_no_cache(real_guide: Site, person: Person) -> None:
    await told(real_guide, person)
    page = await opened(real_guide, person)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    cookie = page.history[0].headers["set-cookie"].lower()
    for must in ("httponly", "samesite=strict", "path=/mydata", "max-age=600"):
        assert must in cookie
