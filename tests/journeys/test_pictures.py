"""The README's first picture: a phone, the website and the coordinators' group, from the real processes.

It is kept in docs/pictures; the test fails when the page does not look like that any more.
`WRITE_PICTURES=1 pytest tests/journeys/test_pictures.py` draws it anew. Everybody in it is made up.
"""

from __future__ import annotations

import httpx
from playwright.async_api import Page, expect

from tests.conftest import Running
from tests.journeys.people import Telegram, TelegramPerson
from tests.journeys.player import Player
from tests.journeys.steps import World
from tests.journeys.test_in_a_browser import BrowserPerson, page  # noqa: F401  # a fixture
from tests.pictures import compare

ON_THE_WEBSITE = [
    {"write": "my husband has pancreatic cancer, two doctors say different things. how do I get a second opinion?"},
    {"press": "choice.agree"},
    {"press": "choice.carer"},
    {"press": "relation.husband"},
    {"write": "we have the pathology report and the CT scans on a CD"},
    {"write": "can I talk to a person"},
    {"write": "Samira"},
    {"write": "Arabic"},
    {"write": "Egypt"},
    {"press": "choice.send"},
    {"desk": {"claim": "now", "by": "Mei"}},
    {"write": "The operation would be on Thursday."},
    {
        "desk": {
            "reply": "Hello Samira, I am Mei. I have read it all. Shall we go through your questions?",
            "to": "The operation would be on Thursday.",
            "by": "Mei",
        }
    },
]
ON_THE_PHONE = [
    {"write": "my surgeon says I must decide by friday. is it normal to want a second opinion?"},
    {"press": "choice.agree"},
    {"press": "choice.self"},
    {"press": "choice.begin"},
    {"press": "choice.yes"},
]


async def test_phone_website_and_group_look_as_in_the_picture(
    world: World,
    running: Running,
    page: Page,  # noqa: F811
) -> None:
    await page.set_viewport_size({"width": 1680, "height": 945})
    await page.emulate_media(reduced_motion="reduce")
    async with (
        httpx.AsyncClient(base_url=running.address, trust_env=False, timeout=30) as web,
        httpx.AsyncClient(base_url=running.sandbox, trust_env=False, timeout=30) as sandbox,
    ):
        state = (await sandbox.get("/sandbox/state")).raise_for_status().json()
        ada = next(person["id"] for person in state["people"] if person["first_name"].startswith("Ada"))
        await page.goto(f"{running.sandbox}/sandbox?widget={running.address}&patient={ada}")
        site = next(frame for frame in page.frames if frame.url.startswith(running.address))
        there = BrowserPerson(web, site, running.address)
        await there.open()
        await Player(world, there).play(ON_THE_WEBSITE)
        telegram = Telegram(sandbox, state["group"], state["bot"]["id"], state["token"])
        phone = TelegramPerson(telegram)
        phone._id = ada
        await Player(world, phone).play(ON_THE_PHONE)
    await page.locator("#topics button").nth(1).click()
    await expect(page.locator("#group")).to_contain_text("Shall we go through your questions?")
    await expect(site.get_by_role("log")).to_contain_text("Shall we go through your questions?")
    await page.evaluate("() => document.activeElement?.blur()")
    await compare(page, "sandbox", colours=160)
