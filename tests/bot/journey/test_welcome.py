"""The start: what this is, consent before anything is kept, for whom, and coming back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.progress import RELATIONS, SIGNALS, Step
from tests.bot.journey.talk import Talk, mention


def test_it_says_what_it_is_before_it_asks_whether_it_may_keep_anything(talk: Talk) -> None:
    assert talk.start() == ["welcome.what", "welcome.consent"]


def test_agreeing_leads_to_who_is_ill_and_then_to_the_three_steps(talk: Talk) -> None:
    talk.start()
    assert talk.press("choice.agree") == ["consent.agreed", "role.ask"]
    assert talk.asked("agree")
    assert talk.press("choice.self") == ["role.noted_self", "start.offer"]
    assert talk.progress.role == "self"


def test_a_carer_is_asked_for_whom(talk: Talk) -> None:
    talk.start()
    talk.press("choice.agree")
    assert talk.press("choice.carer") == ["role.relation_ask"]
    assert talk.press("relation.brother") == ["role.noted_carer", "start.offer"]
    assert (talk.progress.role, talk.progress.relation) == ("carer", "brother")


def test_a_relation_in_their_own_words_is_taken_and_an_unknown_one_is_a_relative(talk: Talk) -> None:
    talk.start()
    talk.press("choice.agree")
    talk.press("choice.carer")
    talk.write("words", "it is my aunt", mention("relation", "aunt"))
    assert talk.progress.relation == "aunt"
    talk.at("relation")
    talk.write("words", "my neighbour's boy")
    assert talk.progress.relation == "relative"


def test_a_first_message_with_content_is_welcomed_answered_and_then_asked_to_agree(talk: Talk) -> None:
    assert talk.write("faq.offend_doctor", "will my doctor be offended") == [
        "welcome.what",
        "faq.offend_doctor",
        "welcome.consent",
    ]


def test_what_a_first_message_told_is_not_lost_once_they_agree(talk: Talk) -> None:
    text = "my mother has a rare sarcoma and two doctors disagree"
    talk.write(
        "caregiver.is_caregiver",
        text,
        mention("relation", "mother"),
        mention("signal", "rare_cancer", text, "my mother has a rare sarcoma", polarity="yes"),
        mention("signal", "conflicting_plans", text, "two doctors disagree", polarity="yes"),
    )
    assert talk.said == ["welcome.what", "role.noted_carer", "signals.heard", "welcome.consent"]
    talk.press("choice.agree")
    assert talk.progress.signals["conflicting_plans"].words == "two doctors disagree"
    assert (talk.progress.role, talk.progress.relation) == ("carer", "mother")
    assert "role.ask" not in talk.said


@pytest.mark.parametrize("intent", ["control.no", "control.dont_know", "control.skip", "control.yes", "words"])
def test_a_bare_first_word_answers_nothing_that_was_not_asked_yet(talk: Talk, intent: str) -> None:
    assert talk.write(intent, "no") == ["welcome.what", "welcome.consent"]
    assert (talk.consent, talk.step.name) == ("none", "consent")


@pytest.mark.parametrize(
    ("intent", "said"),
    [
        ("control.human", ["welcome.what", "consent.needed"]),
        ("control.stop", ["welcome.what", "steer.stopped"]),
        ("control.bye", ["welcome.what", "steer.bye"]),
        ("control.delete_data", ["welcome.what", "steer.delete_confirm"]),
        ("control.restart", ["welcome.what", "steer.restarted", "welcome.consent"]),
        ("oos", ["welcome.what", "fallback.oos", "welcome.consent"]),
        ("feelings.anxious", ["welcome.what", "feelings.anxious", "welcome.consent"]),
        ("records.how_to_get", ["welcome.what", "records.how_which", "welcome.consent"]),
    ],
)
def test_a_first_message_that_steers_is_asked_at_most_one_thing(talk: Talk, intent: str, said: list[str]) -> None:
    assert talk.write(intent) == said


def test_a_file_as_the_first_message_is_asked_about_consent_once_and_then_who_is_ill(talk: Talk) -> None:
    assert talk.send_file("ct_scan.pdf") == ["welcome.what", "consent.file", "consent.needed"]
    assert not talk.asked("keep_file")
    assert talk.press("choice.agree") == ["consent.agreed", "role.ask"]


def test_declining_keeps_nothing_that_was_said_before_or_is_said_after(talk: Talk) -> None:
    text = "the cancer came back"
    signal = mention("signal", "recurrence_or_resistance", text, text, polarity="yes")
    talk.write("signals.situations.recurrence_or_resistance", text, signal)
    assert talk.progress.signals
    assert talk.press("choice.decline") == ["consent.declined"]
    assert not talk.progress.signals
    talk.write("signals.situations.recurrence_or_resistance", text, signal)
    talk.write("safety.medical_advice", "which drug is better")
    talk.write("service.cost", "what does it cost")
    talk.write("faq.offend_doctor", text, signal, mention("record", "imaging", state="have"))
    talk.write("records.have", "I have the CT", mention("record", "imaging", state="have"))
    assert (talk.progress.signals, talk.progress.records, talk.progress.questions) == ({}, {}, [])


def test_who_declined_is_still_answered_and_asked_again_only_for_a_step_that_must_keep(talk: Talk) -> None:
    talk.start()
    talk.press("choice.decline")
    assert talk.write("faq.is_it_normal") == ["faq.is_it_normal"]
    assert talk.write("control.human") == ["consent.needed"]
    assert talk.press("choice.agree")[:2] == ["consent.agreed", "handoff.human"]


@pytest.mark.parametrize("answer", ["maybe", "what do you keep"])
def test_consent_is_never_taken_from_unclear_words(talk: Talk, answer: str) -> None:
    talk.start()
    assert "welcome.consent" in talk.write("control.dont_know", answer)
    assert talk.consent == "none"


def test_pressing_an_old_agree_again_changes_nothing_and_leaves_them_where_they_are(talk: Talk) -> None:
    talk.start()
    old = talk.button("choice.agree")
    talk.agree().press("choice.begin")
    here = talk.step
    assert talk.push(old) == ["signals.ask"]
    assert talk.step == here


def test_taking_the_consent_back_asks_whether_everything_is_to_be_deleted(talk: Talk) -> None:
    talk.start()
    old = talk.button("choice.decline")
    talk.agree()
    talk.press("choice.begin")
    talk.press("choice.yes")
    assert talk.push(old) == ["steer.delete_confirm"]
    assert talk.progress.signals
    assert talk.press("choice.keep") == ["steer.delete_kept", "signals.ask"]


def test_going_on_elsewhere_without_consent_asks_for_it_once(talk: Talk) -> None:
    talk.start()
    assert talk.hear("press", "", ({"entity": "act", "value": "link"},)) == ["consent.needed"]
    assert "welcome.consent" not in talk.press("choice.agree")


def test_the_role_said_in_passing_changes_the_wording_and_keeps_the_pending_question(agreed: Talk) -> None:
    agreed.press("choice.begin")
    here = agreed.step
    said = agreed.write("caregiver.is_caregiver", "I ask for my father", mention("relation", "father"))
    assert said == ["role.noted_carer", "signals.ask"]
    assert agreed.step == here
    agreed.write("caregiver.is_patient", "no, it is me")
    assert (agreed.progress.role, agreed.progress.relation) == ("self", "")


def test_the_start_with_no_leaves_the_floor_to_their_questions(agreed: Talk) -> None:
    assert agreed.write("control.no", "no") == ["resume.open"]
    assert agreed.step == Step("open")


@pytest.mark.parametrize(
    "intent", ["control.yes", "control.no", "control.dont_know", "control.thanks", "control.greet"]
)
def test_ok_after_a_silence_ticks_nothing_and_welcomes_back(agreed: Talk, intent: str) -> None:
    agreed.press("choice.begin")
    agreed.press("choice.yes")
    before, here = dict(agreed.progress.signals), agreed.step
    agreed.now += timedelta(days=3)
    assert agreed.write(intent, "ok") == ["resume.welcome_back_signals", "signals.ask"]
    assert (agreed.progress.signals, agreed.step) == (before, here)
    agreed.write("control.yes", "yes")
    assert len(agreed.progress.signals) == 2


def test_ok_after_a_silence_is_not_taken_for_a_name(agreed: Talk) -> None:
    agreed.write("control.human")
    assert agreed.step.name == "contact_name"
    agreed.now += timedelta(days=3)
    assert agreed.write("words", "ok", ranking=("words", "control.yes", "control.thanks")) == [
        "resume.welcome_back",
        "handoff.name_ask",
    ]
    assert agreed.progress.contact.name == ""
    agreed.write("words", "Samira", ranking=("words", "oos"))
    assert agreed.progress.contact.name == "Samira"


def test_content_after_a_silence_is_answered_at_once(agreed: Talk) -> None:
    agreed.press("choice.begin")
    agreed.now += timedelta(days=30)
    assert agreed.write("faq.delay_treatment") == ["faq.delay_treatment", "signals.ask"]


def test_the_welcome_back_counts_records_once_there_are_some(agreed: Talk) -> None:
    agreed.press("choice.records")
    agreed.press("state.have")
    agreed.now += timedelta(days=1)
    assert agreed.write("control.greet")[0] == "resume.welcome_back_records"
    assert agreed.says[0].args == {"done": 1, "total": 6}


def test_every_relation_can_be_said(talk: Talk) -> None:
    for relation in RELATIONS:
        talk.at("role")
        talk.write("caregiver.is_caregiver", f"my {relation}", mention("relation", relation))
        assert talk.progress.relation == relation
    assert len(SIGNALS) == 12
