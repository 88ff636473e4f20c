"""Whatever the code can say stands in the guide, with the arguments it is given; and nothing stands there unsaid."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

import pytest
import yaml

from bot.casework.closing import REASONS
from bot.casework.commands import COMMANDS
from bot.channels.updates import FOR_PEOPLE
from bot.guide import Guide
from bot.journey import notes, safety, steer
from bot.progress import EXTRAS, QUESTIONS, RECORD_STATES, RECORDS, RELATIONS, SIGNALS
from tests.conftest import ROOT
from tests.guide.said import literals, said

INTENTS = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))["intents"]
TOPICS = [intent for intent in INTENTS if intent.startswith(("faq.", "service."))]
FEELINGS = [intent for intent in INTENTS if intent.startswith("feelings.")]


def each(pattern: str, *names: Sequence[str]) -> set[str]:
    """A family of ids: the pattern with every combination of names."""
    return {pattern.format(*combination) for combination in product(*names)}


# Ids that the code puts together, or takes from what was heard.
FAMILIES: dict[str, set[str]] = {
    "signals": each("signals.{}.{}", SIGNALS, ["name", "ask", "simpler", "why", "guide"]),
    "answers to a signal": each("signals.noted.{}", ["yes", "no", "not_sure", "skipped"]),
    "answers as buttons": each("choice.{}", ["yes", "no", "not_sure", "skipped", "dont_know"]),
    "records": each("records.{}.{}", RECORDS, ["name", "ask", "simpler", "what", "how"]),
    "states": each("state.{}", [*RECORD_STATES, "skipped", "unknown"]),
    "extras": each("extras.{}.name", EXTRAS),
    "questions": each("questions.{}.{}", QUESTIONS, ["name", "text"]),
    "relations": each("relation.{}", RELATIONS) | each("{}.{}", ["person", "persons"], ["self", "carer"]),
    "details of contact": each("brief.{}", ["name", "language", "country", "timezone"]),
    "topics": set(TOPICS) | each("{}.simpler", TOPICS) | each("topic.{}", TOPICS) | {"caregiver.how_to_help"},
    "what the guide does not say": each("{}_unsaved", sorted(notes.UNKNOWN)),
    "feelings": set(FEELINGS),
    "why": each("why.{}", sorted(steer.WHY)),
    "alarms": set(safety.ALARMS.values()) | each("safety.held_{}", ["emergency", "self_harm"]),
    "reasons of urgency": each("desk.reason.{}", [*safety.ALARMS, "treatment_soon", "fast_cancer", "coordinator"]),
    "who speaks": each("desk.role.{}", ["patient", "coordinator"]),
    "what cannot be read": each("input.unsupported.{}", ["voice", "sticker", "location", "contact", "edited", "other"]),
    "commands": each("command.{}", FOR_PEOPLE),
    "commands of coordinators": each("desk.{}.{}", ["command", "usage"], [*COMMANDS]),
    "buttons of coordinators": each("desk.button.{}", ["claim", "close", "release", "reopen"]),
    "why a case was closed": each("desk.closed_for.{}", [*REASONS, "blocked"]),
    "states of a case": each("desk.state.{}", ["talking", "waiting", "claimed", "closed"]),
    "answers that are ready": {say for say in Guide.load().ids if say.startswith("canned.")},
    "consent, in what somebody sees of their data": each("mydata.consent.{}", ["none", "agreed", "declined"]),
    "stars": each("choice.rate_{}", "12345"),
    "what could not be done for a coordinator": each("desk.not_{}", ["delivered", "corrected", "undone"]),
    "what a website cannot show": each("relay.{}", ["location", "venue", "contact", "sticker"]),
    "where they go on": each("link.place.{}", ["web", "telegram"]),
}
PUT_TOGETHER = set[str]().union(*FAMILIES.values())


@pytest.fixture(scope="module")
def guide() -> Guide:
    return Guide.load()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_of_ids_is_complete(guide: Guide, family: str) -> None:
    assert sorted(FAMILIES[family] - guide.ids) == []


def test_every_id_that_the_code_names_stands_in_the_guide(guide: Guide) -> None:
    assert [(place.place, place.id) for place in said() if place.exact and place.id not in guide.ids] == []


def test_every_id_that_the_code_puts_together_is_of_a_family(guide: Guide) -> None:
    known = PUT_TOGETHER | guide.ids
    assert [
        (place.place, place.id)
        for place in said()
        if not place.exact and not any(re.fullmatch(place.id, one) for one in known)
    ] == []


def test_every_entry_gets_the_arguments_that_it_takes(guide: Guide) -> None:
    wrong = []
    for place in said():
        for one in [place.id] if place.exact else [one for one in PUT_TOGETHER if re.fullmatch(place.id, one)]:
            if place.args is not None and one in guide.ids and place.args != guide.entry(one).args:
                wrong.append((place.place, one, sorted(place.args), sorted(guide.entry(one).args)))
    assert wrong == []


def test_nothing_stands_in_the_guide_that_nobody_says(guide: Guide) -> None:
    named = {place.id for place in said() if place.exact} | literals()
    assert sorted(guide.ids - named - PUT_TOGETHER) == []
