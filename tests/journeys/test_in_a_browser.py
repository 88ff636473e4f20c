"""The main job in the widget itself, through the real processes; a coordinator answers in the simulated group."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import FileChooser, FilePayload, Page, async_playwright, expect

from tests.conftest import Running
from tests.journeys.people import Seen, WebPerson, until
from tests.journeys.player import Player
from tests.journeys.steps import World
from tests.journeys.test_journeys import STORIES, _load

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 30_000


class BrowserPerson(WebPerson):
    """Somebody who acts in the widget. What it is to be shown is read from the server, and looked for on the screen."""

    def __init__(self, http: httpx.AsyncClient, page: Page, address: str) -> None:
        super().__init__(http)
        self._page, self._at = page, address

    async def open(self) -> None:
        """Open the chat on the demo page."""
        await self._page.goto(self._at)
        await self._start()

        async def session() -> dict[str, str] | None:
            kept = await self._page.evaluate("Object.values({...sessionStorage}).find(v => v.includes('conversation'))")
            return dict(json.loads(kept)) if kept else None

        found = await until(session, "a session")
        self._headers = {"Authorization": f"Bearer {found['token']}"}
        self._conversation = found["conversation"]
        # The chat greets by itself; what is written next must not be taken to be answered by that.
        await expect(self._page.get_by_role("log").get_by_role("listitem").nth(1)).to_be_visible()

    async def _start(self) -> None:
        await self._page.get_by_role("button", name="Start the conversation").click()

    async def write(self, text: str) -> None:
        """Type a message and send it with Enter."""
        box = self._page.get_by_role("textbox", name="Write your message")
        await box.fill(text)
        await box.press("Enter")

    async def press(self, label: str) -> None:
        """Press a choice."""
        await self._page.get_by_role("log").get_by_role("button", name=label, exact=True).click()

    async def send(self, name: str, content: bytes, caption: str) -> None:
        """Choose a file, and write beside it."""
        await self._choose({"name": name, "mimeType": "application/pdf", "buffer": content})
        line = self._page.get_by_role("log").get_by_role("listitem").filter(has_text=name)
        await expect(line).to_contain_text("Sent")
        if caption:
            await self.write(caption)

    async def _choose(self, file: FilePayload) -> None:
        await self._page.locator("waypoint-chat input[type=file]").set_input_files(file)

    async def read(self) -> list[Seen]:
        """What is new; all of it must be on the screen."""
        new = await super().read()
        log = self._page.get_by_role("log")
        for seen in new:
            words = next((part for part in seen.text.splitlines() if part.strip()), "")
            if words and not seen.text[:1].isdigit():  # a checklist is shown as a card
                await expect(log).to_contain_text(words.strip())
            if seen.role == "coordinator":
                await expect(log.get_by_role("listitem").filter(has_text=words).last).to_contain_text("A person")
        return new


# What has the focus, inside the chat too: its words, and whether it stands in the conversation or beside it.
FOCUS = """() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    if (!at || at === document.body) return ["", ""];
    const where = at.closest(".log") ? "log" : at.closest("dialog") ? "panel" : "page";
    return [at.ariaLabel || at.textContent.trim(), where];
}"""


class KeyboardPerson(BrowserPerson):
    """The same without a mouse: only Tab, Enter and what is typed. The focus is never lost on the way."""

    def __init__(self, http: httpx.AsyncClient, page: Page, address: str) -> None:
        super().__init__(http, page, address)
        self._choosers: list[FileChooser] = []
        page.on(
            "filechooser", lambda chooser: self._choosers.append(chooser)
        )  # from the start: a key is faster than the wish to hear of it

    async def _start(self) -> None:
        await self._go_to("Start the conversation", "page")
        await self._page.keyboard.press("Enter")

    async def write(self, text: str) -> None:
        """Type a message and send it with Enter."""
        await self._go_to("Write your message", "panel")
        await self._page.keyboard.insert_text(text)
        await self._page.keyboard.press("Enter")
        assert await self._page.evaluate(FOCUS) == ["Write your message", "panel"]

    async def press(self, label: str) -> None:
        """Go to a choice and take it with Enter."""
        button = self._page.get_by_role("log").get_by_role("button", name=label, exact=True)
        await expect(button).to_have_count(1)
        used = await button.element_handle()
        await self._go_to(label, "log")
        await self._page.keyboard.press("Enter")
        # This one goes; the next question may have one of the same name before anybody could look.
        await self._page.wait_for_function("button => !button.isConnected", arg=used)
        assert (await self._page.evaluate(FOCUS))[0] == "Conversation"

    async def _choose(self, file: FilePayload) -> None:
        await self._go_to("Send a file", "panel")
        await self._page.keyboard.press("Enter")

        async def opened() -> FileChooser | None:
            return self._choosers.pop() if self._choosers else None

        await (await until(opened, "the choice of a file")).set_files(file)
        assert (await self._page.evaluate(FOCUS))[0] == "Conversation"

    async def _go_to(self, words: str, where: str) -> None:
        """Press Tab until something has the focus; once around the page leads to everything."""
        passed = []
        while (at := await self._page.evaluate(FOCUS)) != [words, where]:
            passed.append(at)
            assert len(passed) < 200, f"no Tab leads to {words!r}; it led to {passed[-40:]}"
            await self._page.keyboard.press("Tab")


class PlainPerson:
    """Somebody whose browser runs no scripts: the chat is a page with forms."""

    channel = "web"

    def __init__(self, page: Page, address: str) -> None:
        self._page, self._at = page, f"{address}/chat/plain"
        self._read = 0

    async def open(self) -> None:
        """Begin a conversation."""
        await self._page.goto(self._at)
        await self._page.get_by_role("button", name="Start the conversation").click()
        [cookie] = await self._page.context.cookies()
        self._conversation = str(cookie.get("value")).split(".")[0]

    @property
    def address(self) -> str:
        """The conversation's id."""
        return self._conversation

    async def write(self, text: str) -> None:
        """Type a message and send it."""
        await self._page.get_by_label("Your message").fill(text)
        await self._page.get_by_role("button", name="Send", exact=True).click()

    async def press(self, label: str) -> None:
        """Press a choice."""
        await self._page.get_by_role("button", name=label, exact=True).click()

    async def send(self, name: str, content: bytes, caption: str) -> None:
        """Choose a file, and write beside it."""
        file: FilePayload = {"name": name, "mimeType": "application/pdf", "buffer": content}
        await self._page.get_by_label("A file, if you like").set_input_files(file)
        await self.write(caption)

    async def read(self) -> list[Seen]:
        """What is new on the page, apart from their own words."""
        shown = await self.read_again()
        new, self._read = shown[self._read :], len(shown)
        return new

    async def read_again(self) -> list[Seen]:
        """All that stands on the page, apart from their own words."""
        await self._page.get_by_role("link", name="Look for new messages").click()
        return [Seen(words) for words in await self._page.locator("ol > li:not(.patient)").all_inner_texts()]


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A page of Chromium, as the system installed it; its complaints fail the test."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed (Debian: apt-get install chromium)")
    expect.set_options(timeout=PATIENCE)
    complaints: list[str] = []
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        await browser.close()
    assert complaints == []


async def play(story: str, kind: type[BrowserPerson], world: World, running: Running, page: Page) -> None:
    """Play a story in the widget."""
    path = next(path for path in STORIES if path.stem == story)
    async with httpx.AsyncClient(base_url=running.address, trust_env=False, timeout=30) as http:
        person = kind(http, page, running.address)
        await person.open()
        await Player(world, person).play(_load(path)["steps"])
        await expect(page.locator(".head")).to_contain_text("Automated assistant")


async def test_the_main_job_is_done_in_the_widget(world: World, running: Running, page: Page) -> None:
    await play("handoff", BrowserPerson, world, running, page)


@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium")
async def test_the_main_job_is_done_without_javascript(world: World, running: Running) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(java_script_enabled=False)
        page.set_default_timeout(PATIENCE)
        person = PlainPerson(page, running.address)
        await person.open()
        story = next(path for path in STORIES if path.stem == "handoff")
        await Player(world, person).play(_load(story)["steps"])
        await browser.close()


@pytest.mark.parametrize("story", ["signals", "records", "handoff"])
async def test_the_whole_job_is_done_by_the_keyboard_alone(
    world: World,
    running: Running,
    page: Page,
    story: str,
) -> None:
    await play(story, KeyboardPerson, world, running, page)
