"""The live page in a browser: what is pressed and written there reaches the bot, and what the bot says is shown."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright, expect
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from sandbox.testing import ADA, GROUP_ID, LUIS

BROWSER = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(not BROWSER, reason="needs Chromium (install it, or name it in CHROMIUM)")


@pytest.fixture
async def page(box) -> AsyncIterator[Page]:
    """The live page; the test fails if the page writes an error to the console."""
    errors: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(f"{box.url}/sandbox")
        await expect(page.locator("#topics button")).to_have_count(1)
        yield page
        await browser.close()
    assert not errors


def keyboard(label, data):
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=data)]])


async def test_a_patient_starts_answers_and_presses(box, bot, page):
    phone = page.locator("#phone")
    await phone.get_by_role("button", name="Start").click()
    (update,) = await bot.get_updates(timeout=10)
    assert update.message.text == "/start"
    await bot.send_message(ADA, "<b>Ready</b>?", parse_mode="HTML", reply_markup=keyboard("Yes, ready", "ready"))
    await expect(phone.locator(".theirs strong")).to_have_text("Ready")
    await phone.get_by_role("button", name="Yes, ready").click()
    (update,) = await bot.get_updates(offset=update.update_id + 1, timeout=10)
    assert (update.callback_query.data, update.callback_query.from_user.id) == ("ready", ADA)
    await update.callback_query.answer("Noted")
    await expect(page.locator("#notices")).to_contain_text("Noted")
    await phone.get_by_role("textbox").fill("I have a question")
    await phone.get_by_role("textbox").press("Enter")
    (update,) = await bot.get_updates(offset=update.update_id + 1, timeout=10)
    assert update.message.text == "I have a question"


async def test_words_are_never_markup(box, bot, ada, page):
    words = "<img src=x onerror=\"document.title='broken'\"> & <b>bold</b>"
    await bot.send_message(ada, words)
    await expect(page.locator("#phone .theirs .words")).to_have_text(words)
    assert await page.locator("#phone .words img, #phone .words b").count() == 0
    assert await page.title() == "Waypoint sandbox"


async def test_an_edit_and_a_deletion_show_at_once(box, bot, ada, page):
    sent = await bot.send_message(ada, "one")
    words = page.locator("#phone .theirs .words")
    await expect(words).to_have_text("one")
    await sent.edit_text("two")
    await expect(words).to_have_text("two")
    await sent.delete()
    await expect(words).to_have_count(0)


async def test_a_coordinator_answers_in_a_topic(box, bot, page):
    topic = await bot.create_forum_topic(GROUP_ID, "Ada (sample)")
    await bot.send_message(GROUP_ID, "A new case", message_thread_id=topic.message_thread_id)
    await page.get_by_label("Acting as").select_option(label="Luis (sample)")
    await page.locator("#topics").get_by_role("button", name="Ada (sample)").click()
    group = page.locator("#group")
    case = group.locator(".message", has_text="A new case")
    await case.hover()
    await case.get_by_role("button", name="Reply").click()
    await group.get_by_role("textbox").fill("I take it")
    await group.get_by_role("button", name="Send").click()
    update = await until_text(bot, "I take it")
    assert (update.message.from_user.id, update.message.message_thread_id) == (LUIS, topic.message_thread_id)
    assert update.message.reply_to_message.text == "A new case"
    await bot.close_forum_topic(GROUP_ID, topic.message_thread_id)
    await expect(group.locator(".closed")).to_have_text("This topic is closed.")


async def until_text(bot, text):
    """The update with a text, past those that came before it."""
    offset = None
    while True:
        updates = await bot.get_updates(offset=offset, timeout=10)
        assert updates, f"no update said {text}"
        for update in updates:
            if update.message and update.message.text == text:
                return update
        offset = updates[-1].update_id + 1


async def test_a_file_is_attached_with_the_text_as_its_caption(box, bot, page):
    phone = page.locator("#phone")
    await phone.get_by_role("textbox").fill("my report")
    await phone.locator("input[type=file]").set_input_files(
        {"name": "report.pdf", "mimeType": "application/pdf", "buffer": b"%PDF sample"}
    )
    (update,) = await bot.get_updates(timeout=10)
    assert (update.message.document.file_name, update.message.caption) == ("report.pdf", "my report")
    await expect(phone.locator(".file strong")).to_have_text("report.pdf")


async def test_a_narrow_screen_shows_one_side_at_a_time(page):
    await page.set_viewport_size({"width": 390, "height": 780})
    patient, desk = page.locator("section.patient"), page.locator("section.desk")
    await expect(patient).to_be_visible()
    await expect(desk).to_be_hidden()
    await page.get_by_role("button", name="Coordinators").click()
    await expect(patient).to_be_hidden()
    await expect(desk).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_website_of_this_computer_stands_between_the_phone_and_the_group(box, page):
    await page.set_viewport_size({"width": 1680, "height": 945})
    await expect(page.locator("section.site")).to_be_hidden()
    await page.goto(f"{box.url}/sandbox?widget={box.url}/sandbox/health")
    site = page.locator("section.site")
    await expect(page.frame_locator("#site").get_by_text("ok")).to_be_visible()
    await expect(site).to_contain_text(box.url.removeprefix("http://"))
    lefts = [(await page.locator(f"section.{side}").bounding_box())["x"] for side in ("patient", "site", "desk")]
    assert lefts == sorted(lefts)
    await page.set_viewport_size({"width": 390, "height": 780})
    await expect(site).to_be_hidden()
    await page.get_by_role("button", name="Website").click()
    await expect(site).to_be_visible()
    await expect(page.locator("section.desk")).to_be_hidden()


@pytest.mark.parametrize(
    "address", ["https://elsewhere.example", "javascript:alert(1)", "http://127.0.0.1.example:80/"]
)
async def test_a_website_from_elsewhere_is_not_shown(box, page, address):
    await page.goto(f"{box.url}/sandbox?widget={address}")
    await expect(page.locator("#topics button")).to_have_count(1)
    await expect(page.locator("section.site")).to_be_hidden()
    assert await page.locator("#site").get_attribute("src") is None


async def test_who_blocked_the_bot_has_no_text_box(box, ada, page):
    await box.post("blocks", person=ada, blocked=True)
    await expect(page.locator("#phone .closed")).to_have_text("This person has blocked the bot.")
    await expect(page.locator("#phone textarea")).to_be_hidden()


async def test_every_control_has_a_name(box, bot, ada, page):
    await bot.send_message(ada, "Ready?", reply_markup=keyboard("Yes", "y"))
    await expect(page.locator("#phone .keyboard button")).to_be_visible()
    controls = page.locator("button:visible, select:visible, textarea:visible")
    for control in await controls.all():
        name = await control.evaluate("e => e.ariaLabel || e.innerText || e.labels?.[0]?.innerText || ''")
        assert name.strip(), await control.evaluate("e => e.outerHTML")
