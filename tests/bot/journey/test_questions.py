"""Questions for the reviewing doctors: picked, their own, declined or not in the guide; each kept once."""

from __future__ import annotations

import pytest

from bot.progress import MAX_QUESTIONS, QUESTIONS, Question
from tests.bot.journey.talk import Talk


def texts(talk: Talk) -> list[tuple[str, str, str]]:
    """The kept questions: id, words, and where they came from."""
    return [(question.id, question.text, question.origin) for question in talk.progress.questions]


def test_the_guides_questions_are_picked_once_each_and_then_no_longer_offered(agreed: Talk) -> None:
    agreed.at("questions")
    agreed.write("control.repeat")
    old = agreed.button("questions.other_options.name")
    for question in QUESTIONS:
        assert agreed.press(f"questions.{question}.name") == ["questions.added", "questions.more"]
        assert f"questions.{question}.name" not in agreed.labels
    agreed.push(old)
    assert [known[0] for known in texts(agreed)] == list(QUESTIONS)


def test_a_question_of_their_own_is_kept_as_it_was_written(agreed: Talk) -> None:
    agreed.at("questions")
    agreed.write("control.repeat")
    assert agreed.press("choice.add_own") == ["questions.own_ask"]
    assert agreed.write("words", "Can I still have children?") == ["questions.saved", "questions.more"]
    assert texts(agreed) == [("", "Can I still have children?", "own")]


@pytest.mark.parametrize("intent", ["faq.offend_doctor", "service.cost", "safety.medical_advice", "words"])
def test_whatever_they_write_when_asked_for_a_question_is_the_question(agreed: Talk, intent: str) -> None:
    agreed.at("question_own")
    agreed.write(intent, "Which of the two is better?")
    assert [known[1] for known in texts(agreed)] == ["Which of the two is better?"]


def test_curly_braces_in_a_question_are_words(agreed: Talk) -> None:
    agreed.at("question_own")
    agreed.write("words", "What about {person} and {0}?")
    assert "What about {person} and {0}?" in agreed.words()


def test_a_medical_question_is_declined_and_saved(agreed: Talk) -> None:
    agreed.press("choice.begin")
    assert agreed.write("safety.medical_advice", "is chemo better?") == ["safety.medical_advice", "signals.ask"]
    assert texts(agreed) == [("", "is chemo better?", "declined")]


def test_what_the_guide_does_not_say_is_saved_for_the_coordinator_once(agreed: Talk) -> None:
    for intent in ("service.cost", "service.cost", "service.time", "service.not_in_guide"):
        agreed.write(intent, f"a question of {intent}")
    assert texts(agreed) == [
        ("", "a question of service.cost", "unknown"),
        ("", "a question of service.time", "unknown"),
        ("", "a question of service.not_in_guide", "unknown"),
    ]


@pytest.mark.parametrize("intent", ["service.cost", "service.time", "service.not_in_guide"])
def test_it_never_says_that_it_saved_what_was_not_saved(talk: Talk, intent: str) -> None:
    talk.start()
    talk.press("choice.decline")
    assert talk.write(intent, "how much") == [f"{intent}_unsaved"]
    assert talk.write("control.repeat") == [f"{intent}_unsaved"]
    assert not talk.progress.questions


def test_the_same_words_in_other_capitals_are_one_question(agreed: Talk) -> None:
    for text in ("Is it curable?", "is it CURABLE?", " is it curable? "):
        agreed.at("question_own")
        agreed.write("words", text)
    assert len(agreed.progress.questions) == 1


def test_the_list_has_an_end(agreed: Talk) -> None:
    for number in range(MAX_QUESTIONS + 5):
        agreed.progress.add_question(Question(text=f"question {number}"))
    assert len(agreed.progress.questions) == MAX_QUESTIONS


def test_a_question_too_many_is_not_said_to_be_saved(agreed: Talk) -> None:
    for number in range(MAX_QUESTIONS):
        agreed.progress.add_question(Question(text=f"question {number}"))
    agreed.at("question_own")
    assert "questions.saved" not in agreed.write("words", "one more")


def test_done_shows_the_list_and_asks_for_the_treatment_date_once(agreed: Talk) -> None:
    agreed.at("questions")
    agreed.write("control.repeat")
    agreed.press("questions.other_options.name")
    assert agreed.press("choice.done") == ["questions.list", "treatment_date.ask"]
    agreed.press("choice.no")
    agreed.at("questions")
    agreed.write("control.repeat")
    assert agreed.press("choice.done") == ["questions.list", "handoff.offer"]


def test_no_more_goes_on_and_a_yes_asks_which(agreed: Talk) -> None:
    agreed.at("questions")
    assert agreed.write("control.yes") == ["questions.intro"]
    assert agreed.write("control.no") == ["treatment_date.ask"]


def test_words_that_are_not_understood_at_the_questions_are_taken_for_one(agreed: Talk) -> None:
    agreed.at("questions")
    assert agreed.write("nlu_fallback", "does it grow slowly") == ["questions.saved", "questions.more"]
    assert texts(agreed) == [("", "does it grow slowly", "own")]
