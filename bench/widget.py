"""What the website's chat takes of a phone's time: `python -m bench --widget`.

The real processes and a real browser. How long words take is measured in turns with the same turn without a browser, so
that what else the machine does hits both alike; what only this machine's speed decides is given as the median of tries.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Route, async_playwright

from bench.phrases import phrases
from bench.subjects import Assistant, BenchError

ROOT = Path(__file__).resolve().parent.parent
SLOWER = 4  # than this machine: an old phone
LOADS = 11  # of the page with and without the chat
TURNS = 60
HISTORY = 1000  # messages
RUNS = 7  # through the whole history
PHONE = {"width": 360, "height": 740}
LED_TO = ("choice.agree", "choice.self", "choice.records")  # where the other measurements begin, too

ROOT_OF_CHAT = 'document.querySelector("waypoint-chat").shadowRoot'
# One message, as somebody sends it: when it stood on the screen, laid out, and when the first words of the answer did.
TURN = f"""async (words) => {{
    const root = {ROOT_OF_CHAT}, log = root.querySelector(".log");
    const count = (role) => root.querySelectorAll(`.entry.${{role}}`).length;
    const own = count("patient"), answers = count("assistant");
    const stands = (role, before) => new Promise((done) => {{
        const look = () => {{
            if (count(role) === before) return;
            watch.disconnect();
            log.getBoundingClientRect();
            done(performance.now());
        }};
        const watch = new MutationObserver(look);
        watch.observe(log, {{ childList: true, subtree: true }});
    }});
    root.querySelector("textarea").value = words;
    const both = [stands("patient", own), stands("assistant", answers)];
    const began = performance.now();
    root.querySelector("form").requestSubmit();
    return (await Promise.all(both)).map((at) => at - began);
}}"""
# The longest frame while the whole history is scrolled through, from the newest message to the oldest.
SCROLL = f"""() => new Promise((done) => {{
    const log = {ROOT_OF_CHAT}.querySelector(".log");
    log.scrollTop = log.scrollHeight;
    let before = 0, frames = 0, longest = 0;
    const step = (now) => {{
        if (frames++ > 2) longest = Math.max(longest, now - before);
        before = now;
        log.scrollTop -= 400;
        if (log.scrollTop > 0 && frames < 1000) requestAnimationFrame(step); else done(longest);
    }};
    requestAnimationFrame(step);
}})"""


@dataclass(frozen=True)
class Figure:
    """One measurement beside its goal."""

    what: str
    value: float
    unit: str
    limit: float | None = None  # None: shown, not demanded

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached, where there is one."""
        return None if self.limit is None else self.value <= self.limit


async def measure(folder: Path, tell: Callable[[str], None]) -> list[Figure]:
    """Everything. Raises BenchError, ServiceError."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise BenchError("There is no Chromium (Debian: apt-get install chromium).")
    assistant = Assistant(folder)
    try:
        tell("Starting")
        await assistant.start()
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            figures = [_weight()]
            tell(f"Loading the page {2 * LOADS} times")
            figures += await _launcher(browser, assistant.address)
            tell(f"{TURNS} turns in the chat, and {TURNS} without it")
            figures += await _turns(browser, assistant)
            tell(f"Scrolling through {HISTORY:,} messages")
            figures += await _history(browser, assistant.address)
            await browser.close()
    finally:
        await assistant.stop()
    return figures


def _weight() -> Figure:
    heaviest = max(len(gzip.compress(path.read_bytes(), 9)) for path in (ROOT / "bot/static").glob("widget*.js"))
    return Figure("weight, everything included, gzipped", heaviest / 1024, "KB", 20)


async def _launcher(browser: Browser, address: str) -> list[Figure]:
    """Work of the page's main thread until the launcher stands, beyond that of the same page without the chat."""
    spent: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    for number in range(2 * LOADS):
        with_chat = number % 2 == 0
        page = await browser.new_page(viewport=PHONE)  # type: ignore[arg-type]  # a plain dict of the two sizes
        if not with_chat:
            await page.route("**/widget*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
        cdp = await page.context.new_cdp_session(page)
        await cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        await cdp.send("Performance.enable", {"timeDomain": "threadTicks"})  # the processor's time, whoever else has it
        await page.goto(address)
        if with_chat:
            await page.get_by_role("button", name="Chat about").wait_for()
        await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        metrics = (await cdp.send("Performance.getMetrics"))["metrics"]
        spent[with_chat].append({metric["name"]: metric["value"] * 1000 for metric in metrics})
        await page.close()

    def median(name: str, *, with_chat: bool) -> float:
        return statistics.median(each[name] for each in spent[with_chat])

    parts = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
    took = sum(median(name, with_chat=True) - median(name, with_chat=False) for name in parts)
    at = f"on a processor {SLOWER} times slower"
    return [Figure(f"launcher: scripts, styles and layout, {at}", took, "ms", 30)]


async def _turns(browser: Browser, assistant: Assistant) -> list[Figure]:
    page = await browser.new_page(viewport={"width": 1280, "height": 860})
    await page.goto(assistant.address)
    await page.get_by_role("button", name="Start the conversation").click()
    for label in LED_TO:
        await page.get_by_role("log").get_by_role("button", name=assistant.label(label), exact=True).click()
    await page.get_by_role("button", name="Your records").wait_for()
    bare = await assistant.open()
    words = phrases()
    own: list[float] = []
    first: list[float] = []
    without: list[float] = []
    for number in range(TURNS + 5):
        shown, answered = await page.evaluate(TURN, next(words))
        took = await assistant.turn(bare, next(words)) * 1000
        if number >= 5:  # the first warm everything up
            own.append(shown)
            first.append(answered)
            without.append(took)
    await assistant.close(bare)
    await page.close()
    in_chat, plain = statistics.median(first), statistics.median(without)
    return [
        Figure("from the key to one's own words on the screen, p50", statistics.median(own), "ms", 16),
        Figure("first words of an answer on the screen, p50", in_chat, "ms"),
        Figure("the same turn without a browser, p50", plain, "ms"),
        Figure("of it", in_chat / plain, "times", 1.5),
    ]


async def _history(browser: Browser, address: str) -> list[Figure]:
    page = await browser.new_page(viewport={"width": 1280, "height": 860})
    await page.route(re.compile(r"/api/events\?.*wait=0$"), _tell_history)
    await page.goto(address)
    await page.get_by_role("button", name="Start the conversation").click()
    await page.get_by_text(f"Message {HISTORY}.").wait_for()
    longest = [float(await page.evaluate(SCROLL)) for _ in range(RUNS)]
    await page.close()
    return [
        Figure(
            f"longest frame while {HISTORY:,} messages are scrolled through, least disturbed of {RUNS} runs",
            min(longest),
            "ms",
            50,
        ),
        Figure("the same, median run", statistics.median(longest), "ms"),
    ]


async def _tell_history(route: Route) -> None:
    """A long history in the place of the server's, so that nobody has to live through it."""
    body = [] if "after=0" not in route.request.url else [_event(number) for number in range(1, HISTORY + 1)]
    await route.fulfill(json={"events": body})


def _event(number: int) -> dict[str, Any]:
    role = ("patient", "assistant", "coordinator")[number % 3]
    return {
        "seq": number,
        "role": role,
        "name": "Mei Sample" if role == "coordinator" else "",
        "lang": "en",
        "say": "",
        "blocks": [{"type": "text", "text": f"Message {number}. " + "Some words to read. " * (number % 9)}],
        "at": (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=17 * number)).isoformat(),
        "in_reply_to": None,
    }


def to_json(figures: list[Figure]) -> str:
    """The figures, for comparing runs."""
    return json.dumps([{**vars(figure), "met": figure.met} for figure in figures], indent=2) + "\n"
