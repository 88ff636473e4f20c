"""Who speaks in the widget: a machine or a person, who came and who went, and how far one's own words got."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.async_api import expect

from bot.casework import hours
from bot.model import Relayed
from tests.web.conftest import ONE_LOOP, Visit, text

pytestmark = ONE_LOOP


async def test_the_head_says_with_whom_one_talks_whatever_was_scrolled_away(visit: Visit):
    conversation = await visit.open()
    panel = visit.page.get_by_role("dialog")
    await expect(panel.locator(".head")).to_contain_text("Automated assistant")
    await visit.site.hands_over(conversation, "human.joined", "Mei Sample", holder="Mei Sample")
    await expect(panel.locator(".head")).to_contain_text("Mei Sample")
    await expect(panel.locator(".head")).to_contain_text("a person, not a medical provider")
    await expect(panel.locator(".head")).not_to_contain_text("Automated")
    await visit.site.hands_over(conversation, "human.left", "Mei Sample", holder="")
    await expect(panel.locator(".head")).to_contain_text("Automated assistant")


async def test_who_comes_and_who_goes_is_said_by_name(visit: Visit):
    conversation = await visit.open()
    await visit.site.hands_over(conversation, "human.joined", "Mei Sample", holder="Mei Sample")
    await visit.site.hands_over(conversation, "human.left", "Mei Sample", holder="")
    log = visit.page.get_by_role("log")
    await expect(log.get_by_role("listitem").filter(has_text="is here now")).to_contain_text("Mei Sample joined")
    await expect(log.get_by_role("listitem").filter(has_text="back to the board")).to_contain_text("Mei Sample left")


async def test_a_machine_and_a_person_differ_in_shape_not_only_in_colour(visit: Visit):
    conversation = await visit.open()
    await visit.site.say(conversation, text("I am a program."))
    await visit.site.say(conversation, text("I am Mei."), role="coordinator", name="Mei Sample")
    await expect(visit.page.get_by_text("I am Mei.")).to_be_visible()
    corners = await visit.page.locator(".log .face").evaluate_all(
        "faces => faces.map(f => getComputedStyle(f).borderTopLeftRadius)"
    )
    assert corners[0] != corners[1] == "50%"


async def test_an_answer_is_promised_in_the_persons_own_time(visiting: Callable[..., Any]):
    visit: Visit = await visiting(viewport={"width": 1280, "height": 860}, timezone_id="Asia/Tokyo", locale="en-GB")
    week = hours.parse("UTC", "Mon-Sun 00:00-24:00")
    object.__setattr__(visit.site.casework, "hours", week)
    conversation = await visit.open()
    due = datetime.now(UTC).replace(minute=30, second=0, microsecond=0) + timedelta(hours=2)
    await visit.site.change_case(conversation, state="waiting", due_at=due)
    tokyo = due + timedelta(hours=9)
    await expect(visit.page.locator(".head")).to_contain_text(re.compile(rf"\b0?{tokyo.hour}:30\b"))
    await expect(visit.page.locator(".head")).to_contain_text("your time")


async def test_nothing_is_promised_when_the_desk_has_not_said_when_it_is_there(visit: Visit):
    conversation = await visit.open()
    due = datetime.now(UTC) + timedelta(hours=2)
    await visit.site.change_case(conversation, state="claimed", holder_name="Mei Sample", due_at=due)
    await expect(visit.page.locator(".head")).to_contain_text("Mei Sample")
    await expect(visit.page.locator(".head")).not_to_contain_text("your time")


async def test_own_words_say_when_they_reached_the_coordinators_and_were_seen(visit: Visit):
    conversation = await visit.open()
    await visit.write("before anyone was asked for")
    await visit.write("for a person")
    own = visit.page.get_by_role("log").get_by_role("listitem")
    await expect(own.filter(has_text="for a person")).to_contain_text("Sent")
    events = await visit.site.casework.events_after(conversation, 0)
    seq = next(event["seq"] for event in events if event["blocks"] == [text("for a person")])
    async with visit.site.casework.transaction() as session:
        row = await visit.site.row(session, conversation)
        now = datetime.now(UTC)
        copy = Relayed(
            case_id=row.case_id, conversation_id=row.id, from_person=True, seq=seq, at=now, state="delivered"
        )
        session.add(copy)
    await visit.site.change_case(conversation, state="waiting")
    await expect(own.filter(has_text="for a person")).to_contain_text("With the coordinators")
    await visit.site.change_case(conversation, answered_at=datetime.now(UTC))
    await expect(own.filter(has_text="for a person")).to_contain_text("Seen by a person")
    await expect(own.filter(has_text="before anyone")).to_contain_text("Sent")
