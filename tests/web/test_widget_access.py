"""WCAG 2.2 AA in every main state, judged by axe in a real browser; right to left; a frame; the keyboard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from bot import qr
from tests.web.conftest import ONE_LOOP, Site, Visit, choices, text
from tests.web.test_widget import PHONE, card

pytestmark = ONE_LOOP

AXE = Path(__file__).resolve().parents[2] / "widget/node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DESKTOP = {"viewport": {"width": 1280, "height": 860}}

MODES: dict[str, dict[str, Any]] = {
    "desktop": DESKTOP,
    "320 px": PHONE,
    "dark": {**DESKTOP, "color_scheme": "dark"},
    "forced colors": {**DESKTOP, "forced_colors": "active"},
    "reduced motion": {**DESKTOP, "reduced_motion": "reduce"},
}


async def violations(page: Page) -> list[str]:
    """What axe finds wrong in the page as it is, the chat's inside included."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed (npm --prefix widget ci)")
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    await page.evaluate("Promise.all(document.getAnimations().map(animation => animation.finished.catch(() => {})))")
    found = await page.evaluate(
        "tags => axe.run(document, { runOnly: tags, resultTypes: ['violations'] })"
        ".then(({ violations }) => violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).join(', ')))",
        TAGS,
    )
    return list(found)


@pytest.mark.parametrize("mode", MODES)
async def test_axe_finds_nothing_in_any_state(visiting: Callable[..., Any], mode: str, tmp_path: Path):
    visit: Visit = await visiting(**MODES[mode], bypass_csp=True)
    page, log = visit.page, visit.page.get_by_role("log")
    found = {"closed": await violations(page)}
    conversation = await visit.open()
    await visit.site.say(conversation, text("Hello.\n\nhttps://example.org/help\n\n" + "Many words. " * 20))
    await expect(log.get_by_role("button", name="Say it simpler")).to_be_visible()
    found["open"] = await violations(page)
    await visit.site.say(conversation, text("Which records do you have?"), choices("Some", "None"))
    await visit.site.say(conversation, card(3), choices("Some", "None"))
    await expect(log.get_by_text("3 of 6 ready")).to_be_visible()
    found["checklist"] = await violations(page)
    await visit.site.say(conversation, text("Question 3 of 12"), {"type": "steps", "at": 3, "total": 12})
    await visit.site.say(conversation, text("To go on elsewhere"), qr.block("To Telegram", "https://t.me/x"))
    await expect(log.get_by_role("img", name="QR")).to_be_visible()
    found["a step and a code"] = await violations(page)
    await page.get_by_role("button", name="Settings and more").click()
    await page.get_by_role("button", name="Delete my conversation").click()
    found["menu"] = await violations(page)
    await page.get_by_role("button", name="Keep it").click()
    (tmp_path / "viewer.exe").write_bytes(b"MZ")
    await page.locator("waypoint-chat input[type=file]").set_input_files(tmp_path / "viewer.exe")
    await expect(log.get_by_text("Programs cannot be sent here.")).to_be_visible()
    found["error"] = await violations(page)
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7 sample")
    await page.locator("waypoint-chat input[type=file]").set_input_files(tmp_path / "report.pdf")
    await expect(log.get_by_role("button", name="report.pdf")).to_be_visible()
    found["file"] = await violations(page)
    await visit.site.hands_over(conversation, "human.joined", "Mei Sample", holder="Mei Sample")
    await visit.site.say(conversation, text("I am Mei."), role="coordinator", name="Mei Sample")
    await expect(page.locator(".head")).to_contain_text("Mei Sample")
    found["a person"] = await violations(page)
    await visit.context.set_offline(True)
    await visit.write("Are you there?")
    await expect(page.get_by_role("status")).to_contain_text("You are offline")
    found["offline"] = await violations(page)
    assert {state: wrong for state, wrong in found.items() if wrong} == {}


async def test_the_focus_stays_in_the_conversation_when_what_had_it_goes(visit: Visit, tmp_path: Path):
    page, log = visit.page, visit.page.get_by_role("log")
    conversation = await visit.open()
    await visit.site.say(conversation, text("Old?"), choices("Old yes"))
    await page.get_by_role("button", name="Old yes").focus()
    await visit.site.say(conversation, text("New?"), choices("New yes"))
    await expect(page.get_by_role("button", name="Old yes")).to_have_count(0)
    await expect(log).to_be_focused()
    await page.route("**/api/files", lambda route: route.fulfill(status=415, json={}))
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7 sample")
    await page.locator("waypoint-chat input[type=file]").set_input_files(tmp_path / "report.pdf")
    again = page.get_by_role("button", name="Try again")
    await again.focus()
    await page.unroute("**/api/files")
    await page.keyboard.press("Enter")
    await expect(again).to_have_count(0)
    await expect(log).to_be_focused()


async def test_who_unfolds_a_long_answer_goes_on_where_it_goes_on(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("The first part. " * 45 + "\n\n" + "The second part. " * 45))
    await visit.page.get_by_text("Show the rest").focus()
    await visit.page.keyboard.press("Enter")
    await expect(visit.page.get_by_text("The second part.")).to_be_focused()


async def test_two_places_are_spoken_of_themselves_and_neither_is_inside_the_other(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("Hello."), card(2), choices("Some", "None"))
    await visit.page.get_by_role("button", name="Settings and more").click()
    await visit.page.get_by_role("button", name="Delete my conversation").click()
    live = "[role=log], [role=status], [role=alert], [aria-live=polite], [aria-live=assertive]"
    spoken = await visit.page.locator(f"waypoint-chat :is({live})").evaluate_all(
        "(all, live) => all.map(e => [e.role, e.parentElement.closest(live) === null])", live
    )
    assert sorted(spoken) == [["log", True], ["status", True]]


async def test_text_of_twice_the_size_stays_usable(visiting: Callable[..., Any]):
    visit: Visit = await visiting(**DESKTOP, bypass_csp=True)
    await visit.page.evaluate("document.documentElement.style.fontSize = '200%'")
    conversation = await visit.open()
    await visit.site.say(conversation, text("Hello."), card(2), choices("Some of them", "None of them"))
    button = visit.page.get_by_role("button", name="None of them")
    await expect(button).to_be_visible()
    assert await violations(visit.page) == []
    sizes = await visit.page.get_by_role("dialog").evaluate("d => [d.scrollWidth - d.clientWidth, d.clientWidth]")
    assert sizes[0] <= 0
    await button.click()
    await expect(visit.page.get_by_role("log").get_by_text("You: None of them")).to_have_count(1)


async def test_larger_text_is_a_choice_that_lasts_in_the_tab(visit: Visit):
    await visit.open()
    size = "getComputedStyle(document.querySelector('waypoint-chat')).fontSize"
    before = await visit.page.evaluate(size)
    await visit.page.get_by_role("button", name="Settings and more").click()
    await visit.page.get_by_role("checkbox", name="Larger text").check()
    larger = await visit.page.evaluate(size)
    assert float(larger.removesuffix("px")) >= 1.25 * float(before.removesuffix("px"))
    await visit.page.reload()
    assert await visit.page.evaluate(size) == larger


async def left(element: Locator) -> float:
    """Where an element begins from the left."""
    box = await element.bounding_box()
    assert box is not None
    return box["x"]


async def arabic(visit: Visit) -> None:
    """Go to the chat as an Arabic page shows it."""
    await visit.page.goto(f"{visit.site.address}/chat?lang=ar")
    await expect(visit.page.get_by_role("log")).to_be_visible()


@pytest.mark.parametrize("mode", ["desktop", "320 px"])
async def test_arabic_runs_from_right_to_left_and_breaks_no_rule(visiting: Callable[..., Any], mode: str):
    visit: Visit = await visiting(**MODES[mode], bypass_csp=True)
    await arabic(visit)
    page = visit.page
    await page.get_by_role("textbox").fill("مرحبا")
    await page.get_by_role("textbox").press("Enter")
    own = page.get_by_role("log").get_by_role("listitem").filter(has_text="مرحبا")
    await expect(own).to_contain_text("أُرسلت")
    conversation = await visit.conversation()
    await visit.site.say(conversation, text("An answer in English."), card(2), choices("Yes", "No"))
    await expect(page.get_by_text("An answer in English.")).to_be_visible()
    assert await violations(page) == []
    width = page.viewport_size["width"] if page.viewport_size else 0
    bubble, answer = await left(own.locator(".bubble")), await left(page.locator(".assistant .bubble"))
    assert bubble < answer + 60  # one's own words stand at the end of the line, which is the left
    assert await left(page.locator(".head button").last) < await left(page.locator(".head h2"))
    direction = "element => getComputedStyle(element).direction"
    assert await page.locator("dialog").evaluate(direction) == "rtl"
    assert await page.get_by_text("An answer in English.").evaluate(direction) == "ltr"
    assert await own.get_attribute("lang") is not None
    assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_arabic_counts_in_its_own_forms(visiting: Callable[..., Any]):
    visit: Visit = await visiting(**DESKTOP, locale="ar-EG")
    found = {}
    await visit.page.route("**/widget.js", lambda route: route.fulfill(path="bot/static/widget.ar.js"))
    await visit.page.goto(visit.site.address)
    await visit.page.locator(".start").click()
    await expect(visit.page.get_by_role("log")).to_be_visible()
    conversation = await visit.begun()
    await visit.site.say(conversation, text("Hello."))
    await expect(visit.page.get_by_text("Hello.")).to_be_visible()
    await visit.page.keyboard.press("Escape")
    for number, words in {1: "رسالة جديدة واحدة", 2: "رسالتان جديدتان", 3: "رسائل جديدة"}.items():
        await visit.site.say(conversation, text(f"More {number}."))
        await expect(visit.page.locator(".badge")).to_contain_text(words)
        found[number] = await visit.page.locator(".badge").inner_text()
    assert len(set(found.values())) == 3


async def test_the_frame_holds_the_whole_conversation_and_closes_and_leaves_with_its_page(visit: Visit, site: Site):
    page = visit.page
    await page.goto(f"{site.address}/?mode=iframe")
    assert [url for url in visit.requests if "/api/" in url or "/chat" in url] == []
    launcher = page.get_by_role("button", name="Chat about a second opinion")
    await launcher.click()
    frame = page.frame_locator("waypoint-chat iframe")
    box = frame.get_by_role("textbox", name="Write your message")
    await box.fill("from inside the frame")
    await box.press("Enter")
    own = frame.get_by_role("listitem").filter(has_text="from inside the frame")
    await expect(own).to_contain_text("Sent")
    await box.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(launcher).to_be_focused()
    await launcher.click()
    await expect(own).to_be_visible()
    assert visit.complaints == []
    await frame.get_by_role("button", name="Exit").click()
    await page.wait_for_url("about:blank")
    await page.goto(site.address)
    assert await page.evaluate("sessionStorage.length + localStorage.length") == 0


async def test_words_from_another_page_do_not_close_the_frame(visit: Visit, site: Site):
    await visit.page.goto(f"{site.address}/?mode=iframe")
    await visit.page.get_by_role("button", name="Chat about a second opinion").click()
    await expect(visit.page.frame_locator("waypoint-chat iframe").get_by_role("log")).to_be_visible()
    await visit.page.evaluate("postMessage({ waypoint: 'exit' }, '*')")
    await visit.page.evaluate("new Promise(done => setTimeout(done, 0))")
    await expect(visit.page.get_by_role("dialog")).to_be_visible()
    assert json.dumps(visit.complaints) == "[]"
