"""The twelve signals: one at a time, never asked again once said, corrected from a summary without a verdict."""

from __future__ import annotations

import re

import pytest

from bot.progress import DISMISSAL, SELF_QUESTION, SIGNALS, SITUATIONS, Step
from bot.render import Voice, render
from tests.bot.journey.talk import Talk, mention

INTENT = {
    **{name: f"signals.situations.{name}" for name in SITUATIONS},
    **{name: f"signals.dismissal.{name}" for name in DISMISSAL},
    SELF_QUESTION: "signals.self.no",
}


@pytest.fixture
def asked(agreed: Talk) -> Talk:
    """Somebody who was just asked about the first signal."""
    agreed.press("choice.begin")
    return agreed


def test_all_twelve_are_asked_in_the_guides_order_and_end_in_the_summary(asked: Talk) -> None:
    order = []
    for _ in SIGNALS:
        order.append(asked.step.about)
        asked.press("choice.yes")
    assert order == list(SIGNALS)
    assert asked.step == Step("signals_summary")
    assert asked.said[0] == "signals.summary"
    assert asked.said[-1] == "signals.clarity"


def test_one_question_is_asked_a_turn_and_it_says_which_of_twelve(asked: Talk) -> None:
    assert asked.said.count("signals.ask") == 1
    assert (asked.says[-1].args["n"], asked.says[-1].args["total"]) == (1, 12)
    asked.press("choice.no")
    assert asked.said == ["signals.ask"]
    assert asked.says[-1].args["n"] == 2


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_said_in_their_own_words_is_noted_with_them_and_not_asked_again(asked: Talk, name: str) -> None:
    text = "these are my own words"
    polarity = {"polarity": "yes"}
    asked.write(INTENT[name], text, mention("signal", name, text, text, **polarity))
    assert name in asked.progress.present()
    assert asked.progress.signals[name].words == text
    order = []
    while asked.step.name == "signals":
        order.append(asked.step.about)
        asked.press("choice.no")
    assert name not in order
    assert len(order) == len(SIGNALS) - 1


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_is_taken_from_the_intent_alone_when_no_clause_was_found(asked: Talk, name: str) -> None:
    asked.write(INTENT[name], "the whole message")
    assert name in asked.progress.present()
    assert asked.progress.signals[name].words == "the whole message"


def test_several_signals_of_one_message_are_all_noted_each_with_its_clause(asked: Talk) -> None:
    text = "it came back and nobody answers my questions"
    said = asked.write(
        "signals.situations.recurrence_or_resistance",
        text,
        mention("signal", "recurrence_or_resistance", text, "it came back", polarity="yes"),
        mention("signal", "unanswered_questions", text, "nobody answers my questions", polarity="yes"),
    )
    assert said == ["signals.heard", "signals.ask"]
    assert asked.progress.signals["recurrence_or_resistance"].words == "it came back"
    assert asked.progress.signals["unanswered_questions"].words == "nobody answers my questions"
    assert asked.step.about == "rare_cancer"


def test_the_pending_question_answered_by_the_way_is_not_asked_again(asked: Talk) -> None:
    text = "it is a rare sarcoma, will my doctor be offended if I ask"
    found = mention("signal", "rare_cancer", text, "it is a rare sarcoma", polarity="yes")
    assert asked.write("faq.offend_doctor", text, found) == ["signals.heard", "faq.offend_doctor", "signals.ask"]
    assert asked.step.about == "major_surgery"


def test_a_negation_answers_an_open_question_and_takes_nothing_back(asked: Talk) -> None:
    text = "no surgery is planned"
    asked.write("signals.none", text, mention("signal", "major_surgery", text, text, polarity="no"))
    assert asked.progress.signals["major_surgery"].answer == "no"
    asked.write(INTENT["confusion"], "I am so confused")
    asked.write("signals.none", text, mention("signal", "confusion", text, text, polarity="no"))
    assert asked.progress.signals["confusion"].answer == "yes"


def test_a_negation_of_the_pending_question_corrects_the_earlier_answer(asked: Talk) -> None:
    asked.press("choice.yes")
    asked.write("control.undo")
    assert asked.step.about == "rare_cancer"
    text = "no, it is not a rare one"
    asked.write("signals.none", text, mention("signal", "rare_cancer", text, text, polarity="no"))
    assert asked.progress.signals["rare_cancer"].answer == "no"
    assert asked.step.about == "major_surgery"


def test_a_negation_by_the_way_corrects_the_pending_question_too(asked: Talk) -> None:
    asked.press("choice.yes")
    asked.write("control.undo")
    text = "it is not rare after all, will my doctor be offended"
    asked.write("faq.offend_doctor", text, mention("signal", "rare_cancer", text, "it is not rare", polarity="no"))
    assert asked.progress.signals["rare_cancer"].answer == "no"
    assert asked.step.about == "major_surgery"


def test_nothing_of_this_applies_answers_the_pending_question_with_no(asked: Talk) -> None:
    asked.write("signals.none", "nothing like that")
    assert asked.progress.signals["rare_cancer"].answer == "no"
    assert asked.step.about == "major_surgery"


def test_understanding_enough_counts_as_a_signal_only_when_the_answer_is_no(asked: Talk) -> None:
    asked.write("signals.self.yes", "I understand it all")
    assert SELF_QUESTION not in asked.progress.present()
    asked.progress.signals.clear()
    asked.write("signals.self.no", "I understand nothing")
    assert SELF_QUESTION in asked.progress.present()


def test_saying_a_signal_again_is_acknowledged_as_a_yes(asked: Talk) -> None:
    asked.write(INTENT["confusion"], "I am confused")
    assert asked.write(INTENT["confusion"], "still so confused") == ["signals.noted.yes", "signals.ask"]


@pytest.mark.parametrize(
    ("intent", "answer"),
    [("control.yes", "yes"), ("control.no", "no"), ("control.dont_know", "not_sure"), ("control.skip", "skipped")],
)
def test_a_typed_answer_counts_as_its_button_does(asked: Talk, intent: str, answer: str) -> None:
    assert asked.write(intent) == [f"signals.noted.{answer}", "signals.ask"]
    assert asked.progress.signals["rare_cancer"].answer == answer
    assert asked.step.about == "major_surgery"


def test_why_explains_the_pending_signal_and_asks_it_again(asked: Talk) -> None:
    assert asked.write("control.why") == ["signals.rare_cancer.why", "signals.ask"]
    asked.press("choice.no")
    assert asked.press("choice.why") == ["signals.major_surgery.why", "signals.ask"]


def test_simpler_says_the_pending_signal_in_simpler_words(asked: Talk) -> None:
    assert asked.write("control.simpler") == ["signals.rare_cancer.simpler", "signals.ask"]


def test_going_back_several_times_leads_back_question_by_question(asked: Talk) -> None:
    for _ in range(4):
        asked.press("choice.yes")
    for name in reversed(SIGNALS[:4]):
        assert asked.write("control.undo") == ["steer.back", "signals.ask"]
        assert asked.step.about == name
    asked.press("choice.no")
    assert asked.progress.signals["rare_cancer"].answer == "no"
    assert asked.step.about == SIGNALS[4]


def test_going_back_leads_to_a_question_that_was_answered_in_their_own_words(asked: Talk) -> None:
    asked.write(INTENT["rare_cancer"], "it is rare")
    assert asked.step.about == "major_surgery"
    asked.write("control.undo")
    assert asked.step.about == "rare_cancer"


def test_going_back_past_the_first_question_says_so_and_stays(asked: Talk) -> None:
    for _ in range(5):
        asked.write("control.undo")
    assert asked.write("control.undo")[0] == "steer.undo_none"
    assert asked.consent == "agreed"


def test_an_old_button_still_means_the_signal_it_stood_under(asked: Talk) -> None:
    old = asked.button("choice.yes", signal="rare_cancer")
    asked.write("control.no", "no")
    asked.write("control.no", "no")
    here = asked.step
    assert asked.push(old) == ["signals.changed", "signals.ask"]
    assert asked.progress.signals["rare_cancer"].answer == "yes"
    assert asked.step == here


def test_an_answer_is_changed_from_the_summary_by_button_and_by_word(asked: Talk) -> None:
    for name in SIGNALS:
        asked.press("choice.yes" if name == SELF_QUESTION else "choice.no")
    assert asked.said[0] == "signals.summary_none"
    assert asked.press("choice.change") == ["signals.change_which"]
    assert asked.press("signals.confusion.name") == ["signals.ask_again"]
    assert asked.press("choice.yes", signal="confusion")[:2] == ["signals.changed", "signals.summary"]
    asked.write("control.no", "no, that is not right")
    asked.press("signals.pressured.name")
    assert asked.write("control.yes", "yes")[:2] == ["signals.changed", "signals.summary"]
    assert asked.progress.present() == ["confusion", "pressured"]
    assert asked.step == Step("signals_summary")


def test_a_question_of_the_guide_in_the_middle_of_a_change_asks_for_the_change_again(asked: Talk) -> None:
    for _ in SIGNALS:
        asked.press("choice.no")
    asked.press("choice.change")
    asked.press("signals.confusion.name")
    assert asked.write("faq.certainty") == ["faq.certainty", "signals.ask_again"]


def test_no_more_to_change_shows_the_summary_again(asked: Talk) -> None:
    for _ in SIGNALS:
        asked.press("choice.yes")
    asked.press("choice.change")
    assert asked.write("control.no", "nothing")[0] == "signals.summary"


def test_the_summary_says_what_the_guide_says_of_every_present_signal(asked: Talk) -> None:
    for _ in SIGNALS:
        asked.press("choice.yes")
    lines = [line["say"] for say in asked.says if say.say == "signals.summary_guide" for line in say.args["lines"]]
    assert lines == [f"signals.{name}.guide" for name in SIGNALS if name != SELF_QUESTION]


def test_what_they_were_not_sure_about_stands_apart(asked: Talk) -> None:
    for _ in SIGNALS:
        asked.press("choice.not_sure")
    assert asked.said[:2] == ["signals.summary_none", "signals.summary_unsure"]


@pytest.mark.parametrize("role", ["self", "carer"])
@pytest.mark.parametrize("answer", ["yes", "no", "not_sure"])
def test_the_summary_never_holds_a_score_or_a_verdict(talk: Talk, role: str, answer: str) -> None:
    talk.agree(role)
    talk.press("choice.begin")
    for _ in SIGNALS:
        talk.press(f"choice.{answer}")
    assert talk.step.name == "signals_summary"
    for say in talk.says:
        entry = talk.guide.entry(say.say)
        for variant in range(max(len(entry.variants), len(entry.carer))):
            for block in render(talk.guide, say, Voice("en", role, "mother"), variant):  # type: ignore[arg-type]
                text = block.get("text", "")
                assert not re.search(r"\d|%|\b(score of|points out|high|low|risk)\b", text.replace("no score", "")), (
                    text
                )
                assert not re.search(r"\byou (should|must|need to) (get|seek|have) a second", text, re.IGNORECASE), text
                assert not re.search(r"\bdoctor (is|was) wrong\b", text, re.IGNORECASE), text


def test_skipped_signals_are_neither_present_nor_unsure_nor_asked_again(asked: Talk) -> None:
    for _ in SIGNALS:
        asked.press("choice.skip")
    assert asked.step.name == "signals_summary"
    assert (asked.progress.present(), asked.progress.unsure()) == ([], [])


def test_words_longer_than_are_kept_do_not_break_the_document(asked: Talk) -> None:
    asked.write("signals.none", "no " * 5_000)
    assert asked.progress.signals["rare_cancer"].answer == "no"


def test_who_declined_is_told_that_no_note_was_made(talk: Talk) -> None:
    talk.start()
    talk.press("choice.decline")
    assert talk.write(INTENT["confusion"], "I am confused") == ["signals.heard_unkept"]
    assert not talk.progress.signals
