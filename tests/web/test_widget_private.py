"""What the widget leaves on a device, and how all of it goes."""

from __future__ import annotations

import json

from playwright.async_api import Page, expect

from tests.web.conftest import ONE_LOOP, Visit, text

pytestmark = ONE_LOOP

KEPT = "() => [Object.keys(sessionStorage).length, Object.keys(localStorage).length, document.cookie.length]"


async def kept(page: Page) -> str:
    """All that the device keeps for this site."""
    return json.dumps(await page.evaluate("[{...sessionStorage}, {...localStorage}, document.cookie]"))


async def remember(page: Page) -> None:
    """Choose that this device remembers the chat."""
    await page.get_by_role("button", name="Settings and more").click()
    await page.get_by_role("checkbox", name="Remember on this device").check()
    await page.get_by_role("button", name="Settings and more").click()


async def test_without_a_word_from_the_person_the_device_remembers_nothing_beyond_the_tab(visit: Visit):
    await visit.open()
    assert await visit.page.evaluate("localStorage.length + document.cookie.length") == 0
    other = await visit.context.new_page()
    await other.goto(visit.site.address)
    await other.get_by_role("button", name="Start the conversation").click()
    await expect(other.get_by_role("log")).to_be_visible()
    assert await other.evaluate("localStorage.length") == 0


async def test_a_device_that_is_to_remember_goes_on_in_a_new_tab_and_asks_nothing_before(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("Something said before."))
    await remember(visit.page)
    await visit.page.close()
    page = await visit.context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(visit.site.address)
    await expect(page.get_by_role("button", name="Chat about a second opinion")).to_be_visible()
    assert [url for url in asked if "/api/" in url] == []
    await page.get_by_role("button", name="Chat about a second opinion").click()
    await expect(page.get_by_text("Something said before.")).to_be_visible()
    assert "Something" not in await kept(page)


async def test_a_device_that_is_not_to_remember_any_more_forgets_and_this_tab_goes_on(visit: Visit):
    conversation = await visit.open()
    await remember(visit.page)
    assert await visit.page.evaluate("localStorage.length") == 1
    await visit.page.get_by_role("button", name="Settings and more").click()
    await visit.page.get_by_role("checkbox", name="Remember on this device").uncheck()
    assert await visit.page.evaluate("localStorage.length") == 0
    await visit.page.reload()
    await visit.write("still the same")
    await expect(visit.page.get_by_text("still the same")).to_be_visible()
    assert await visit.conversation() == conversation


async def test_forgetting_takes_nothing_from_another_tab(visit: Visit):
    conversation = await visit.open()
    await remember(visit.page)
    other = await visit.context.new_page()
    await other.goto(visit.site.address)
    await other.get_by_role("button", name="Start the conversation").click()
    await other.get_by_role("textbox", name="Write your message").fill("half a sentence")
    await visit.page.get_by_role("button", name="Settings and more").click()
    await visit.page.get_by_role("checkbox", name="Remember on this device").uncheck()
    await visit.site.say(conversation, text("To both of you."))
    await expect(other.get_by_text("To both of you.")).to_be_visible()
    await other.reload()
    await expect(other.get_by_text("To both of you.")).to_be_visible()
    await expect(other.get_by_role("textbox", name="Write your message")).to_have_value("half a sentence")
    assert (await other.evaluate(KEPT))[1] == 0


async def test_one_press_leaves_the_page_and_clears_the_device(visit: Visit):
    await visit.open()
    await remember(visit.page)
    await visit.page.get_by_role("textbox", name="Write your message").fill("half a sentence")
    await visit.page.get_by_role("button", name="Exit").click()
    await visit.page.wait_for_url("about:blank")
    await visit.page.goto(visit.site.address)
    assert await visit.page.evaluate(KEPT) == [0, 0, 0]
    assert [url for url in visit.requests if url.endswith("/api/sessions")] == [f"{visit.site.address}/api/sessions"]


async def test_escape_twice_does_the_same_and_once_only_closes(visit: Visit):
    await visit.open()
    await visit.page.get_by_role("textbox", name="Write your message").press("Escape")
    await expect(visit.page.get_by_role("dialog")).to_have_count(0)
    assert visit.page.url != "about:blank"
    await visit.page.get_by_role("button", name="Start the conversation").click()
    await visit.page.keyboard.press("Escape")
    await visit.page.keyboard.press("Escape")
    await visit.page.wait_for_url("about:blank")
    await visit.page.goto(visit.site.address)
    assert await visit.page.evaluate(KEPT) == [0, 0, 0]


async def test_a_quick_exit_clears_the_other_tab_too(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("Something private."))
    await remember(visit.page)
    other = await visit.context.new_page()
    await other.goto(visit.site.address)
    await other.get_by_role("button", name="Start the conversation").click()
    await expect(other.get_by_text("Something private.")).to_be_visible()
    await visit.page.get_by_role("button", name="Exit").click()
    await expect(other.get_by_role("dialog")).to_have_count(0)
    await expect(other.get_by_text("Something private.")).to_have_count(0)
    assert (await other.evaluate(KEPT))[1] == 0


async def test_my_conversation_is_deleted_on_the_server_after_one_question(visit: Visit):
    conversation = await visit.open()
    await visit.write("my secret")
    await visit.site.say(conversation, text("An answer to it."))
    await expect(visit.page.get_by_text("An answer to it.")).to_be_visible()
    await visit.page.get_by_role("button", name="Settings and more").click()
    await visit.page.get_by_role("button", name="Delete my conversation").click()
    keep = visit.page.get_by_role("button", name="Keep it")
    await expect(keep).to_be_focused()
    await expect(visit.page.get_by_role("group", name="cannot be undone")).to_contain_text("Keep it")
    await keep.click()
    assert await visit.heard(conversation) == ["my secret"]
    await visit.page.get_by_role("button", name="Settings and more").click()
    await visit.page.get_by_role("button", name="Delete my conversation").click()
    await visit.page.get_by_role("button", name="Delete it all").click()
    log = visit.page.get_by_role("log")
    await expect(log.get_by_text("Everything is deleted: DEL-")).to_be_visible()
    await expect(log.get_by_role("listitem")).to_have_count(1)
    await expect(log).to_be_focused()
    [event] = await visit.site.casework.events_after(conversation, 0)
    assert event["say"] == "steer.deleted"
    await visit.write("a new beginning")
    await expect(log.get_by_text("a new beginning")).to_be_visible()
