"""The hand-off: the contact details, the exact preview, a separate yes, and back to where they were."""

from __future__ import annotations

import pytest

from bot.journey.brief import brief
from bot.progress import Contact, Progress, Step
from bot.render import Say, Voice, render
from tests.bot.journey.talk import CODE, Talk, mention


def known(talk: Talk) -> Talk:
    """All contact details are known, so that the next thing is the preview."""
    talk.progress.contact = Contact(name="Samira", language="English", country="Egypt", timezone="Africa/Cairo")
    return talk


def preview(talk: Talk) -> list[object]:
    """The lines that were shown as what the coordinators will see."""
    return [line for say in talk.says if say.say == "handoff.preview_lines" for line in say.args["lines"]]


def test_a_person_is_reached_with_four_details_a_preview_and_a_yes(agreed: Talk) -> None:
    agreed.at("open")
    assert agreed.write("control.human", "a person please") == ["handoff.human", "handoff.name_ask"]
    assert agreed.write("words", "Samira") == ["handoff.language_ask"]
    assert agreed.press("language.english") == ["handoff.country_ask"]
    assert agreed.write("words", "Egipt") == ["handoff.preview", "handoff.preview_lines", "handoff.confirm"]
    assert agreed.progress.contact == Contact(
        name="Samira", language="English", country="Egypt", timezone="Africa/Cairo"
    )
    assert agreed.press("choice.send") == ["handoff.sent", "handoff.next"]
    assert agreed.asked("hand_off")
    assert agreed.says[0].args == {"code": CODE}


def test_a_country_with_several_clocks_is_asked_for_its_time(agreed: Talk) -> None:
    agreed.at("contact_country")
    agreed.progress.contact = Contact(name="Bo", language="English")
    assert agreed.write("words", "the usa") == ["handoff.timezone_ask"]
    assert agreed.write("words", "4 am") == [
        "handoff.timezone_noted", "handoff.preview", "handoff.preview_lines", "handoff.confirm",
    ]  # fmt: skip
    assert agreed.progress.contact.timezone == "America/New_York"


def test_a_time_that_cannot_be_read_is_kept_as_it_was_written(agreed: Talk) -> None:
    agreed.at("contact_timezone")
    agreed.progress.contact = Contact(name="Bo", language="English", country="somewhere")
    assert "handoff.timezone_noted" not in agreed.write("words", "late evening")
    assert agreed.progress.contact.timezone == "late evening"


def test_a_country_nobody_knows_is_kept_as_it_was_written(agreed: Talk) -> None:
    agreed.at("contact_country")
    agreed.write("words", "Westeros of the North")
    assert agreed.progress.contact.country == "Westeros of the North"


@pytest.mark.parametrize("way", ["button", "words"])
def test_every_detail_can_be_skipped(agreed: Talk, way: str) -> None:
    agreed.write("control.human")
    for detail in ("name", "language", "country", "timezone"):
        assert agreed.step == Step(f"contact_{detail}")
        agreed.press("choice.skip", detail=detail) if way == "button" else agreed.write("control.skip", "skip")
    assert agreed.step == Step("handoff_preview")
    assert agreed.progress.contact.name == ""


def test_a_detail_that_was_skipped_or_given_is_not_asked_again(agreed: Talk) -> None:
    agreed.write("control.human")
    for _ in range(4):
        agreed.write("control.skip", "skip")
    agreed.press("choice.not_now")
    assert agreed.write("control.human")[0:2] == ["handoff.human", "handoff.preview"]


def test_the_preview_is_the_brief_line_by_line(agreed: Talk) -> None:
    known(agreed)
    agreed.press("choice.begin")
    agreed.write(
        "signals.situations.rare_cancer", "a sarcoma", mention("signal", "rare_cancer", "a sarcoma", "a sarcoma")
    )
    agreed.press("choice.not_sure")
    agreed.write(
        "records.have",
        "I have the scans",
        mention("record", "imaging", "I have the scans", "I have the scans", state="have"),
    )
    agreed.write("service.cost", "what does it cost")
    agreed.send_file("biopsy.pdf")
    agreed.write("control.human")
    assert preview(agreed) == brief(agreed.progress, tuple(agreed.files))


def test_the_brief_holds_everything_that_is_known(agreed: Talk) -> None:
    known(agreed)
    agreed.press("choice.begin")
    agreed.write("signals.situations.rare_cancer", "a sarcoma in the leg")
    agreed.press("choice.not_sure")
    agreed.write("records.missing", "they lost my slides", mention("record", "pathology", "", "", state="lost"))
    agreed.write("words", "never mind")
    agreed.write("safety.medical_advice", "which drug is better")
    agreed.at("extras").write("control.repeat")
    agreed.press("extras.allergies.name")
    agreed.at("treatment_date").write("words", "in 5 days")
    agreed.write("control.human")
    text = "\n".join(b["text"] for say in agreed.says for b in render(agreed.guide, say, Voice(), 0) if "text" in b)
    for words in ("Samira", "Egypt", "a sarcoma in the leg", "which drug is better", "in 5 days", "28 Nov 2026"):
        assert words in text
    for say in ("records.pathology.name", "extras.allergies.name", "signals.major_surgery.name"):
        assert agreed.guide.entry(say).variants[0] in text


def test_a_long_brief_is_shown_in_several_messages_and_loses_no_line(agreed: Talk) -> None:
    known(agreed)
    for number in range(30):
        agreed.at("question_own").write("words", f"question number {number}")
    agreed.write("control.human")
    assert preview(agreed) == brief(agreed.progress, ())


@pytest.mark.parametrize("intent", ["control.dont_know", "control.thanks", "faq.certainty", "nlu_fallback", "words"])
def test_nothing_but_a_clear_yes_sends(agreed: Talk, intent: str) -> None:
    known(agreed).write("control.human")
    agreed.write(intent, "hm")
    assert not agreed.asked("hand_off")
    assert agreed.step == Step("handoff_preview")


@pytest.mark.parametrize("intent", ["control.no", "control.skip"])
def test_no_sends_nothing_and_goes_back_to_where_they_were(agreed: Talk, intent: str) -> None:
    known(agreed).press("choice.begin")
    here = agreed.step
    agreed.write("control.human")
    assert agreed.write(intent, "no") == ["handoff.later", "signals.ask"]
    assert agreed.step == here
    assert not agreed.asked("hand_off")


def test_an_old_send_shows_first_what_would_be_sent_now(agreed: Talk) -> None:
    known(agreed).write("control.human")
    old = agreed.button("choice.send")
    agreed.press("choice.not_now")
    agreed.write("signals.situations.rare_cancer", "it is rare")
    assert agreed.push(old)[0] == "handoff.preview"
    assert not agreed.asked("hand_off")
    agreed.press("choice.send")
    assert agreed.asked("hand_off")


def test_sending_leads_back_to_where_they_were(agreed: Talk) -> None:
    known(agreed).press("choice.begin")
    agreed.press("choice.yes")
    here = agreed.step
    agreed.write("control.human")
    assert agreed.press("choice.send") == ["handoff.sent", "handoff.next", "handoff.meanwhile", "signals.ask"]
    assert agreed.step == here


@pytest.mark.parametrize("held", ["waiting", "claimed"])
def test_asking_again_while_people_have_the_case_says_so(agreed: Talk, held: str) -> None:
    agreed.held = held
    agreed.press("choice.begin")
    assert agreed.write("control.human") == ["handoff.already", "signals.ask"]


def test_a_closed_case_can_be_handed_over_again(agreed: Talk) -> None:
    agreed.held = "closed"
    known(agreed).write("control.human")
    agreed.press("choice.send")
    assert agreed.asked("hand_off")


def test_the_offer_is_taken_or_left(agreed: Talk) -> None:
    agreed.at("handoff_offer")
    assert agreed.write("control.no") == ["handoff.later"]
    assert agreed.step == Step("open")
    agreed.at("handoff_offer")
    assert agreed.write("control.yes") == ["handoff.human", "handoff.name_ask"]


def test_not_now_and_later_something_else_does_not_come_back_to_the_preview(agreed: Talk) -> None:
    known(agreed).write("control.human")
    agreed.press("choice.change")
    agreed.press("choice.change_records")
    agreed.press("records.imaging.name")
    agreed.write("control.human")
    agreed.press("choice.not_now")
    agreed.at("records").write("control.repeat")
    assert "handoff.preview" not in agreed.press("state.have")


@pytest.mark.parametrize(
    ("what", "presses"),
    [
        ("choice.change_signals", ["signals.confusion.name", "choice.yes"]),
        ("choice.change_records", ["records.imaging.name", "state.partly"]),
        ("choice.go_questions", ["questions.other_options.name", "choice.done"]),
        ("choice.change_treatment", ["choice.no"]),
        ("choice.back", []),
    ],
)
def test_a_change_leads_straight_back_to_the_preview(agreed: Talk, what: str, presses: list[str]) -> None:
    known(agreed).write("control.human")
    agreed.press("choice.change")
    agreed.press(what)
    for label in presses:
        agreed.press(label)
    assert "handoff.preview" in agreed.said
    assert agreed.step == Step("handoff_preview")
    assert preview(agreed) == brief(agreed.progress, ())


@pytest.mark.parametrize("what", ["choice.change_signals", "choice.change_records"])
def test_no_change_after_all_leads_back_to_the_preview(agreed: Talk, what: str) -> None:
    known(agreed).write("control.human")
    agreed.press("choice.change")
    agreed.press(what)
    assert agreed.write("control.no", "nothing")[0] == "handoff.preview"


def test_changing_the_contact_asks_all_of_it_again(agreed: Talk) -> None:
    known(agreed).write("control.human")
    agreed.press("choice.change")
    assert agreed.press("choice.change_contact") == ["handoff.name_ask"]
    for words in ("Nadia", "French", "Morocco"):
        agreed.write("words", words)
    assert agreed.step == Step("handoff_preview")
    assert (agreed.progress.contact.name, agreed.progress.contact.country) == ("Nadia", "Morocco")


def test_going_back_in_the_contact_details_gives_a_new_answer(agreed: Talk) -> None:
    agreed.press("choice.begin")
    agreed.write("control.human")
    agreed.write("words", "Samirra")
    assert agreed.write("control.undo") == ["steer.back", "handoff.name_ask"]
    agreed.write("words", "Samira")
    assert agreed.progress.contact.name == "Samira"
    assert agreed.step == Step("contact_language")
    for _ in range(2):
        agreed.write("control.undo")
    assert agreed.step.name == "signals"


def test_details_longer_than_are_kept_are_cut(agreed: Talk) -> None:
    agreed.write("control.human")
    for _ in range(4):
        agreed.write("words", "x" * 500)
    contact = agreed.progress.contact
    assert [len(d) for d in (contact.name, contact.language, contact.country, contact.timezone)] == [100, 60, 60, 60]


def test_a_brief_of_nothing_says_that_nothing_is_known() -> None:
    assert [line["say"] for line in brief(Progress(), ())] == ["brief.who_unknown"]


def test_people_s_own_braces_reach_the_coordinators_as_they_are(agreed: Talk) -> None:
    known(agreed).progress.contact.name = "{code}"
    agreed.write("control.human")
    lines = Say("handoff.preview_lines", {"lines": preview(agreed)})
    assert "{code}" in render(agreed.guide, lines, Voice(), 0)[0]["text"]
