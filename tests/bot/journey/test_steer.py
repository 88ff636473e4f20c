"""Steering: stop, delete, a person, start over, go back: from every step, in one turn; the guide's answers anywhere."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.guide import Guide
from bot.journey.steer import PRESSES, STEERS
from bot.progress import Progress, Step
from tests.bot.conftest import MONDAY
from tests.bot.journey.steps import STEPS, place
from tests.bot.journey.talk import Talk
from tests.bot.rules import decisions, intents

STEERING = [intent for intent, action in decisions().items() if action == "action_steer"]
ANSWERING = [intent for intent, action in decisions().items() if action == "action_answer"]
ASKING = [intent for intent, action in decisions().items() if action == "action_inform"]
every_step = pytest.mark.parametrize("step", STEPS, ids=str)
BEGUN = [s for s in STEPS if s.name not in ("new", "consent", "role") and not s.name.startswith(("handoff", "contact"))]


def all_but(*names: str) -> pytest.MarkDecorator:
    """Every step but some."""
    return pytest.mark.parametrize("step", [step for step in STEPS if step.name not in names], ids=str)


def test_every_intent_of_the_domain_has_a_rule_and_every_steering_one_a_move() -> None:
    assert set(intents()) <= set(decisions())
    assert {intent.removeprefix("control.") for intent in STEERING} == set(STEERS)


@every_step
def test_a_person_is_on_the_way_in_one_turn(talk: Talk, step: Step) -> None:
    place(talk, step)
    talk.write("control.human", "a person please")
    if talk.consent != "agreed":
        assert talk.said[-1] == "consent.needed"
        talk.press("choice.agree")
    assert "handoff.human" in talk.said or step.name.startswith(("handoff", "contact"))
    assert talk.step.name.startswith(("contact", "handoff"))


@pytest.mark.parametrize("step", BEGUN, ids=str)
def test_a_hand_off_leads_back_to_where_they_were(talk: Talk, step: Step) -> None:
    place(talk, step)
    before = Step("signals", "rare_cancer") if step.name == "safety" else step
    talk.write("control.human")
    while talk.step.name.startswith("contact"):
        talk.write("control.skip")
    talk.press("choice.send")
    assert talk.step == before


@every_step
def test_stop_stops_and_keeps_everything(talk: Talk, step: Step) -> None:
    place(talk, step)
    before = talk.progress.model_dump(include={"signals", "records", "questions", "contact", "role"})
    assert talk.write("control.stop", "stop")[-1] == "steer.stopped"
    assert talk.progress.paused
    assert talk.progress.model_dump(include=set(before)) == before
    talk.press("choice.continue")
    assert talk.step == (Step("consent") if step.name == "new" else step)
    assert not talk.progress.paused


@every_step
def test_delete_asks_once_and_erases_on_a_yes(talk: Talk, step: Step) -> None:
    place(talk, step)
    assert talk.write("control.delete_data", "delete my data")[-1] == "steer.delete_confirm"
    talk.write("control.yes", "yes")
    assert talk.effects[-1].name == "erase"


@all_but("erase")
def test_keeping_leads_back_to_where_they_were(talk: Talk, step: Step) -> None:
    place(talk, step)
    talk.write("control.delete_data", "delete my data")
    talk.write("control.no", "no")
    assert not talk.asked("erase")
    assert talk.step == (Step("consent") if step.name == "new" else step)


@every_step
def test_starting_over_is_done_at_once_and_can_be_taken_back(talk: Talk, step: Step) -> None:
    place(talk, step)
    talk.write("signals.situations.rare_cancer", "it is rare")
    before = talk.progress.model_dump(include={"signals", "records", "questions", "contact", "role", "step"})
    assert "steer.restarted" in talk.write("control.restart", "start over")
    assert not talk.progress.signals
    assert talk.step.name == ("role" if talk.consent == "agreed" else "consent")
    talk.press("choice.restore")
    assert talk.said[0] == "steer.restored"
    assert talk.progress.model_dump(include=set(before)) == before


def test_bringing_back_loses_nothing_that_was_begun_since(agreed: Talk) -> None:
    agreed.write("signals.situations.rare_cancer", "it is rare")
    agreed.write("control.restart")
    restore = agreed.button("choice.restore")
    agreed.press("choice.self")
    agreed.write("signals.situations.confusion", "I am confused")
    agreed.push(restore)
    assert agreed.progress.present() == ["rare_cancer"]
    agreed.push(restore)
    assert agreed.progress.present() == ["confusion"]


def test_wordings_go_on_taking_turns_after_bringing_back(agreed: Talk) -> None:
    for count in range(1, 4):
        agreed.write("control.restart")
        agreed.write("faq.certainty")
        agreed.press("choice.restore")
        said = agreed.progress.said
        assert {said["steer.restarted"], said["faq.certainty"], said["steer.restored"]} == {count}


def test_the_put_away_document_does_not_grow_with_every_new_start(agreed: Talk) -> None:
    sizes = []
    for _ in range(5):
        agreed.write("control.restart")
        agreed.press("choice.self")
        sizes.append(len(agreed.progress.model_dump_json()))
    assert max(sizes) < 2 * sizes[0]


def test_the_first_ok_after_bringing_back_is_not_taken_for_a_return(agreed: Talk) -> None:
    agreed.press("choice.begin")
    agreed.write("control.restart")
    agreed.now += timedelta(hours=5)
    agreed.write("faq.certainty")
    agreed.now += timedelta(hours=5)
    agreed.press("choice.restore")
    assert agreed.write("control.yes", "yes") == ["signals.noted.yes", "signals.ask"]


@pytest.mark.parametrize("intent", ["control.yes", "control.greet", "control.resume"])
def test_after_a_stop_a_bare_word_welcomes_back_and_answers_nothing(agreed: Talk, intent: str) -> None:
    agreed.press("choice.begin")
    agreed.write("control.stop")
    assert agreed.write(intent) == ["resume.welcome_back", "signals.ask"]
    assert not agreed.progress.signals


def test_an_old_keep_changes_no_place(agreed: Talk) -> None:
    agreed.press("choice.begin")
    agreed.write("control.delete_data")
    old = agreed.button("choice.keep")
    agreed.write("control.no")
    here = agreed.step
    assert agreed.push(old) == ["signals.ask"]
    assert agreed.step == here


@pytest.mark.parametrize(
    "intent", ["control.dont_know", "control.thanks", "faq.certainty", "nlu_fallback", "control.greet"]
)
def test_only_a_yes_erases(agreed: Talk, intent: str) -> None:
    agreed.write("control.delete_data")
    agreed.write(intent)
    assert not agreed.asked("erase")


@all_but("question_own")  # whatever is written there is their question
def test_every_question_of_the_guide_is_answered_and_the_place_kept(guide: Guide, step: Step) -> None:
    for intent in ASKING:
        talk = place(Talk(guide, MONDAY), step)
        assert talk.write(intent, "a question in more than a few words")[0] in (
            intent,
            f"{intent}_unsaved",
            "welcome.what",
        )
        assert talk.step == (Step("consent") if step.name == "new" else step), intent


@every_step
def test_steering_always_says_something(guide: Guide, step: Step) -> None:
    for intent in STEERING:
        talk = place(Talk(guide, MONDAY), step)
        assert talk.write(intent), intent


@every_step
def test_any_button_does_something_even_when_it_carries_nothing(guide: Guide, step: Step) -> None:
    for act in (*PRESSES, "of_an_older_version", ""):
        talk = place(Talk(guide, MONDAY), step)
        effects = len(talk.effects)
        assert talk.hear("press", "", ({"entity": "act", "value": act},)) or len(talk.effects) > effects, act


@every_step
@pytest.mark.parametrize("text", ["", "  ", "hm"])
def test_any_answer_is_answered(guide: Guide, step: Step, text: str) -> None:
    for intent in ANSWERING:
        talk = place(Talk(guide, MONDAY), step)
        effects = len(talk.effects)
        assert talk.hear(intent, text) or len(talk.effects) > effects, intent


@all_but("new", "questions")  # a first word is welcomed, and at the questions whatever is written is one
def test_two_misses_offer_a_person(talk: Talk, step: Step) -> None:
    place(talk, step)
    talk.write("nlu_fallback", ranking=("oos", "faq.certainty", "service.cost", "control.yes"))
    assert talk.said[0] == "fallback.first"
    assert talk.labels[:2] == ["topic.faq.certainty", "topic.service.cost"]
    assert "fallback.second" in talk.write("nlu_fallback")
    assert "choice.human" in talk.labels


def test_an_answer_in_between_forgives_a_miss(agreed: Talk) -> None:
    agreed.press("choice.begin")
    agreed.write("nlu_fallback")
    agreed.press("choice.yes")
    assert agreed.write("nlu_fallback")[0] == "fallback.first"


def test_thanks_asks_nothing_again(agreed: Talk) -> None:
    agreed.press("choice.begin")
    assert agreed.write("control.thanks") == ["steer.thanks"]


def test_repeat_with_nothing_pending_says_the_last_answer_again(agreed: Talk) -> None:
    agreed.at("open").write("faq.certainty")
    assert agreed.write("control.repeat") == ["faq.certainty"]


@pytest.mark.parametrize("intent", [i for i in ASKING if i.startswith(("faq.", "service."))])
def test_every_answer_of_the_guide_can_be_said_simpler(agreed: Talk, intent: str) -> None:
    agreed.at("open").write(intent)
    assert agreed.write("control.simpler")[0] == f"{intent}.simpler"


def test_a_document_of_an_older_version_is_still_read() -> None:
    assert Progress.model_validate_json('{"version": 1, "step": ["signals", "confusion"], "gone": 1}').step == Step(
        "signals", "confusion"
    )


def test_documents_share_nothing() -> None:
    one, other = Progress(), Progress()
    one.questions.append(None)  # type: ignore[arg-type]
    one.contact.skipped.append("name")
    one.contact.name, one.treatment.words = "Samira", "soon"
    one.held.append(Step("open"))
    one.said["x"] = 1
    assert other == Progress()
