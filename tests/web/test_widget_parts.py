"""What a conversation in the widget is made of: days, long answers, simpler words, files by hand."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import segno
from PIL import Image
from playwright.async_api import expect
from sqlalchemy import update

from bot import qr
from bot.model import Message
from tests.web.conftest import ONE_LOOP, Visit, text

pytestmark = ONE_LOOP


def picture(size: int = 64) -> bytes:
    """A red square as a PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\xff\0\0" * size for _ in range(size))
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


GIVE = """([selector, kind, name, type, base64]) => {
    const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, { type }));
    const target = document.querySelector("waypoint-chat").shadowRoot.querySelector(selector);
    const options = { bubbles: true, cancelable: true, composed: true };
    target.dispatchEvent(kind === "drop"
        ? new DragEvent("drop", { ...options, dataTransfer: data })
        : new ClipboardEvent("paste", { ...options, clipboardData: data }));
}"""


async def give(visit: Visit, where: str, how: str, name: str, mime: str, content: bytes) -> None:
    """Drop or paste a file."""
    await visit.page.evaluate(GIVE, [where, how, name, mime, base64.b64encode(content).decode()])


def line(visit: Visit, words: str) -> Any:
    """A line of the conversation."""
    return visit.page.get_by_role("log").get_by_role("listitem").filter(has_text=words)


async def test_days_are_told_apart_and_a_time_stands_beside_each_message(visit: Visit):
    conversation = await visit.open()
    for words, ago in (("long ago", 40), ("yesterday's", 1), ("today's", 0), ("today's too", 0)):
        seq = await visit.site.say(conversation, text(words))
        async with visit.site.casework.transaction() as session:
            at = datetime.now(UTC) - timedelta(days=ago)
            await session.execute(update(Message).where(Message.seq == seq).values(at=at))
    await visit.page.reload()
    await expect(line(visit, "yesterday's").locator(".day")).to_have_text("yesterday")
    await expect(line(visit, "today's").first.locator(".day")).to_have_text("today")
    await expect(line(visit, "today's too").locator(".day")).to_have_count(0)
    at = datetime.now(UTC) - timedelta(days=40)
    await expect(line(visit, "long ago").locator(".day")).to_contain_text(f"{at:%B}")


async def test_a_long_answer_is_folded_and_what_to_do_in_danger_never_is(visit: Visit):
    conversation = await visit.open()
    long = "The first part. " * 45 + "\n\n" + "The second part. " * 45
    await visit.site.say(conversation, text(long))
    await expect(line(visit, "The first part.").get_by_text("The second part.")).to_be_hidden()
    await visit.page.get_by_text("Show the rest").click()
    await expect(line(visit, "The first part.").get_by_text("The second part.")).to_be_visible()
    seq = await visit.site.say(conversation, text(long.replace("part", "step")))
    async with visit.site.casework.transaction() as session:
        await session.execute(update(Message).where(Message.seq == seq).values(say="safety.emergency"))
    await visit.page.reload()
    await expect(line(visit, "The first step.").get_by_text("The second step.")).to_be_visible()


async def test_the_newest_answer_can_be_had_in_simpler_words(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("A short one."))
    await expect(line(visit, "A short one.")).to_be_visible()
    await expect(visit.page.get_by_role("button", name="Say it simpler")).to_have_count(0)
    await visit.site.say(conversation, text("A histopathological evaluation. " * 8))
    await visit.page.get_by_role("button", name="Say it simpler").click()
    await expect(line(visit, "Please say it simpler.")).to_contain_text("Sent")
    await expect(visit.page.get_by_role("button", name="Say it simpler")).to_have_count(0)


async def test_files_come_by_dropping_and_by_pasting_and_pictures_are_shown(visit: Visit):
    await visit.open()
    await give(visit, ".log", "drop", "scan.pdf", "application/pdf", b"%PDF-1.7 sample")
    await expect(line(visit, "scan.pdf")).to_contain_text("Sent")
    await give(visit, "textarea", "paste", "photo.png", "image/png", picture())
    await expect(line(visit, "photo.png")).to_contain_text("Sent")
    canvas = line(visit, "photo.png").locator("canvas")
    await expect(canvas).to_have_count(1)
    red = "c => new Promise(done => { const look = () => c.width === 64 ? done([...c.getContext('2d')"
    red += ".getImageData(9, 9, 1, 1).data]) : requestAnimationFrame(look); look(); })"
    assert await canvas.evaluate(red) == [255, 0, 0, 255]
    assert len(list(visit.site.settings.files_dir.glob("*"))) == 2
    assert visit.complaints == []


async def test_a_file_on_its_way_shows_how_far_it_is_and_can_be_taken_back(visit: Visit, tmp_path: Path):
    await visit.open()
    held: list[Any] = []
    await visit.page.route("**/api/files", lambda route: held.append(route))  # it never arrives
    (tmp_path / "film.bin").write_bytes(b"x" * 100_000)
    await visit.page.locator("waypoint-chat input[type=file]").set_input_files(tmp_path / "film.bin")
    await expect(line(visit, "film.bin").get_by_role("progressbar", name="Sending film.bin")).to_be_visible()
    await line(visit, "film.bin").get_by_role("button", name="Cancel").click()
    await expect(line(visit, "film.bin")).to_have_count(0)
    await expect(visit.page.get_by_role("log")).to_be_focused()
    await visit.write("and on it goes")
    await expect(line(visit, "and on it goes")).to_contain_text("Sent")
    assert len(held) == 1


async def test_an_empty_file_and_a_program_are_refused_before_they_are_sent(visit: Visit, tmp_path: Path):
    await visit.open()
    for name, content, why in (("nothing.pdf", b"", "is empty"), ("viewer.EXE", b"MZ", "Programs cannot be sent")):
        (tmp_path / name).write_bytes(content)
        await visit.page.locator("waypoint-chat input[type=file]").set_input_files(tmp_path / name)
        await expect(line(visit, name)).to_contain_text(why)
    assert [url for url in visit.requests if url.endswith("/api/files")] == []


async def test_going_on_elsewhere_asks_for_a_link_and_shows_no_command(visit: Visit):
    conversation = await visit.open()
    await visit.page.get_by_role("button", name="Settings and more").click()
    await visit.page.get_by_role("button", name="Go on in Telegram or on another device").click()
    await visit.write("after it")
    await expect(line(visit, "after it")).to_contain_text("Sent")
    assert await visit.heard(conversation) == ["/link", "after it"]
    await expect(visit.page.get_by_role("log").get_by_text("/link")).to_have_count(0)


async def test_a_link_from_elsewhere_opens_the_chat_is_used_once_and_does_not_stay_to_be_seen(visit: Visit):
    code = "a-code-of-the-tests-1234"
    await visit.page.goto("about:blank")
    await visit.page.goto(f"{visit.site.address}/#link={code}")
    await expect(visit.page.get_by_role("dialog")).to_be_visible()
    conversation = await visit.begun()
    await visit.write("after it")
    await expect(line(visit, "after it")).to_contain_text("Sent")
    assert await visit.heard(conversation) == [f"/start {code}", "after it"]
    await expect(visit.page.get_by_role("log").get_by_text(code)).to_have_count(0)
    assert visit.page.url == f"{visit.site.address}/"
    await visit.page.reload()
    await expect(line(visit, "after it")).to_be_visible()
    assert (await visit.heard(conversation)).count(f"/start {code}") == 1


async def test_a_question_of_several_shows_how_far_one_is(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("Question 3 of 12"), {"type": "steps", "at": 3, "total": 12})
    bar = line(visit, "Question 3 of 12").locator("progress")
    assert await bar.evaluate("bar => [bar.value, bar.max]") == [3, 12]


async def test_a_code_for_a_phones_camera_is_drawn_here_dark_on_light(visiting: Callable[..., Any]):
    visit: Visit = await visiting(viewport={"width": 1280, "height": 860}, color_scheme="dark")
    conversation = await visit.open()
    block = qr.block("To Telegram", "https://t.me/sample_bot?start=a-code-of-the-tests")
    await visit.site.say(conversation, text("To go on in Telegram:"), block)
    code = line(visit, "To Telegram").get_by_role("img", name="QR")
    await expect(code).to_be_visible()
    drawn = Image.open(io.BytesIO(await code.screenshot())).convert("L")
    squares, modules = (
        block["size"] + 8,
        segno.make("https://t.me/sample_bot?start=a-code-of-the-tests", error="m").matrix,
    )
    seen = [
        [
            drawn.getpixel((int((x + 4.5) * drawn.width / squares), int((y + 4.5) * drawn.height / squares))) < 128
            for x, _ in row
        ]
        for y, row in ((y, list(enumerate(row))) for y, row in enumerate(modules))
    ]
    assert seen == [[bool(dark) for dark in row] for row in modules]
    assert {url for url in visit.requests if not url.startswith(visit.site.address)} == set()
    assert visit.complaints == []


async def test_the_colours_are_the_sites_to_choose(visit: Visit):
    await visit.page.evaluate(
        "document.querySelector('waypoint-chat').style.setProperty('--waypoint-accent', '#800080')"
    )
    launcher = visit.page.get_by_role("button", name="Chat about a second opinion")
    assert await launcher.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(128, 0, 128)"
