"""How the assistant speaks: short, plain, one thing at a time. What it may say, and on whose word: test_fidelity.py."""

from __future__ import annotations

import re

import pytest

from bot.guide import Guide
from tests.bot.journey.talk import first_sentence

GUIDE = Guide.load()
ENTRIES = list(GUIDE.entries["en"].values())
TEXTS = [(entry.id, text) for entry in ENTRIES for text in entry.texts]

LONGEST = 90  # words of one message
LONGEST_LABEL = 64  # characters of a button: what a phone shows in one row
HARDEST = 9.0  # years of school that the hardest text asks for
HARDEST_ON_AVERAGE = 6.0  # what children of 11 or 12 have

# What a person can hear twice in a row has three wordings.
OFTEN = re.compile(
    r"signals\.(noted\.\w+|heard|ask|ask_again)|records\.(noted|heard|ask|intro|which_item|how_which)"
    r"|extras\.(noted|more)|questions\.(added|saved|more|own_ask)|role\.ask|consent\.(needed|declined)"
    r"|resume\.\w+|welcome\.consent|steer\.(?!delete_confirm|deleted|help)\w+"
    r"|fallback\.\w+|choice\.stale|input\.(emoji|unsupported\.(?!voice)\w+)|feelings\.\w+|caregiver\.\w+"
    r"|safety\.(medical_advice\w*|held_\w+|stop_treatment|saved_for_team|resumed)|(faq|service)\.\w+"
    r"|handoff\.(offer|human|later|already)"
)
# What answers a person's own words: several of these may be said in one turn, or one after the other.
ANSWER = re.compile(r"(faq|service|feelings|caregiver)\.\w+|safety\.(medical_advice\w*|stop_treatment|saved_for_team)")
# What is said before the pending question is asked again asks nothing itself: one question a turn.
NO_QUESTION = re.compile(
    r"(faq|service|feelings|caregiver|why|engine)\..*|signals\.(noted\.\w+|heard|heard_unkept|\w+\.(why|guide))"
    r"|records\.(noted|heard|\w+\.(what|how))|role\.noted_\w+|consent\.(agreed|declined)|resume\.welcome_back.*"
    r"|safety\.(emergency\.\w+|medical\w+|stop_treatment|saved_for_team|told_coordinator|resumed)"
    r"|treatment_date\.(noted|soon|none|unknown)|handoff\.(human|sent|next|already|updated|meanwhile|later)"
    r"|steer\.(?!delete_confirm).*|fallback\.(second|oos)|input\..*|choice\.stale"
)
# A technical word, and the entries that explain it.
EXPLAINED = {
    r"\bDICOM\b": {"records.imaging.what"},
    r"\b(genomic|biomarker)\b": {"records.molecular.ask", "records.molecular.what"},
    r"\bmolecular\b": {"records.molecular.ask", "records.molecular.what"},
    r"\bbiopsy\b": {"records.pathology.ask"},
    r"\bMDT\b|\bmultidisciplinary\b": {"service.china_mdt"},
    r"\bTCM\b": {"service.supportive_care"},
    r"\bclinical trials?\b": {
        "signals.recurrence_or_resistance.why",
        "questions.clinical_trials.text",
        "faq.which_questions",
    },
    r"\b(oncolog\w+|metasta\w+|palliative|prognosis|histolog\w+|cytolog\w+|adjuvant|systemic|resect\w+)\b": set(),
}
PATIENTS_OWN = re.compile(
    r"\byour (cancer(?! team)|tumour|treatment|diagnosis|scans?|operation|blood|illness|doctor|body)\b", re.IGNORECASE
)


def unquoted(text: str) -> str:
    """A text without what it quotes or lists for somebody else to ask."""
    return re.sub(r"“[^”]*”|^• .*$", "", text, flags=re.MULTILINE)


def test_a_message_is_short() -> None:
    assert [say for say, text in TEXTS if len(text.split()) > LONGEST] == []


def test_a_message_asks_one_thing() -> None:
    assert [say for say, text in TEXTS if unquoted(text).count("?") > 1] == []


def test_what_goes_before_a_question_asks_nothing_itself() -> None:
    assert [say for say, text in TEXTS if NO_QUESTION.fullmatch(say) and "?" in unquoted(text)] == []


@pytest.mark.parametrize("word", EXPLAINED)
def test_a_technical_word_stands_only_where_it_is_explained(word: str) -> None:
    assert {say for say, text in TEXTS if re.search(word, text)} == EXPLAINED[word]


def test_what_is_said_often_has_three_wordings() -> None:
    often = [entry for entry in ENTRIES if OFTEN.fullmatch(entry.id)]
    assert len(often) > 70
    assert [e.id for e in often for texts in (e.variants, e.carer) if texts and len(set(texts)) < 3] == []


def test_the_wordings_of_one_text_begin_with_different_sentences() -> None:
    often = [entry for entry in ENTRIES if OFTEN.fullmatch(entry.id)]
    begin = [(e.id, [first_sentence(text) for text in texts]) for e in often for texts in (e.variants, e.carer)]
    assert [(say, first) for say, first in begin if len(set(first)) < len(first)] == []


def test_somebody_who_cares_hears_as_many_wordings_as_somebody_who_is_ill() -> None:
    assert [e.id for e in ENTRIES if e.carer and len(e.carer) != len(e.variants)] == []


def test_no_two_answers_begin_with_the_same_sentence() -> None:
    begin: dict[str, set[str]] = {}
    for entry in ENTRIES:
        if ANSWER.fullmatch(entry.id):
            for text in entry.texts:
                begin.setdefault(first_sentence(text), set()).add(entry.id)
    assert len(begin) > 90
    assert {first: ids for first, ids in begin.items() if len(ids) > 1} == {}


def test_somebody_who_cares_for_another_is_not_told_of_their_own_illness() -> None:
    heard = [(entry.id, text) for entry in ENTRIES for text in entry.carer or entry.variants]
    assert [say for say, text in heard if PATIENTS_OWN.search(unquoted(text))] == []


def test_a_label_fits_a_button() -> None:
    labels = re.compile(
        r"(choice\.(?!stale)|topic\.|relation\.|state\.)|(signals|records|questions|extras)\.\w+\.name$"
    )
    wrong = [e.id for e in ENTRIES if labels.match(e.id) and any(len(text) > LONGEST_LABEL for text in e.texts)]
    assert wrong == []


# Safety.


@pytest.mark.parametrize("say", ["safety.emergency.now", "safety.emergency.team", "safety.self_harm.now"])
def test_an_emergency_begins_with_what_to_do(say: str) -> None:
    for text in GUIDE.entry(say).texts:
        assert re.match(r"Please call\b[^.]*\bnow\b", text)


@pytest.mark.parametrize("say", ["safety.emergency.now", "safety.emergency.team"])
def test_an_emergency_says_that_it_cannot_be_judged_and_that_the_questions_stopped(say: str) -> None:
    for text in GUIDE.entry(say).texts:
        assert "cannot judge it" in text
        assert text.endswith("I have stopped my questions.")


@pytest.mark.parametrize("who", ["now", "wish", "third_party"])
def test_self_harm_is_answered_with_lines_to_call_and_to_text_a_person_and_a_question(who: str) -> None:
    (text,) = GUIDE.entry(f"safety.self_harm.{who}").texts
    assert "call or text 988" in text
    assert "116 123" in text
    assert "https://findahelpline.com" in text
    assert "emergency number" in text
    assert re.search(r"\b(near you|stay with them)\b", text)
    assert re.search(r"Are (you|they) safe [^.]*\?$", text)


@pytest.mark.parametrize("who", ["now", "wish"])
def test_self_harm_is_told_what_a_program_cannot_do(who: str) -> None:
    (text,) = GUIDE.entry(f"safety.self_harm.{who}").texts
    assert "I am a computer program and cannot" in text
    assert "I stay here" in text


def test_the_first_message_says_what_this_is_and_is_not() -> None:
    (text,) = GUIDE.entry("welcome.what").texts
    for must in (
        "a computer program",
        "not a medical provider",
        "No doctor or nurse reads this chat",
        "emergency number",
    ):
        assert must in text


# How hard a text is to read.


def grade(text: str) -> float:
    """Flesch-Kincaid: about the years of school that somebody needs to read it."""
    words = re.findall(r"[A-Za-z']+", text)
    sentences = [part for part in re.split(r"[.!?:]+(?:\s|”|$)|\n", text) if re.search(r"\w\w", part)]
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def syllables(word: str) -> int:
    """About how many syllables an English word has."""
    word = word.casefold().strip("'")
    silent = re.search(r"[^l]e$|[^td]ed$", word)
    return max(1, len(re.findall(r"[aeiouy]+", word)) - bool(silent))


def grades() -> dict[str, float]:
    """How hard every message is that a person who is ill may read, if it is long enough to be measured."""
    read = [(say, text) for say, text in TEXTS if not say.startswith(("desk.", "brief."))]
    return {f"{say}: {text}": grade(text) for say, text in read if len(text.split()) >= 20}


def test_a_message_is_not_hard_to_read() -> None:
    assert [message for message, hard in grades().items() if hard > HARDEST] == []


def test_messages_can_be_read_by_children_of_eleven_or_twelve_on_average() -> None:
    measured = grades().values()
    assert len(measured) > 100
    assert sum(measured) / len(measured) <= HARDEST_ON_AVERAGE


def test_the_measure_of_reading_tells_easy_from_hard() -> None:
    assert grade("We go slowly. You can rest. Write to me when you like.") < 3
    assert grade("Multidisciplinary evaluation facilitates comprehensive therapeutic decisions.") > 15
