"""How much may come from one address, and from one chat."""

from __future__ import annotations

import httpx

from bot.channels.pace import MOST_KEYS, Pace, neighbourhood
from bot.guide import Guide
from tests.web.conftest import ONE_LOOP, Person, Site, new_person


def test_a_minute_slides_and_each_address_has_its_own() -> None:
    now = [0.0]
    pace = Pace(2, lambda: now[0])
    assert [pace.take("a"), pace.take("a"), pace.take("b")] == [0, 0, 0]
    now[0] = 20
    assert pace.take("a") == 40
    now[0] = 60.5
    assert pace.take("a") == 0


def test_addresses_that_are_quiet_are_forgotten() -> None:
    now = [0.0]
    pace = Pace(1, lambda: now[0])
    for number in range(MOST_KEYS + 1):
        pace.take(str(number))
    now[0] = 61
    pace.take("one more")
    assert len(pace._taken) == 1


def test_a_household_with_many_addresses_is_one() -> None:
    assert neighbourhood("2001:db8:1:2::1") == neighbourhood("2001:db8:1:2:ffff::9") != neighbourhood("2001:db8:1:3::1")
    assert neighbourhood("192.0.2.1") != neighbourhood("192.0.2.2")
    assert neighbourhood("testclient") == "testclient"


@ONE_LOOP
async def test_one_address_opens_no_thousand_chats_but_a_known_chat_goes_on(
    site: Site, http: httpx.AsyncClient
) -> None:
    person = await new_person(http)
    answers = [await http.post("/api/sessions") for _ in range(site.settings.chats_per_minute)]
    last = answers[-1]
    assert [answer.status_code for answer in answers].count(200) == site.settings.chats_per_minute - 1
    assert (last.status_code, last.json()["error"]["code"]) == (429, "too_fast")
    assert 0 < int(last.headers["retry-after"]) <= 60
    assert (await http.post("/api/sessions", headers=person.auth)).status_code == 200
    assert (await person.send(text="hello")).status_code == 202


@ONE_LOOP
async def test_too_many_messages_of_one_chat_wait_in_the_browser_and_nobody_elses(site: Site, person: Person) -> None:
    object.__setattr__(site.casework, "guide", Guide.load())
    object.__setattr__(site.casework, "messages_per_minute", 1)
    answers = [await person.send(text=f"word {number}") for number in range(6)]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 200
    assert [event["say"] for event in await person.events() if event["role"] == "system"] == ["limit.waits"]
    refused = await person.upload(b"%PDF-1.7")
    assert refused.status_code == 429
    assert list(site.settings.files_dir.iterdir()) == []  # what was not taken lies nowhere
    assert (await (await new_person(person.http)).send(text="hello")).status_code == 202
