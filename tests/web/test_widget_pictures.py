"""Pictures of the widget's main states, kept in docs/pictures; a test fails when one does not look like that any more.

`WRITE_PICTURES=1 pytest tests/web/test_widget_pictures.py` draws them anew.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from bot.guide import Guide
from tests.pictures import compare
from tests.web.conftest import ONE_LOOP, Site, Visit, choices, text
from tests.web.test_widget import card

pytestmark = ONE_LOOP

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PHONE = {"viewport": {"width": 390, "height": 780}, "is_mobile": True, "has_touch": True}

STATES: dict[str, tuple[dict[str, Any], str]] = {
    "phone": (PHONE, "/"),
    "desktop": ({"viewport": {"width": 1280, "height": 800}}, "/"),
    "dark": ({"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"}, "/"),
    "rtl": (PHONE, "/chat?lang=ar"),
}


async def test_without_javascript_it_looks_as_in_the_picture(site: Site, browser: Browser):
    object.__setattr__(site.casework, "guide", Guide.load())
    object.__setattr__(site.casework, "now", lambda: NOON)
    context = await browser.new_context(**PHONE, java_script_enabled=False)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(f"{site.address}/chat/plain")
    await page.get_by_role("button", name="Start the conversation").click()
    [cookie] = await context.cookies()
    conversation = str(cookie.get("value")).split(".")[0]
    await site.say(
        conversation, text("Which of these records do you have?"), card(3), choices("I have some", "None yet")
    )
    await page.get_by_role("link", name="Look for new messages").click()
    await expect(page.get_by_role("button", name="None yet")).to_be_visible()
    await compare(page, "plain-phone")
    await context.close()


@pytest.mark.parametrize("state", STATES)
async def test_it_looks_as_in_the_picture(visiting: Callable[..., Any], state: str):
    options, path = STATES[state]
    visit: Visit = await visiting(**options, timezone_id="UTC", reduced_motion="reduce")
    page, site = visit.page, visit.site
    object.__setattr__(site.casework, "now", lambda: NOON)
    await page.clock.set_fixed_time(NOON)
    await page.goto(site.address + path)
    conversation = await (visit.begun() if path != "/" else visit.open())
    await site.say(conversation, text("Which of these records do you have?"), choices("I have some", "None yet"))
    await page.get_by_role("button", name="I have some").click()
    await expect(page.locator(".meta")).to_have_count(1)
    await site.say(conversation, card(3))
    await site.hands_over(conversation, "human.joined", "Mei Sample", holder="Mei Sample")
    words = "Hello, I am Mei. I have read what you gathered. Could you send the scan report, too?"
    await site.say(conversation, text(words), role="coordinator", name="Mei Sample")
    await expect(page.locator(".head")).to_contain_text("Mei Sample")
    await expect(page.get_by_text("Could you send")).to_be_visible()
    await page.locator(".log").evaluate("log => log.scrollTo(0, log.scrollHeight)")
    await page.evaluate("() => document.activeElement?.blur()")
    await compare(page, f"widget-{state}")
