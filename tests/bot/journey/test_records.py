"""The six records in seven states, the checklist, how to get them, and the helpful extras."""

from __future__ import annotations

import pytest

from bot.progress import EXTRAS, RECORD_STATES, RECORDS, RecordAnswer, Step
from tests.bot.journey.talk import Talk, mention


@pytest.fixture
def asked(agreed: Talk) -> Talk:
    """Somebody who was just asked about the first record."""
    agreed.press("choice.records")
    return agreed


def states(talk: Talk) -> dict[str, str]:
    """The state of each record that is known."""
    return {name: answer.state for name, answer in talk.progress.records.items()}


def test_the_six_are_asked_in_the_guides_order_with_the_checklist_first(asked: Talk) -> None:
    assert asked.said == ["records.intro", "records.card_new", "records.ask"]
    order = []
    while asked.step.name == "records":
        order.append(asked.step.about)
        asked.press("state.have")
    assert order == list(RECORDS)
    assert asked.said == ["records.done", "records.card_new", "extras.intro"]


@pytest.mark.parametrize("state", RECORD_STATES)
def test_each_of_the_seven_states_can_be_pressed_and_shows_in_the_checklist(asked: Talk, state: str) -> None:
    asked.press(f"state.{state}")
    assert states(asked) == {"pathology": state}
    card = next(say.card for say in asked.says if say.card)
    assert card.states["pathology"] == state
    assert asked.step.about == "imaging"


@pytest.mark.parametrize("state", ["lost", "asked"])
def test_what_is_missing_is_told_how_to_get(asked: Talk, state: str) -> None:
    assert asked.press(f"state.{state}") == ["records.pathology.how", "records.card_title", "records.ask"]


def test_a_typed_yes_is_have_and_a_skip_leaves_it_open_on_the_checklist(asked: Talk) -> None:
    assert asked.write("control.yes", "yes") == ["records.noted", "records.card_title", "records.ask"]
    assert asked.write("control.skip", "skip") == ["steer.skipped", "records.ask"]
    assert states(asked) == {"pathology": "have", "imaging": "skipped"}
    asked.press("state.have")
    card = next(say.card for say in asked.says if say.card)
    assert card.states["imaging"] == ""


def test_a_typed_no_is_asked_which_no_is_meant(asked: Talk) -> None:
    assert asked.write("control.no", "no") == ["records.which_no"]
    assert not asked.progress.records
    assert asked.labels[:5] == [f"state.{s}" for s in ("asked", "lost", "not_done", "not_for_me", "dont_know")]
    asked.press("state.not_done")
    assert states(asked) == {"pathology": "not_done"}


def test_several_records_of_one_message_each_get_their_state(asked: Talk) -> None:
    text = "I have the pathology and half of the scans, the blood tests I asked for"
    said = asked.write(
        "records.have",
        text,
        mention("record", "pathology", text, "I have the pathology", state="have"),
        mention("record", "imaging", text, "half of the scans", state="partly"),
        mention("record", "blood_tests", text, "the blood tests I asked for", state="asked"),
    )
    assert said == ["records.heard", "records.card_title", "records.ask"]
    assert states(asked) == {"pathology": "have", "imaging": "partly", "blood_tests": "asked"}
    assert asked.step.about == "treatment_summary"
    assert asked.progress.records["imaging"].note == "half of the scans"


def test_one_record_in_two_states_is_partly_there(asked: Talk) -> None:
    text = "the CT yes but the MRI is lost"
    asked.write(
        "records.have",
        text,
        mention("record", "imaging", text, "the CT yes", state="have"),
        mention("record", "imaging", text, "the MRI is lost", state="lost"),
    )
    assert states(asked) == {"imaging": "partly"}


def test_a_statement_without_a_record_answers_the_pending_one(asked: Talk) -> None:
    asked.write("records.have", "yes I have that at home")
    asked.write("records.missing", "they lost it")
    assert states(asked) == {"pathology": "have", "imaging": "lost"}


def test_a_statement_without_a_record_elsewhere_is_asked_which_is_meant(agreed: Talk) -> None:
    assert agreed.write("records.have", "I have it") == ["records.which_item"]
    agreed.press("records.imaging.name")
    assert agreed.step == Step("records", "imaging")


def test_a_record_told_in_a_yes_is_taken_for_that_record(asked: Talk) -> None:
    text = "yes, and the blood tests too"
    asked.write("control.yes", text, mention("record", "blood_tests", text, "the blood tests too", state="have"))
    assert states(asked)["blood_tests"] == "have"


def test_a_record_told_by_the_way_is_noted_and_the_pending_one_not_asked_again(asked: Talk) -> None:
    text = "I have the pathology report, what does it cost"
    found = mention("record", "pathology", text, "I have the pathology report", state="have")
    assert asked.write("service.cost", text, found) == ["records.heard", "service.cost", "records.ask"]
    assert asked.step.about == "imaging"


def test_a_signal_told_with_a_record_is_noted_too(asked: Talk) -> None:
    text = "I have the scans and it came back"
    asked.write(
        "records.have",
        text,
        mention("record", "imaging", text, "I have the scans", state="have"),
        mention("signal", "recurrence_or_resistance", text, "it came back", polarity="yes"),
    )
    assert "signals.heard" in asked.said
    assert asked.progress.present() == ["recurrence_or_resistance"]


def test_how_to_get_the_pending_record_is_told_and_it_is_asked_again(asked: Talk) -> None:
    assert asked.write("records.how_to_get", "how do I get it") == ["records.pathology.how", "records.ask"]
    assert asked.press("choice.how") == ["records.pathology.how", "records.ask"]


def test_how_to_get_a_named_record_is_told_from_anywhere(agreed: Talk) -> None:
    text = "how do I get my slides"
    assert agreed.write("records.how_to_get", text, mention("record", "pathology", text, "my slides")) == [
        "records.pathology.how",
        "start.offer",
    ]


def test_how_to_get_without_a_record_asks_which_one(agreed: Talk) -> None:
    assert agreed.write("records.how_to_get", "how do I get my papers") == ["records.how_which"]
    assert agreed.press("records.molecular.name")[0] == "records.molecular.how"


def test_a_later_state_replaces_the_earlier_and_keeps_what_was_said(asked: Talk) -> None:
    text = "the pathology is asked for at the clinic"
    asked.write("records.missing", text, mention("record", "pathology", text, text, state="asked"))
    old = asked.button("state.have", record="pathology")
    here = asked.step
    asked.push(old)
    assert asked.progress.records["pathology"] == RecordAnswer(state="have", note=text)
    assert asked.step == here


def test_going_back_from_the_extras_leads_to_the_last_record(asked: Talk) -> None:
    for _ in RECORDS:
        asked.press("state.have")
    assert asked.step.name == "extras"
    assert asked.write("control.undo")[:2] == ["steer.back", "records.ask"]
    assert asked.step == Step("records", "operative_notes")
    asked.write("control.undo")
    assert asked.step == Step("records", "molecular")


def test_extras_are_ticked_one_by_one_and_offered_only_once(asked: Talk) -> None:
    asked.at("extras")
    asked.write("control.repeat")
    for extra in EXTRAS:
        assert f"extras.{extra}.name" in asked.labels
        asked.press(f"extras.{extra}.name")
        assert f"extras.{extra}.name" not in asked.labels
    assert asked.progress.extras == list(EXTRAS)
    assert "extras.done" in asked.said
    assert asked.step.name == "questions"


@pytest.mark.parametrize("intent", ["control.no", "control.skip", "control.dont_know"])
def test_extras_are_never_a_condition(asked: Talk, intent: str) -> None:
    asked.at("extras")
    asked.write(intent)
    assert asked.step.name == "questions"


def test_records_before_consent_are_a_draft_and_the_step_itself_needs_consent(talk: Talk) -> None:
    text = "I have my CT scans"
    talk.write("records.have", text, mention("record", "imaging", text, text, state="have"))
    assert talk.said == ["welcome.what", "records.heard", "welcome.consent"]
    assert not any(say.card for say in talk.says)
    talk.press("choice.agree")
    assert states(talk) == {"imaging": "have"}


def test_the_checklist_shows_once_a_turn(asked: Talk) -> None:
    for _ in RECORDS:
        asked.press("state.have")
        assert sum(1 for say in asked.says if say.card) == 1


def test_status_shows_how_far_they_got(asked: Talk) -> None:
    asked.press("state.have")
    assert asked.write("control.status") == ["steer.status", "records.card_new", "records.ask"]
    assert asked.says[0].args["records"] == 1


def test_unknown_records_and_states_of_a_pressed_button_change_nothing(asked: Talk) -> None:
    for carried in ({"record": "x", "state": "have"}, {"record": "imaging", "state": "x"}, {}):
        entities = [{"entity": "act", "value": "record"}, *({"entity": k, "value": v} for k, v in carried.items())]
        assert asked.hear("press", "", tuple(entities)) == ["records.ask"]
    assert not asked.progress.records
