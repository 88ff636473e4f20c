"""How much may come from one chat (from one address: test_limits.py)."""

from __future__ import annotations

from bot.guide import Guide
from tests.web.conftest import ONE_LOOP, Person, Site, new_person


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
