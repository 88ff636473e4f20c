"""The chat without JavaScript: pages and forms, by a client and in a browser whose scripts are switched off."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Page, expect

from bot import qr, store
from bot.casework.links import USERNAME
from bot.channels import web_plain
from bot.guide import Guide
from tests.web.conftest import DEADLINE, ONE_LOOP, PARTNER, Site, choices, each, text
from tests.web.test_widget import card
from tests.web.test_widget_access import PHONE, violations

pytestmark = ONE_LOOP
PATH = "/chat/plain"
MULTIPART = {"Content-Type": "multipart/form-data; boundary=line"}
NO_FILE = (  # what a browser sends where nothing was written and no file was chosen
    b'--line\r\nContent-Disposition: form-data; name="id"\r\n\r\n%s\r\n'
    b'--line\r\nContent-Disposition: form-data; name="text"\r\n\r\n  \r\n'
    b'--line\r\nContent-Disposition: form-data; name="file"; filename=""\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n\r\n--line--\r\n"
)


@each
async def plain(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The site with the words that people really read; here nobody answers, so nobody waits for an answer."""
    monkeypatch.setattr(web_plain, "ANSWER_SECONDS", 0)
    object.__setattr__(site.casework, "guide", Guide.load())
    return site


@each
async def client(plain: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without scripts."""
    async with httpx.AsyncClient(base_url=plain.address, timeout=DEADLINE, follow_redirects=True) as client:
        yield client


def form_id(page: httpx.Response) -> str:
    """The id that the page's forms carry."""
    found = re.search(r'name="id" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


def fields(**values: str) -> dict[str, Any]:
    """Fields as a browser's form sends them."""
    return {name: (None, value.encode()) for name, value in values.items()}


async def begun(client: httpx.AsyncClient) -> httpx.Response:
    """Begin a conversation. Returns its page."""
    return await client.post(f"{PATH}/start")


async def conversation(site: Site) -> str:
    """The one conversation there is."""
    async with site.casework.reading() as session:
        [found] = (await session.execute(store.select(store.Conversation.id))).scalars()
    return str(found)


async def heard(site: Site) -> list[str]:
    """What the server holds of the person's words."""
    events = await site.casework.events_after(await conversation(site), 0)
    return [block.get("text", "") for e in events if e["role"] == "patient" for block in e["blocks"]]


async def test_before_it_is_begun_it_says_what_this_is_and_whom_to_ask_and_stores_nothing(
    plain: Site, client: httpx.AsyncClient
):
    async with plain.casework.transaction() as session:
        await store.set_fact(session, USERNAME, "waypoint_sample_bot")
    page = await client.get(PATH)
    assert page.status_code == 200
    for words in (
        "Not for emergencies.",
        "not a medical provider",
        "ask for a person",
        "https://t.me/waypoint_sample_bot",
    ):
        assert words in page.text
    assert "set-cookie" not in page.headers
    assert "script" not in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"


async def test_words_are_stored_and_answered_on_the_page(plain: Site, client: httpx.AsyncClient):
    page = await begun(client)
    page = await client.post(PATH, files=fields(id=form_id(page), text="Will my doctor be offended?\r\nI fear so."))
    assert page.url.path == PATH
    assert "Will my doctor be offended?\nI fear so." in page.text
    assert "There is no answer yet." in page.text
    assert "/start" not in page.text.split("<ol")[1].split("</ol>")[0]
    await plain.say(await conversation(plain), text("Most doctors understand.\n\nhttps://example.org/help."))
    page = await client.get(PATH)
    assert "Assistant (automated)" in page.text
    assert '<a href="https://example.org/help" rel="noopener noreferrer">https://example.org/help</a>.' in page.text
    assert await heard(plain) == ["/start", "Will my doctor be offended?\nI fear so."]


async def test_an_answer_of_the_assistant_is_waited_for(
    plain: Site, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    page = await begun(client)
    monkeypatch.setattr(web_plain, "ANSWER_SECONDS", 60)
    waited: list[int] = []
    wait = web_plain.PlainChat._chat

    async def answered(chat: Any, conversation: str, *rest: Any, **more: Any) -> Any:
        if more.get("patient") and not waited:
            waited.append(await plain.say(conversation, text("The answer.")))
        return await wait(chat, conversation, *rest, **more)

    monkeypatch.setattr(web_plain.PlainChat, "_chat", answered)
    page = await client.post(PATH, files=fields(id=form_id(page), text="A question."))
    assert "The answer." in page.text
    assert "There is no answer yet." not in page.text


async def test_what_was_sent_twice_stands_once_and_other_words_in_an_old_form_are_not_lost(
    plain: Site, client: httpx.AsyncClient
):
    old = form_id(await begun(client))
    for words in ("one", "one", "two"):
        await client.post(PATH, files=fields(id=old, text=words))
    assert await heard(plain) == ["/start", "one", "two"]


async def test_a_choice_is_a_button_until_it_is_used(plain: Site, client: httpx.AsyncClient):
    await begun(client)
    await plain.say(await conversation(plain), text("For whom?"), choices("For me", "For someone else"))
    page = await client.get(PATH)
    button = re.search(r'name="choice" value="([^"]+)"[^>]*>For me<', page.text)
    assert button is not None
    page = await client.post(PATH, files=fields(id=form_id(page), choice=button[1]))
    assert 'name="choice"' not in page.text
    assert "Choices given: For me · For someone else" in page.text
    assert await heard(plain) == ["/start", "For me"]


async def test_a_file_is_kept_and_can_be_fetched_again(plain: Site, client: httpx.AsyncClient):
    page = await begun(client)
    sent = fields(id=form_id(page), text="from last week") | {"file": ("report.pdf", b"%PDF-1.7 sample")}
    page = await client.post(PATH, files=sent)
    assert "File: report.pdf" in page.text
    assert "from last week" in page.text
    found = re.search(rf'href="({PATH}/files/[^"]+)"', page.text)
    assert found is not None
    file = await client.get(found[1])
    assert (file.content, "attachment" in file.headers["content-disposition"]) == (b"%PDF-1.7 sample", True)
    client.cookies.clear()
    assert (await client.get(found[1])).status_code == 404


async def test_a_file_that_is_refused_says_why_and_the_words_beside_it_are_still_there(
    plain: Site, client: httpx.AsyncClient
):
    page = await begun(client)
    sent = fields(id=form_id(page), text="my long words") | {"file": ("viewer.exe", b"MZ" + b"\0" * 100)}
    page = await client.post(PATH, files=sent)
    assert page.status_code == 415
    assert "Programs cannot be sent here." in page.text
    assert ">my long words</textarea>" in page.text
    assert list(plain.settings.files_dir.glob("*")) == []


async def test_an_empty_message_says_so(plain: Site, client: httpx.AsyncClient):
    page = await begun(client)
    page = await client.post(PATH, content=NO_FILE % form_id(page).encode(), headers=MULTIPART)
    assert "Please write something first" in page.text
    assert await heard(plain) == ["/start"]


async def test_words_never_become_markup(plain: Site, client: httpx.AsyncClient):
    page = await begun(client)
    nasty = "<script>alert(1)</script><img src=x onerror=alert(1)> javascript:alert(1) \" '"
    page = await client.post(PATH, files=fields(id=form_id(page), text=nasty))
    await plain.say(await conversation(plain), text(nasty), role="coordinator", name="<b>Mei</b> Sample")
    page = await client.get(PATH)
    assert "<script" not in page.text
    assert "<img" not in page.text
    assert "<b>Mei" not in page.text
    assert 'href="javascript' not in page.text


async def test_a_person_is_told_from_the_machine(plain: Site, client: httpx.AsyncClient):
    await begun(client)
    there = await conversation(plain)
    await plain.hands_over(there, "human.joined", "Mei Sample", holder="Mei Sample")
    await plain.say(there, text("I am Mei."), role="coordinator", name="Mei Sample")
    page = await client.get(PATH)
    assert "Mei Sample (a person)" in page.text
    assert "You are talking with Mei Sample \N{EN DASH} a person, not a medical provider." in page.text


async def test_a_step_and_a_code_are_drawn(plain: Site, client: httpx.AsyncClient):
    await begun(client)
    steps = {"type": "steps", "at": 3, "total": 12}
    await plain.say(
        await conversation(plain), text("Question 3 of 12"), steps, qr.block("To Telegram", "https://t.me/x")
    )
    page = await client.get(PATH)
    assert '<progress max="12" value="3"' in page.text
    assert '<svg viewBox="-4 -4 ' in page.text
    assert "<figcaption>To Telegram</figcaption>" in page.text


async def test_leaving_forgets_the_conversation_on_this_device_and_shows_nothing(
    plain: Site, client: httpx.AsyncClient
):
    page = await begun(client)
    page = await client.post(PATH, files=fields(id=form_id(page), text="something private"))
    page = await client.post(f"{PATH}/leave")
    assert re.sub(r"<[^>]*>", "", page.text).strip() == "…"
    assert not client.cookies
    assert "something private" not in (await client.get(PATH)).text


async def test_everything_is_deleted_after_one_question(plain: Site, client: httpx.AsyncClient):
    page = await begun(client)
    await client.post(PATH, files=fields(id=form_id(page), text="my secret"))
    assert "cannot be undone" in (await client.get(f"{PATH}/delete")).text
    assert "my secret" in await heard(plain)
    page = await client.post(f"{PATH}/delete")
    assert "my secret" not in page.text
    assert "my secret" not in await heard(plain)


async def test_words_into_a_conversation_that_is_gone_begin_a_new_one(plain: Site, client: httpx.AsyncClient):
    old = form_id(await begun(client))
    client.cookies.clear()
    page = await client.post(PATH, files=fields(id=old, text="still me"))
    assert "This is a new one." in page.text
    assert "still me" in page.text
    assert "still me" in (await client.get(PATH)).text


async def test_the_cookie_is_no_scripts_and_no_other_sites_and_no_other_pages(plain: Site, client: httpx.AsyncClient):
    answer = await client.post(f"{PATH}/start", follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=lax", "path=/chat"))
    assert "max-age" not in cookie
    assert "expires" not in cookie


async def test_forms_of_other_sites_are_refused(plain: Site, client: httpx.AsyncClient):
    page = await begun(client)
    for origin in (PARTNER, "null", "https://evil.example"):
        sent = fields(id=form_id(page), text="not mine")
        assert (await client.post(PATH, files=sent, headers={"Origin": origin})).status_code == 403
        assert (await client.post(f"{PATH}/delete", headers={"Origin": origin})).status_code == 403
    assert await heard(plain) == ["/start"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"id=x&text=y", "application/x-www-form-urlencoded"),
        (b"--a\r\n", "multipart/form-data; boundary=a"),
        (b"", "multipart/form-data"),
    ],
)
async def test_a_form_that_is_none_is_refused_in_words(plain: Site, client: httpx.AsyncClient, body: bytes, kind: str):
    await begun(client)
    page = await client.post(PATH, content=body, headers={"Content-Type": kind})
    assert page.status_code in (400, 415)
    assert "Not for emergencies." in page.text
    assert await heard(plain) == ["/start"]


async def test_too_much_of_one_conversation_is_refused_and_the_words_stay_on_the_page(
    plain: Site, client: httpx.AsyncClient
):
    object.__setattr__(plain.casework, "messages_per_minute", 1)
    page = await begun(client)
    for number in range(6):
        page = await client.post(PATH, files=fields(id=str(uuid4()), text=f"word {number}"))
    assert page.status_code == 429
    assert ">word 5</textarea>" in page.text


async def test_an_unknown_address_is_a_page(plain: Site, client: httpx.AsyncClient):
    page = await client.get("/chat/plain/nowhere")
    assert (page.status_code, "There is nothing at this address." in page.text) == (404, True)


# In a browser


@each
async def page(plain: Site, browser: Any) -> AsyncIterator[Page]:
    """A browser whose scripts are switched off."""
    context = await browser.new_context(java_script_enabled=False, **PHONE)
    context.set_default_timeout(DEADLINE * 1000)
    yield await context.new_page()
    await context.close()


async def test_from_the_demo_page_it_is_reached_and_used_by_the_keyboard(plain: Site, page: Page):
    await page.goto(plain.address)
    await page.get_by_role("link", name="without JavaScript").click()
    start = page.get_by_role("button", name="Start the conversation")
    await start.focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("Your message").focus()
    await page.keyboard.type("Hello there")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("listitem").filter(has_text="Hello there")).to_be_visible()
    await expect(page.get_by_text("Not for emergencies.")).to_be_in_viewport()
    for words in ("An answer.", "One more."):
        await plain.say(await conversation(plain), text(words))
        await page.get_by_role("link", name="Look for new messages").click()
        await expect(page.get_by_text(words)).to_be_in_viewport()
    await page.get_by_role("button", name="I would like to talk to a person").click()
    await expect(page.get_by_role("listitem").filter(has_text="I would like to talk to a person")).to_be_visible()
    await page.get_by_role("button", name="Leave, and clear this device").click()
    await expect(page).to_have_url(f"{plain.address}{PATH}/left")
    await page.go_back()
    await expect(page.get_by_role("button", name="Start the conversation")).to_be_visible()
    await expect(page.get_by_text("Hello there")).to_have_count(0)
    assert await page.context.cookies() == []


async def test_axe_finds_nothing_in_the_plain_page(plain: Site, visiting: Callable[..., Any]):
    visit = await visiting(**PHONE, bypass_csp=True)
    await visit.page.goto(f"{plain.address}{PATH}")
    found = {"before": await violations(visit.page)}
    await visit.page.get_by_role("button", name="Start the conversation").click()
    there = await conversation(plain)
    await plain.say(there, text("Which records do you have?"), card(3), choices("Some", "None"))
    await plain.say(there, text("I am Mei."), role="coordinator", name="Mei Sample")
    await visit.page.get_by_role("link", name="Look for new messages").click()
    await expect(visit.page.get_by_text("3 of 6 ready")).to_be_visible()
    found["a conversation"] = await violations(visit.page)
    await visit.page.get_by_role("link", name="Delete my conversation").click()
    found["deleting"] = await violations(visit.page)
    assert {state: wrong for state, wrong in found.items() if wrong} == {}
    assert await visit.page.evaluate("document.documentElement.scrollWidth") == 320
