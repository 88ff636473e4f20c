"""Whether a treatment date is set: asked once, read out of many wordings, never invented; a near one goes first."""

from __future__ import annotations

from datetime import date

import pytest

from bot.journey.treatment import read_date
from bot.progress import Progress, Question, RecordAnswer, SignalAnswer, Step, TreatmentDate
from tests.bot.conftest import MONDAY
from tests.bot.journey.talk import Talk

NONE = TreatmentDate(answer="no")


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("next Friday", date(2026, 11, 27)),
        ("friday", date(2026, 11, 27)),
        ("on monday", date(2026, 11, 30)),
        ("tomorrow", date(2026, 11, 24)),
        ("tomorrow morning", date(2026, 11, 24)),
        ("today", date(2026, 11, 23)),
        ("the day after tomorrow", date(2026, 11, 25)),
        ("in 5 days", date(2026, 11, 28)),
        ("10 days from now", date(2026, 12, 3)),
        ("in two weeks", date(2026, 12, 7)),
        ("next week", date(2026, 11, 30)),
        ("on the 3rd of March", date(2027, 3, 3)),
        ("3 march", date(2027, 3, 3)),
        ("Nov 30th", date(2026, 11, 30)),
        ("on 1st december 2026", date(2026, 12, 1)),
        ("2026-12-01", date(2026, 12, 1)),
        ("3.12.2026", date(2026, 12, 3)),
        ("25/11", date(2026, 11, 25)),
        ("12/25/2026", date(2026, 12, 25)),
        ("the 5th", date(2026, 12, 5)),
        ("on the 28th", date(2026, 11, 28)),
        ("My surgery is on 12 December", date(2026, 12, 12)),
        ("yes, chemo starts Thursday", date(2026, 11, 26)),
        ("surgery on Dec 3 at the hospital, they called this morning and told us to be there early", date(2026, 12, 3)),
    ],
)
def test_a_day_is_read_out_of_their_words(words: str, day: date) -> None:
    assert read_date(words, MONDAY) == day


@pytest.mark.parametrize(
    "words",
    [
        "december", "in december", "next month", "first week of december", "end of the month", "soon", "in spring",
        "we may", "it started in october", "last week", "5 days ago", "1 dec 2036", "31 february", "the 45th", "no",
        "yes", "maybe", "???", "", "ward 7", "at 3 pm", "9" * 500,
    ],
)  # fmt: skip
def test_no_day_is_invented(words: str) -> None:
    assert read_date(words, MONDAY) is None


@pytest.mark.parametrize("words", ["no", "not yet", "nothing is set", "none", "haven't got one", "they have not said"])
def test_a_no_in_words_goes_on(agreed: Talk, words: str) -> None:
    agreed.at("treatment_date")
    assert agreed.write("words", words) == ["treatment_date.none", "handoff.offer"]
    assert agreed.progress.treatment == NONE


@pytest.mark.parametrize("words", ["yes", "Yes there is", "ok", "yeah"])
def test_a_bare_yes_asks_when(agreed: Talk, words: str) -> None:
    agreed.at("treatment_date")
    assert agreed.write("words", words) == ["treatment_date.when"]
    assert agreed.progress.treatment.answer == "yes"


@pytest.mark.parametrize("words", ["in december", "yes, sometime next month", "after the holidays in winter"])
def test_a_rough_time_is_kept_in_their_words_and_not_asked_again(agreed: Talk, words: str) -> None:
    agreed.at("treatment_date")
    assert agreed.write("words", words) == ["treatment_date.noted", "handoff.offer"]
    assert agreed.progress.treatment == TreatmentDate(answer="yes", words=words)


@pytest.mark.parametrize("words", ["maybe", "what do you mean", "🤷"])
def test_words_that_tell_nothing_are_asked_again(agreed: Talk, words: str) -> None:
    agreed.at("treatment_date")
    assert agreed.write("words", words) == ["treatment_date.ask"]
    assert agreed.progress.treatment.answer == ""


def test_november_is_no_no(agreed: Talk) -> None:
    agreed.at("treatment_date")
    agreed.write("words", "november 30")
    assert agreed.progress.treatment.on == date(2026, 11, 30)


@pytest.mark.parametrize(("days", "said"), [(0, "soon"), (14, "soon"), (15, "noted"), (200, "noted")])
def test_fourteen_days_or_fewer_is_soon(agreed: Talk, days: int, said: str) -> None:
    agreed.at("treatment_date")
    words = "today" if days == 0 else f"in {days} days"
    assert agreed.write("words", words) == [f"treatment_date.{said}", "handoff.offer"]
    assert bool(agreed.progress.urgent(MONDAY.date())) is (said == "soon")


def test_a_child_goes_first_whatever_the_date() -> None:
    for relation in ("child", "son", "daughter"):
        assert Progress(role="carer", relation=relation).urgent(MONDAY.date())
    assert not Progress(role="carer", relation="mother").urgent(MONDAY.date())
    assert not Progress(role="self", relation="").urgent(MONDAY.date())


@pytest.mark.parametrize("words", ["he has acute leukaemia", "Leukemia (AML)", "a lymphoma of the brain"])
def test_a_cancer_that_may_not_wait_goes_first_wherever_it_was_named(words: str) -> None:
    assert Progress(signals={"rare_cancer": SignalAnswer(answer="yes", words=words)}).urgent(MONDAY.date())
    assert Progress(records={"pathology": RecordAnswer(state="have", note=words)}).urgent(MONDAY.date())
    assert Progress(questions=[Question(text=words, origin="own")]).urgent(MONDAY.date())


def test_other_words_put_nobody_first() -> None:
    assert not Progress(questions=[Question(text="are all leukocytes low", origin="own")]).urgent(MONDAY.date())


def test_a_date_that_has_passed_raises_nothing() -> None:
    past = Progress(treatment=TreatmentDate(answer="yes", on=date(2026, 11, 22)))
    assert not past.urgent(MONDAY.date())


@pytest.mark.parametrize("held", ["waiting", "claimed"])
def test_a_near_date_told_after_the_hand_off_raises_the_case_that_people_hold(agreed: Talk, held: str) -> None:
    agreed.held = held
    agreed.at("treatment_date")
    assert agreed.write("words", "tomorrow") == ["treatment_date.soon", "handoff.updated"]
    assert agreed.asked("raise_urgent")


@pytest.mark.parametrize("held", ["talking", "closed"])
def test_nothing_is_raised_where_nobody_holds_the_case(agreed: Talk, held: str) -> None:
    agreed.held = held
    agreed.progress.handed_off = held == "closed"
    agreed.at("treatment_date")
    agreed.write("words", "tomorrow")
    assert not agreed.asked("raise_urgent")


def test_the_buttons_answer_and_the_words_follow(agreed: Talk) -> None:
    agreed.at("treatment_date")
    agreed.write("control.repeat")
    assert agreed.press("choice.yes") == ["treatment_date.when"]
    assert agreed.write("words", "in 3 days") == ["treatment_date.soon", "handoff.offer"]
    assert agreed.progress.treatment == TreatmentDate(answer="yes", words="in 3 days", on=date(2026, 11, 26))


def test_when_can_be_skipped(agreed: Talk) -> None:
    agreed.at("treatment_date")
    agreed.write("control.repeat")
    agreed.press("choice.yes")
    assert agreed.press("choice.skip") == ["treatment_date.noted", "handoff.offer"]
    assert agreed.progress.treatment == TreatmentDate(answer="yes")


def test_an_older_no_still_means_no_when_the_day_is_being_asked(agreed: Talk) -> None:
    agreed.at("treatment_date")
    agreed.write("control.repeat")
    no = agreed.button("choice.no")
    agreed.press("choice.yes")
    assert agreed.push(no) == ["treatment_date.none", "handoff.offer"]
    assert agreed.progress.treatment == NONE


def test_do_not_know_is_an_answer(agreed: Talk) -> None:
    agreed.at("treatment_date")
    assert agreed.write("control.dont_know", "no idea") == ["treatment_date.unknown", "handoff.offer"]
    assert agreed.progress.treatment.answer == "dont_know"


def test_very_long_words_are_kept_to_their_bound(agreed: Talk) -> None:
    agreed.at("treatment_when")
    agreed.write("words", "in december " * 100)
    assert len(agreed.progress.treatment.words) == 200
    assert agreed.step == Step("handoff_offer")
