"""The widget in a real browser, on the demo page, with the page's own strict policy in force."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import expect

from bot.sealing import plain_size
from bot.tokens import Tokens
from tests.journeys.people import until
from tests.web.conftest import ONE_LOOP, SECRET, Person, Visit, choices, text
from tests.web.test_api import MESSAGE_ID

pytestmark = ONE_LOOP

PHONE = {"viewport": {"width": 320, "height": 568}, "is_mobile": True, "has_touch": True}


def card(done: int, total: int = 6) -> dict[str, Any]:
    """A checklist block with so many records in hand."""
    items = [
        {
            "id": f"item{number}",
            "label": f"Record {number}",
            "state": "have" if number < done else "",
            "state_label": "I have it" if number < done else "Not asked yet",
        }
        for number in range(total)
    ]
    return {"type": "checklist", "id": "records", "title": "Your records", "done": done, "total": total, "items": items}


# Opening and closing


async def test_it_asks_and_keeps_nothing_until_it_is_opened(visit: Visit):
    await expect(visit.page.get_by_role("button", name="Chat about a second opinion")).to_be_visible()
    assert [url for url in visit.requests if "/api/" in url] == []
    assert await visit.page.evaluate("sessionStorage.length + localStorage.length + document.cookie.length") == 0


async def test_opening_it_begins_the_conversation_once_and_shows_no_command(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("Hello, I am an automated assistant."))
    await expect(visit.page.get_by_text("Hello, I am an automated assistant.")).to_be_visible()
    await visit.page.get_by_role("button", name="Close the chat").click()
    await visit.page.get_by_role("button", name="Chat about a second opinion").click()
    events = await visit.site.casework.events_after(conversation, 0)
    assert [event["blocks"] for event in events if event["role"] == "patient"] == [[text("/start")]]
    await expect(visit.page.get_by_text("/start")).to_have_count(0)


async def test_the_emergency_strip_and_what_this_is_are_always_in_sight(visiting: Callable[..., Any]):
    visit: Visit = await visiting(**PHONE)
    conversation = await visit.open()
    for number in range(12):
        await visit.site.say(conversation, text(f"Message {number}. " * 8))
    panel = visit.page.get_by_role("dialog")
    await expect(panel.get_by_text("Message 11.")).to_be_visible()
    await visit.context.set_offline(True)
    await expect(panel.get_by_text("Not for emergencies.")).to_be_in_viewport()
    await expect(panel.get_by_text("not a medical provider")).to_be_in_viewport()


async def test_the_keyboard_alone_is_enough(visit: Visit):
    page = visit.page
    launcher = page.get_by_role("button", name="Chat about a second opinion")
    await launcher.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Write your message")).to_be_focused()
    await page.keyboard.type("first line")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("second line")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("log").get_by_text("first line second line")).to_be_visible()
    conversation = await visit.conversation()
    await visit.site.say(conversation, text("For whom?"), choices("For me", "For someone else"))
    await expect(page.get_by_role("button", name="For me")).to_be_visible()
    await page.get_by_role("log").focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="For someone else")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("log")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(launcher).to_be_focused()

    async def arrived() -> bool | None:
        return True if await visit.heard(conversation) == ["first line\nsecond line", "For someone else"] else None

    await until(arrived, "the words and the choice")  # they may be on their way still when the chat is closed


async def test_the_focus_goes_back_to_the_pages_own_button(visit: Visit):
    opener = visit.page.get_by_role("button", name="Start the conversation")
    await opener.click()
    await visit.page.keyboard.press("Escape")
    await expect(opener).to_be_focused()


# What is said


async def test_a_message_says_how_far_it_got_and_is_answered(visit: Visit):
    conversation = await visit.open()
    await visit.write("Will my doctor be offended?")
    own = visit.page.get_by_role("listitem").filter(has_text="Will my doctor be offended?")
    await expect(own).to_contain_text("Sent")
    await expect(visit.page.locator(".typing")).to_be_visible()
    await visit.site.say(conversation, text("Most doctors understand."))
    await expect(visit.page.get_by_text("Most doctors understand.")).to_be_visible()
    await expect(visit.page.locator(".typing")).to_have_count(0)
    await expect(own).to_have_count(1)
    assert await visit.heard(conversation) == ["Will my doctor be offended?"]


async def test_machine_and_person_cannot_be_mistaken_for_each_other(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("I am a program."))
    await visit.site.say(conversation, text("You are now talking with a coordinator."), role="system")
    await visit.site.say(conversation, text("I am Ada."), role="coordinator", name="Ada Sample")
    lines = visit.page.get_by_role("log").get_by_role("listitem")
    await expect(lines.filter(has_text="I am a program.")).to_contain_text("Automated")
    await expect(lines.filter(has_text="I am Ada.")).to_contain_text("Ada Sample")
    await expect(lines.filter(has_text="I am Ada.")).to_contain_text("A person")
    await expect(lines.filter(has_text="I am Ada.")).not_to_contain_text("Automated")
    await expect(lines.filter(has_text="now talking")).to_contain_text("Notice")


async def test_every_message_names_its_speaker_to_those_who_listen(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("One."))
    await visit.site.say(conversation, text("Two."))
    await expect(visit.page.get_by_role("listitem").filter(has_text="Two.")).to_contain_text("Assistant (Automated):")


async def test_words_never_become_markup_and_only_safe_links_become_links(visit: Visit):
    conversation = await visit.open()
    words = (
        "<img src=x onerror=alert(1)> javascript:alert(1) http://plain.example "
        "https://example.org/a?b=c. tel:+44-20-7946-0000 mailto:help@example.org"
    )
    await visit.site.say(conversation, text(words))
    bubble = visit.page.get_by_role("listitem").filter(has_text="onerror")
    await expect(bubble).to_contain_text("<img src=x onerror=alert(1)> javascript:alert(1) http://plain.example")
    await expect(bubble.locator("img")).to_have_count(0)
    links = bubble.get_by_role("link")
    await expect(links).to_have_count(3)
    hrefs = [await link.get_attribute("href") for link in await links.all()]
    assert hrefs == ["https://example.org/a?b=c", "tel:+44-20-7946-0000", "mailto:help@example.org"]
    assert await links.first.get_attribute("rel") == "noopener noreferrer"
    assert visit.complaints == []


async def test_a_used_choice_becomes_text_and_cannot_be_pressed_twice(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("For whom?"), choices("For me", "For someone else"))
    button = visit.page.get_by_role("button", name="For me")
    await button.evaluate("button => { button.click(); button.click(); }")
    await expect(button).to_have_count(0)
    await expect(visit.page.get_by_text("For me · For someone else")).to_be_visible()
    await expect(visit.page.get_by_role("listitem").filter(has_text="You: For me")).to_contain_text("Sent")
    assert await visit.heard(conversation) == ["For me"]


async def test_only_the_newest_choices_can_be_pressed(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("Old?"), choices("Old yes"))
    await expect(visit.page.get_by_role("button", name="Old yes")).to_be_visible()
    await visit.site.say(conversation, text("New?"), choices("New yes"))
    await expect(visit.page.get_by_role("button", name="New yes")).to_be_visible()
    await expect(visit.page.get_by_role("button", name="Old yes")).to_have_count(0)
    await expect(visit.page.get_by_text("Old yes")).to_be_visible()


async def test_a_checklist_changes_where_it_stands(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("Here it is."), card(1))
    await expect(visit.page.get_by_role("log").get_by_text("1 of 6 ready")).to_be_visible()
    await visit.site.say(conversation, text("Noted."), card(3))
    await expect(visit.page.locator(".card")).to_have_count(1)
    await expect(visit.page.locator(".card")).to_contain_text("3 of 6 ready")
    await expect(visit.page.get_by_role("listitem").filter(has_text="Here it is.")).to_contain_text("3 of 6 ready")
    await expect(visit.page.get_by_role("button", name="Your records")).to_contain_text("3 of 6 ready")
    ring = visit.page.locator(".card circle").nth(1)
    assert float(str(await ring.get_attribute("stroke-dasharray")).split()[0]) == 50


async def test_history_is_not_read_out_again_and_news_is(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("Something old."))
    await expect(visit.page.get_by_text("Something old.")).to_be_visible()
    await visit.page.add_init_script("""
        // How the conversation was marked at the moment when words appeared in it.
        window.heard = {};
        const attach = Element.prototype.attachShadow;
        Element.prototype.attachShadow = function (options) {
            const root = attach.call(this, options);
            new MutationObserver(() => {
                const log = root.querySelector("[role=log]");
                for (const words of ["Something old.", "Something new."])
                    if (log?.textContent.includes(words)) window.heard[words] ??= log.getAttribute("aria-live");
            }).observe(root, { childList: true, subtree: true, characterData: true, attributes: true });
            return root;
        };
    """)
    await visit.page.reload()
    await expect(visit.page.get_by_role("log")).to_have_count(1)
    await expect(visit.page.get_by_role("log")).to_have_attribute("aria-live", "polite")
    await visit.site.say(conversation, text("Something new."))
    await expect(visit.page.get_by_text("Something new.")).to_be_visible()
    assert await visit.page.evaluate("heard") == {"Something old.": "off", "Something new.": "polite"}


# The line


async def test_what_is_written_offline_waits_and_arrives_once(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("Hello."))
    await expect(visit.page.get_by_text("Hello.")).to_be_visible()
    await visit.context.set_offline(True)
    await visit.write("one")
    await visit.write("two")
    for words in ("one", "two"):
        own = visit.page.get_by_role("listitem").filter(has_text=f"You: {words}")
        await expect(own).to_contain_text("Waiting for a connection")
    await expect(visit.page.get_by_role("status")).to_contain_text("You are offline")
    assert await visit.heard(conversation) == []
    await visit.context.set_offline(False)
    await expect(visit.page.get_by_role("listitem").filter(has_text="Sent")).to_have_count(2)
    assert await visit.heard(conversation) == ["one", "two"]


async def test_a_restart_of_the_server_loses_and_repeats_nothing(visit: Visit):
    site = visit.site
    conversation = await visit.open()
    await site.say(conversation, text("Before."))
    await expect(visit.page.get_by_text("Before.")).to_be_visible()
    await site.stop()
    await visit.write("Are you there?")
    await site.say(conversation, text("While you could not hear."))
    await expect(visit.page.get_by_role("status")).to_contain_text("Trying again")
    await site.start()
    await expect(visit.page.get_by_text("While you could not hear.")).to_have_count(1)
    await expect(visit.page.get_by_role("listitem").filter(has_text="Are you there?")).to_contain_text("Sent")
    await expect(visit.page.get_by_role("status")).to_be_empty()
    await expect(visit.page.get_by_text("Before.")).to_have_count(1)
    assert await visit.heard(conversation) == ["Are you there?"]


async def test_an_answer_that_got_lost_does_not_send_the_message_twice(visit: Visit):
    conversation = await visit.open()
    dropped = []

    async def drop_the_first_answer(route: Any) -> None:
        if not dropped:
            dropped.append(await route.fetch())  # the server has it; the browser never hears so
            await route.abort()
        else:
            await route.continue_()

    await visit.page.route("**/api/messages", drop_the_first_answer)
    await visit.write("only once")
    own = visit.page.get_by_role("listitem").filter(has_text="only once")
    await expect(own).to_contain_text("Sent")
    await expect(own).to_have_count(1)
    assert len(dropped) == 1
    assert await visit.heard(conversation) == ["only once"]


async def test_a_reload_loses_nothing_and_the_browser_keeps_no_words(visit: Visit):
    conversation = await visit.open()
    await visit.write("my own words")
    await expect(visit.page.get_by_role("listitem").filter(has_text="my own words")).to_contain_text("Sent")
    await visit.site.say(conversation, text("an answer"))
    await expect(visit.page.get_by_text("an answer")).to_be_visible()
    kept = json.dumps(await visit.page.evaluate("[{...sessionStorage}, {...localStorage}, document.cookie]"))
    assert "words" not in kept
    assert "answer" not in kept
    await visit.page.reload()
    await expect(visit.page.get_by_text("my own words")).to_have_count(1)
    await expect(visit.page.get_by_text("an answer")).to_have_count(1)
    assert await visit.conversation() == conversation


async def test_a_stale_session_is_renewed_without_a_word(visit: Visit):
    conversation = await visit.open()
    stale = Tokens(SECRET, now=lambda: time.time() - 3 * 24 * 60 * 60).issue(conversation)
    await put_token(visit, conversation, stale)
    await visit.page.reload()
    await visit.write("still here")
    await expect(visit.page.get_by_role("listitem").filter(has_text="still here")).to_contain_text("Sent")
    assert await visit.heard(conversation) == ["still here"]


async def test_when_the_conversation_is_gone_a_new_one_begins_and_says_so(visit: Visit):
    await visit.open()
    gone = uuid.uuid4().hex
    await put_token(visit, gone, Tokens(SECRET).issue(gone))
    async with visit.page.expect_response(lambda answer: answer.url.endswith("/messages") and answer.status == 202):
        await visit.page.reload()
    await expect(visit.page.get_by_role("status")).to_contain_text("This is a new one.")
    await visit.write("hello again")
    await expect(visit.page.get_by_role("listitem").filter(has_text="hello again")).to_contain_text("Sent")
    assert await visit.heard(await visit.conversation()) == ["hello again"]


async def put_token(visit: Visit, conversation: str, token: str) -> None:
    """Change the session that this tab remembers."""
    session = json.dumps({"conversation": conversation, "token": token})
    key = "Object.keys(sessionStorage).find(key => sessionStorage[key].includes('conversation'))"
    await visit.page.evaluate(f"session => {{ sessionStorage[{key}] = session; }}", session)


async def test_a_held_back_stream_is_replaced_by_asking_again(visit: Visit):
    held = []

    async def hold_streams(route: Any) -> None:
        if "text/event-stream" in route.request.headers.get("accept", ""):
            held.append(route)  # never answered, as by a proxy that waits for the end
        else:
            await route.continue_()

    await visit.page.route("**/api/events*", hold_streams)
    conversation = await visit.open()
    await visit.site.say(conversation, text("It got through."))
    await expect(visit.page.get_by_text("It got through.")).to_be_visible(timeout=30_000)
    assert held


async def test_news_is_counted_while_the_chat_is_closed(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("Hello."))
    await expect(visit.page.get_by_text("Hello.")).to_be_visible()
    await visit.page.get_by_role("button", name="Close the chat").click()
    await visit.site.say(conversation, text("I am Ada."), role="coordinator", name="Ada Sample")
    launcher = visit.page.get_by_role("button", name="Chat about a second opinion")
    await expect(launcher).to_contain_text("1 new message")
    await launcher.click()
    await expect(visit.page.get_by_text("I am Ada.")).to_be_visible()


# Files


async def test_a_file_is_sent_and_kept(visit: Visit, tmp_path: Path):
    await visit.open()
    path = tmp_path / "report.pdf"
    path.write_bytes(b"%PDF-1.7\n fictional" + b"x" * 2_000_000)
    async with visit.page.expect_file_chooser() as chooser:
        await visit.page.get_by_role("button", name="Send a file").click()
    await (await chooser.value).set_files(path)
    own = visit.page.get_by_role("listitem").filter(has_text="report.pdf")
    await expect(own).to_contain_text("Sent")
    await expect(own).to_contain_text("1.9 MB")
    await expect(own).to_have_count(1)
    [kept] = visit.site.settings.files_dir.glob("*")
    assert plain_size(kept) == path.stat().st_size


async def test_a_file_that_is_too_large_is_not_even_sent(visit: Visit, tmp_path: Path):
    await visit.open()
    path = tmp_path / "film.bin"
    path.write_bytes(b"x" * (20 * 1024 * 1024 + 1))
    await visit.page.locator("waypoint-chat input[type=file]").set_input_files(path)
    line = visit.page.get_by_role("listitem").filter(has_text="film.bin")
    await expect(line).to_contain_text("larger than 20 MB")
    assert [url for url in visit.requests if url.endswith("/api/files")] == []
    await line.get_by_role("button", name="Discard").click()
    await expect(line).to_have_count(0)


async def test_what_the_server_refuses_says_why_and_can_be_discarded(visit: Visit, tmp_path: Path):
    await visit.open()
    path = tmp_path / "viewer.exe"
    path.write_bytes(b"MZ" + b"\x00" * 100)
    await visit.page.locator("waypoint-chat input[type=file]").set_input_files(path)
    line = visit.page.get_by_role("listitem").filter(has_text="viewer.exe")
    await expect(line).to_contain_text("Programs cannot be sent here.")
    await expect(line.get_by_role("button", name="Try again")).to_be_visible()


async def test_a_coordinators_file_can_be_saved(visit: Visit, http: httpx.AsyncClient):
    conversation = await visit.open()
    person = Person(http, conversation, (await visit.session())["token"])
    await person.upload(b"%PDF-1.7 form", id=MESSAGE_ID)
    pending = await visit.site.casework.pending(await visit.site.turn(conversation, MESSAGE_ID))
    assert pending is not None
    file = {"type": "file", "id": pending.file_ids[0], "name": "your form.pdf", "mime": "application/pdf", "size": 13}
    await visit.site.say(conversation, file, role="coordinator", name="Ada Sample")
    async with visit.page.expect_download() as download:
        await visit.page.get_by_role("button", name="your form.pdf").click()
    saved = await download.value
    assert saved.suggested_filename == "your form.pdf"
    assert Path(await saved.path()).read_bytes() == b"%PDF-1.7 form"


# The screen


async def test_a_whole_conversation_breaks_no_policy_and_asks_no_third_party(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("Hello.\n\nhttps://example.org"), choices("Yes"), card(2))
    await visit.page.get_by_role("button", name="Yes").click()
    await visit.site.say(conversation, text("I am Ada."), role="coordinator", name="Ada Sample")
    await expect(visit.page.get_by_text("I am Ada.")).to_be_visible()
    assert visit.complaints == []
    assert {url for url in visit.requests if not url.startswith(visit.site.address)} == set()


async def test_on_a_phone_it_fills_the_screen_and_nothing_sticks_out(visiting: Callable[..., Any]):
    visit: Visit = await visiting(**PHONE)
    conversation = await visit.open()
    await visit.site.say(
        conversation, text("Donaudampfschifffahrtsgesellschaft" * 5), card(2), choices("x" * 120, "No")
    )
    await expect(visit.page.get_by_role("button", name="No", exact=True)).to_be_visible()
    box = await visit.page.get_by_role("dialog").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 320, "height": 568}
    wide = """() => [...document.querySelector("waypoint-chat").shadowRoot.querySelectorAll("dialog *")]
        .filter(e => !e.closest(".hidden") && !e.closest("svg") && e.getBoundingClientRect().right > 320.5)
        .map(e => e.outerHTML.slice(0, 80))"""
    assert await visit.page.evaluate(wide) == []
    assert await visit.page.evaluate("document.documentElement.scrollWidth") == 320


async def test_everything_to_press_is_large_enough(visiting: Callable[..., Any]):
    visit: Visit = await visiting(**PHONE)
    conversation = await visit.open()
    await visit.site.say(conversation, text("Hello."), card(2), choices("Ja", "No"))
    await expect(visit.page.get_by_role("button", name="Ja")).to_be_visible()
    for button in [*await visit.page.get_by_role("button").all(), visit.page.get_by_role("textbox")]:
        box = await button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44, await button.evaluate("e => e.outerHTML")


async def test_an_answer_longer_than_the_screen_is_shown_from_its_beginning(visiting: Callable[..., Any]):
    visit: Visit = await visiting(**PHONE)
    conversation = await visit.open()
    await visit.write("Tell me all.")
    await expect(visit.page.get_by_role("listitem").filter(has_text="Tell me all.")).to_contain_text("Sent")
    await visit.site.say(conversation, text("The beginning."), text("More and more. " * 80), text("The end."))
    await expect(visit.page.get_by_text("The beginning.")).to_be_in_viewport()
    await expect(visit.page.get_by_text("The end.")).not_to_be_in_viewport()
    await visit.page.get_by_role("button", name="Go to the newest message").click()
    await expect(visit.page.get_by_text("The end.")).to_be_in_viewport()


async def test_whoever_reads_further_up_is_left_there(visit: Visit):
    conversation = await visit.open()
    for number in range(20):
        await visit.site.say(conversation, text(f"Message {number}."))
    await expect(visit.page.get_by_text("Message 19.")).to_be_visible()
    log = visit.page.get_by_role("log")
    await log.evaluate("log => log.scrollTo(0, 0)")
    await expect(visit.page.get_by_role("button", name="Go to the newest message")).to_be_visible()
    await visit.site.say(conversation, text("Message 20."))
    await expect(visit.page.get_by_text("Message 20.")).to_have_count(1)
    assert await log.evaluate("log => log.scrollTop") == 0


async def test_two_tabs_of_one_person_show_the_same(visit: Visit):
    conversation = await visit.open()
    session = await visit.page.evaluate("({...sessionStorage})")
    other = await visit.context.new_page()
    await other.add_init_script(f"for (const [k, v] of Object.entries({json.dumps(session)})) sessionStorage[k] = v;")
    await other.goto(visit.site.address)
    await visit.write("from the first tab")
    await expect(other.get_by_text("from the first tab")).to_have_count(1)
    await visit.site.say(conversation, text("to both"))
    await expect(visit.page.get_by_text("to both")).to_have_count(1)
    await expect(other.get_by_text("to both")).to_have_count(1)
