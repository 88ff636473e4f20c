"""Nothing is lost between the widget and the server, whatever happens to the line, the page or the session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect

from tests.web.conftest import ONE_LOOP, Visit, choices, text

pytestmark = ONE_LOOP


def own(page: Page, words: str) -> Any:
    """One's own message with these words."""
    return page.get_by_role("log").get_by_role("listitem").filter(has_text=words)


async def test_a_draft_outlives_the_page_and_goes_once_it_is_sent(visit: Visit):
    await visit.open()
    box = visit.page.get_by_role("textbox", name="Write your message")
    await box.fill("half a thought")
    await visit.page.reload()
    await expect(box).to_have_value("half a thought")
    await box.press("Enter")
    await expect(own(visit.page, "half a thought")).to_contain_text("Sent")
    assert "thought" not in json.dumps(await visit.page.evaluate("({...sessionStorage})"))
    await visit.page.reload()
    await expect(box).to_have_value("")


async def test_words_that_could_not_be_sent_outlive_the_page(visit: Visit):
    conversation = await visit.open()
    await visit.page.route("**/api/messages", lambda route: route.abort())
    await visit.write("yes")
    await visit.write("one more thing")
    await expect(own(visit.page, "one more thing")).to_contain_text("Waiting for a connection")
    await visit.page.unroute("**/api/messages")
    visit.page.on("dialog", lambda dialog: dialog.accept())  # the browser asks whether to leave
    await visit.page.reload()
    await expect(own(visit.page, "one more thing")).to_contain_text("Sent")
    assert await visit.heard(conversation) == ["yes", "one more thing"]
    assert await visit.page.evaluate("Object.keys(sessionStorage).filter(key => key.includes('unsent'))") == []


async def test_a_file_that_was_not_sent_before_the_page_went_says_that_it_must_be_chosen_again(
    visit: Visit, tmp_path: Path
):
    await visit.open()
    path = tmp_path / "report.pdf"
    path.write_bytes(b"%PDF-1.7 sample")
    await visit.page.route("**/api/files", lambda route: route.abort())
    await visit.page.locator("waypoint-chat input[type=file]").set_input_files(path)
    await expect(own(visit.page, "report.pdf")).to_contain_text("Waiting for a connection")
    await visit.page.unroute("**/api/files")
    visit.page.on("dialog", lambda dialog: dialog.accept())
    await visit.page.reload()
    await expect(own(visit.page, "report.pdf")).to_contain_text("Please choose it again.")
    assert "sample" not in json.dumps(await visit.page.evaluate("({...sessionStorage})"))  # its content is kept nowhere
    async with visit.page.expect_file_chooser() as chooser:
        await own(visit.page, "report.pdf").get_by_role("button", name="Send a file").click()
    await (await chooser.value).set_files(path)
    await expect(own(visit.page, "report.pdf")).to_contain_text("Sent")
    await expect(own(visit.page, "report.pdf")).to_have_count(1)
    assert await visit.page.evaluate("Object.keys(sessionStorage).filter(key => key.includes('unsent'))") == []


async def test_a_file_that_was_refused_is_not_spoken_of_again(visit: Visit, tmp_path: Path):
    await visit.open()
    (tmp_path / "viewer.exe").write_bytes(b"MZ")
    await visit.page.locator("waypoint-chat input[type=file]").set_input_files(tmp_path / "viewer.exe")
    await expect(own(visit.page, "viewer.exe")).to_contain_text("Programs cannot be sent here.")
    assert "viewer" not in json.dumps(await visit.page.evaluate("({...sessionStorage})"))


async def test_the_same_word_said_before_does_not_swallow_one_that_waits(visit: Visit):
    conversation = await visit.open()
    await visit.write("yes")
    await expect(own(visit.page, "yes")).to_contain_text("Sent")
    await visit.page.route("**/api/messages", lambda route: route.abort())
    await visit.write("yes")
    await expect(own(visit.page, "yes")).to_have_count(2)
    await visit.page.unroute("**/api/messages")
    visit.page.on("dialog", lambda dialog: dialog.accept())
    await visit.page.reload()
    await expect(own(visit.page, "yes").filter(has_text="Sent")).to_have_count(2)
    assert await visit.heard(conversation) == ["yes", "yes"]


async def test_leaving_with_words_on_the_way_is_asked_about(visit: Visit):
    await visit.open()
    await visit.context.set_offline(True)
    await visit.write("not there yet")
    asked: list[str] = []

    async def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    visit.page.on("dialog", stay)
    await visit.page.close(run_before_unload=True)
    await expect(own(visit.page, "not there yet")).to_be_visible()
    assert asked == ["beforeunload"]
    await visit.context.set_offline(False)


async def test_where_streams_are_refused_it_asks_again_and_again(visit: Visit):
    async def refuse_streams(route: Any) -> None:
        if "text/event-stream" in route.request.headers.get("accept", ""):
            await route.abort("blockedbyclient")
        else:
            await route.continue_()

    await visit.page.route("**/api/events*", refuse_streams)
    conversation = await visit.open()
    await visit.site.say(conversation, text("It got through."))
    await expect(visit.page.get_by_text("It got through.")).to_be_visible()
    await visit.site.hands_over(conversation, "human.joined", "Mei Sample", holder="Mei Sample")
    await expect(visit.page.locator(".head")).to_contain_text("Mei Sample")
    await expect(visit.page.get_by_role("status")).to_be_empty()


async def test_what_was_pressed_in_one_tab_cannot_be_pressed_in_the_other(visit: Visit):
    conversation = await visit.open()
    session = await visit.page.evaluate("({...sessionStorage})")
    other = await visit.context.new_page()
    await other.add_init_script(f"for (const [k, v] of Object.entries({json.dumps(session)})) sessionStorage[k] = v;")
    await other.goto(visit.site.address)
    await visit.site.say(conversation, text("For whom?"), choices("For me", "For someone else"))
    await expect(other.get_by_role("button", name="For me")).to_be_visible()
    await visit.page.get_by_role("button", name="For me").click()
    await expect(other.get_by_role("button", name="For me")).to_have_count(0)
    await expect(own(other, "You: For me")).to_have_count(1)
    assert await visit.heard(conversation) == ["For me"]


async def test_after_a_sleep_all_is_as_it_was_and_what_came_is_there(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("Before the night."))
    await expect(visit.page.get_by_text("Before the night.")).to_be_visible()
    cdp = await visit.context.new_cdp_session(visit.page)
    await visit.page.get_by_role("textbox", name="Write your message").fill("a draft")
    await cdp.send("Page.setWebLifecycleState", {"state": "frozen"})
    await visit.site.stop()
    await visit.site.say(conversation, text("During the night."), role="coordinator", name="Mei Sample")
    await visit.site.start()
    await cdp.send("Page.setWebLifecycleState", {"state": "active"})
    await expect(visit.page.get_by_text("During the night.")).to_have_count(1)
    await expect(visit.page.get_by_text("Before the night.")).to_have_count(1)
    await expect(visit.page.get_by_role("textbox", name="Write your message")).to_have_value("a draft")
