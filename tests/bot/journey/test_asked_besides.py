"""A message that tells something and asks something: both are heard, and then they are back where they were."""

from __future__ import annotations

import pytest

from tests.bot.journey.talk import Talk, mention

TEXT = "two hospitals say different things, and how much does your review cost?"
TOLD = mention("signal", "conflicting_plans", TEXT, "two hospitals say different things", polarity="yes")
ASKED = mention("question", "service.cost", TEXT, "how much does your review cost")


@pytest.mark.parametrize("main", ["signals.situations.conflicting_plans", "service.cost"])
def test_what_is_told_is_taken_in_and_what_is_asked_answered_whichever_counts_as_the_main_point(
    agreed: Talk, main: str
) -> None:
    agreed.press("choice.begin")
    said = agreed.write(main, TEXT, TOLD, ASKED)
    assert [say for say in said if say != "signals.intro"] == ["signals.heard", "service.cost", "signals.ask"]
    assert "conflicting_plans" in agreed.progress.present()


def test_what_the_guide_does_not_say_is_kept_in_the_words_that_asked_it(agreed: Talk) -> None:
    agreed.write("signals.situations.conflicting_plans", TEXT, TOLD, ASKED)
    assert [question.text for question in agreed.progress.questions] == ["how much does your review cost"]


def test_a_feeling_is_answered_before_the_question_beside_it(agreed: Talk) -> None:
    text = "I am so scared. is it normal to ask another doctor?"
    said = agreed.write("feelings.anxious", text, mention("question", "faq.is_it_normal", text, "is it normal"))
    assert said[:2] == ["feelings.anxious", "faq.is_it_normal"]


def test_of_two_questions_both_are_answered(agreed: Talk) -> None:
    text = "will my doctor be angry? and what do you cost?"
    said = agreed.write("faq.offend_doctor", text, mention("question", "service.cost", text, "what do you cost"))
    assert said[:2] == ["faq.offend_doctor", "service.cost"]


def test_records_and_a_question_in_one_message(agreed: Talk) -> None:
    text = "pathology yes as pdf, do I have to travel?"
    record = mention("record", "pathology", text, "pathology", state="have")
    said = agreed.write("records.have", text, record, mention("question", "service.travel_needed", text, "do I have"))
    assert said.index("records.heard") < said.index("service.travel_needed")


def test_the_same_question_is_answered_once(agreed: Talk) -> None:
    said = agreed.write("service.cost", TEXT, ASKED)
    assert said.count("service.cost") == 1


@pytest.mark.parametrize("value", ["safety.emergency", "control.delete_data", "signals.none", "nonsense"])
def test_nothing_else_is_taken_for_a_question(agreed: Talk, value: str) -> None:
    text = "two plans, and that"
    told = mention("signal", "conflicting_plans", text, "two plans", polarity="yes")
    said = agreed.write("signals.situations.conflicting_plans", text, told, mention("question", value, text, "that"))
    assert value not in said


def test_somebody_who_declined_is_answered_too_and_nothing_is_kept(talk: Talk) -> None:
    talk.start()
    talk.press("choice.decline")
    said = talk.write("signals.situations.conflicting_plans", TEXT, TOLD, ASKED)
    assert "service.cost_unsaved" in said
    assert talk.progress.questions == []
