"""Emergencies and self-harm: the flow stops, nothing is appended, and the exact place is found again."""

from __future__ import annotations

import pytest

from bot.journey.safety import ALARMS
from bot.journey.turn import _ANSWERS, _ASKS
from bot.progress import Step
from tests.bot.journey.steps import STEPS, place
from tests.bot.journey.talk import Talk, mention
from tests.bot.rules import intents


@pytest.mark.parametrize("tier", ALARMS)
@pytest.mark.parametrize("step", [step for step in STEPS if step.name != "safety"], ids=str)
def test_an_alarm_stops_the_flow_at_every_step_and_ack_restores_it(talk: Talk, step: Step, tier: str) -> None:
    place(talk, step)
    assert talk.alarm(tier) == [ALARMS[tier]]
    assert talk.step.name == "safety"
    assert talk.press("choice.ack")[0] == "safety.resumed"
    assert talk.step == (Step("consent") if step.name == "new" else step)


@pytest.mark.parametrize("step", [step for step in STEPS if step.name != "safety"], ids=str)
def test_what_the_engine_takes_for_an_emergency_stops_the_flow_as_well(talk: Talk, step: Step) -> None:
    place(talk, step)
    assert talk.write("safety.emergency", "he has a fever") == ["safety.emergency.team"]
    talk.press("choice.ack")
    assert talk.step == (Step("consent") if step.name == "new" else step)


def test_whoever_began_with_an_emergency_is_welcomed_once_they_are_through(talk: Talk) -> None:
    talk.alarm("emergency.now")
    assert talk.press("choice.ack") == ["safety.resumed", "welcome.what", "welcome.consent"]


@pytest.mark.parametrize("held", ["waiting", "claimed"])
def test_the_people_who_hold_the_case_are_alerted(agreed: Talk, held: str) -> None:
    agreed.held = held
    assert agreed.alarm("self_harm.now") == ["safety.self_harm.now", "safety.told_coordinator"]
    assert agreed.asked("raise_urgent")


def test_a_second_alarm_replaces_the_first_and_the_place_is_still_known(agreed: Talk) -> None:
    agreed.press("choice.begin")
    here = agreed.step
    agreed.alarm("emergency.team")
    agreed.alarm("self_harm.wish")
    assert agreed.write("words", "hm") == ["safety.held_self_harm"]
    agreed.press("choice.ack")
    assert agreed.step == here


def test_what_only_sounds_like_danger_is_no_alarm_and_no_all_clear_and_its_facts_are_noted(agreed: Talk) -> None:
    agreed.press("choice.begin")
    text = "she had a seizure in may, all good since, and now it came back in the liver"
    told = mention("signal", "recurrence_or_resistance", text, "it came back in the liver", polarity="yes")
    said = agreed.write("safety.past_or_hypothetical", text, told)
    assert said == ["safety.not_now", "signals.heard", "signals.ask"]
    assert "recurrence_or_resistance" in agreed.progress.present()


def test_that_it_is_over_does_not_end_the_stop(agreed: Talk) -> None:
    agreed.alarm("emergency.now")
    assert agreed.write("safety.past_or_hypothetical", "it was in may") == ["safety.held_emergency"]


LEADING_ON = [
    "control.undo", "control.no", "control.dont_know", "control.skip", "control.repeat", "control.greet",
    "caregiver.is_caregiver", "caregiver.is_patient", "records.have", "records.missing", "signals.none", "words",
    "signals.situations.confusion", "faq.how_to_start", "start", "oos", "feelings.anxious", "control.status",
]  # fmt: skip


@pytest.mark.parametrize("consent", ["none", "agreed", "declined"])
@pytest.mark.parametrize("intent", LEADING_ON)
def test_nothing_else_leads_out_of_the_stop(agreed: Talk, intent: str, consent: str) -> None:
    agreed.press("choice.begin")
    agreed.consent = consent
    agreed.alarm("emergency.now")
    agreed.write(intent, "some words", mention("record", "imaging", state="have"))
    assert agreed.step.name == "safety"


def test_no_old_button_leads_out_of_the_stop(agreed: Talk) -> None:
    agreed.press("choice.begin")
    agreed.write("control.human")
    for _ in range(4):
        agreed.write("control.skip")
    agreed.send_file("photo.jpg", "image/jpeg")
    agreed.alarm("emergency.now")
    allowed = {"choice.ack", "choice.human"}
    for choice in list(agreed.shown):
        if choice.label not in allowed:
            agreed.push(choice)
            assert agreed.step.name == "safety", choice.label


def test_a_typed_yes_to_whether_they_have_reached_help_goes_on(agreed: Talk) -> None:
    agreed.press("choice.begin")
    agreed.alarm("emergency.team")
    assert agreed.write("control.yes", "yes I called") == ["safety.resumed", "signals.ask"]


def test_an_old_ack_changes_no_place(agreed: Talk) -> None:
    agreed.press("choice.begin")
    agreed.alarm("emergency.team")
    old = agreed.button("choice.ack")
    agreed.write("control.yes")
    agreed.send_file("photo.jpg", "image/jpeg")
    assert agreed.push(old) == ["records.which_file"]
    agreed.press("choice.other_file")
    assert agreed.step.name == "signals"


def test_an_alarm_amid_another_detour_finds_both_ways_back(agreed: Talk) -> None:
    agreed.press("choice.begin")
    here = agreed.step
    agreed.write("control.delete_data")
    agreed.alarm("emergency.now")
    assert agreed.press("choice.ack") == ["safety.resumed", "steer.delete_confirm"]
    assert agreed.press("choice.keep") == ["steer.delete_kept", "signals.ask"]
    assert agreed.step == here


def test_keeping_the_data_during_a_stop_leads_back_to_the_stop(agreed: Talk) -> None:
    agreed.press("choice.begin")
    agreed.alarm("emergency.now")
    assert agreed.write("control.delete_data") == ["steer.delete_confirm"]
    assert agreed.write("control.no") == ["steer.delete_kept", "safety.held_emergency"]
    assert agreed.press("choice.ack")[-1] == "signals.ask"


def test_a_person_is_a_way_out_of_the_stop_and_leads_back_to_the_place_before(agreed: Talk) -> None:
    agreed.press("choice.begin")
    here = agreed.step
    agreed.alarm("self_harm.wish")
    assert agreed.press("choice.human") == ["handoff.human", "handoff.name_ask"]
    for _ in range(4):
        agreed.write("control.skip")
    assert agreed.press("choice.send")[-1] == "signals.ask"
    assert agreed.step == here


def test_no_entry_of_safety_gives_an_all_clear(talk: Talk) -> None:
    for say in (*ALARMS.values(), "safety.held_emergency", "safety.held_self_harm", "safety.resumed"):
        for text in talk.guide.entry(say).texts:
            for claim in ("you are fine", "not an emergency", "nothing serious", "don't worry", "you are safe"):
                assert claim not in text.casefold()


def test_every_step_that_asks_takes_an_answer() -> None:
    no_questions = {"welcome", "welcome_back", "handoff"}
    assert set(_ASKS) - no_questions == set(_ANSWERS)
    assert {step.name for step in STEPS} == set(_ANSWERS) - {"rating_words"} | {"new"}
    assert "safety.emergency" in intents()
