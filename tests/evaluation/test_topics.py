"""What a message is treated as: the safety net first, then the engine's reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.safety import RED_FLAGS
from evaluation.topics import ALARMS, FITTING, TOPICS, Parse, Ranked, Treated, filled, parse, treat

ROOT = Path(__file__).parent.parent.parent
CERTAINTY, COST, GREET = ("faq.certainty", 0.6), ("service.cost", 0.2), ("control.greet", 0.1)
EMERGENCY, SELF_HARM = "safety.emergency", "safety.self_harm"


def read(*ranking: Ranked, intent: str = "", mentions: tuple[Ranked, ...] = ()) -> Parse:
    return Parse(intent or ranking[0][0], ranking, mentions)


def signal(value: str, confidence: float = 0.8, polarity: str = "yes") -> dict[str, Any]:
    return {"entity": "signal", "value": value, "polarity": polarity, "confidence": confidence, "start": 0, "end": 9}


def record(value: str, state: str | None) -> dict[str, Any]:
    return {"entity": "record", "value": value, "state": state, "start": 0, "end": 9}


def test_every_topic_is_an_intent_that_the_engine_knows() -> None:
    intents = set(yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))["intents"])

    assert intents >= TOPICS
    assert FITTING.keys() <= intents - TOPICS
    assert set(FITTING.values()) <= TOPICS


@pytest.mark.parametrize(
    ("parsed", "expected"),
    [
        (read(CERTAINTY, COST), Treated("faq.certainty", "service.cost", 0.6)),
        # an intent that is no topic stands for one, or for the next
        (read(("control.why", 0.6), COST), Treated("control.repeat", "service.cost", 0.6)),
        (read(("control.simpler", 0.5), ("control.repeat", 0.3), COST), Treated("control.repeat", "service.cost", 0.5)),
        (read(("control.status", 0.6), COST, GREET), Treated("service.cost", "control.greet", 0.2)),
        (read(("control.status", 0.6), (EMERGENCY, 0.3), GREET), Treated("control.greet", EMERGENCY, 0.1)),
        # an alarm of the engine
        (read((EMERGENCY, 0.6), COST), Treated(EMERGENCY, "service.cost", 0.6)),
        (read(CERTAINTY, (SELF_HARM, 0.3)), Treated("faq.certainty", SELF_HARM, 0.6)),
        # too little to rank
        (read(CERTAINTY), Treated("faq.certainty", "oos", 0.6)),
        (Parse("nlu_fallback"), Treated("oos", "control.repeat", 0.0, answered=False)),
        (read(("oos", 0.9)), Treated("oos", "control.repeat", 0.9, answered=False)),
    ],
)
def test_the_first_and_the_second_topic_are_those_of_the_ranking(parsed: Parse, expected: Treated) -> None:
    assert treat(parsed, None) == expected


@pytest.mark.parametrize("intent", ["nlu_fallback", "safety.past_or_hypothetical"])
def test_what_is_not_understood_counts_as_the_nearest_topic_but_not_as_answered(intent: str) -> None:
    treated = treat(read((intent, 0.5), COST, GREET), None)

    assert treated == Treated("service.cost", "control.greet", 0.2, answered=False)


@pytest.mark.parametrize("intent", ["nlu_fallback", "safety.past_or_hypothetical", "oos"])
def test_what_is_not_understood_raises_no_alarm(intent: str) -> None:
    assert treat(read((intent, 0.5), (EMERGENCY, 0.3), COST), None).predicted not in ALARMS


@pytest.mark.parametrize("intent", ["nlu_fallback", "safety.past_or_hypothetical", "oos"])
def test_a_signal_in_what_is_not_understood_is_heard_all_the_same(intent: str) -> None:
    pressed = ("signals.dismissal.pressured", 0.7)

    treated = treat(read((intent, 0.5), COST, mentions=(("records.have", 0.5), pressed)), None)

    assert (treated.predicted, treated.confidence, treated.answered) == (*pressed, True)


@pytest.mark.parametrize(("confidence", "second"), [(0.5, "signals.dismissal.pressured"), (0.1, "service.cost")])
def test_a_mention_is_the_second_topic_when_it_is_surer_than_the_rankings(confidence: float, second: str) -> None:
    mentions = (("faq.certainty", 0.9), ("signals.dismissal.pressured", confidence))

    assert treat(read(CERTAINTY, COST, mentions=mentions), None) == Treated("faq.certainty", second, 0.6)


@pytest.mark.parametrize("tier", sorted({flag.tier for flag in RED_FLAGS}))
def test_an_alarm_of_the_safety_net_comes_before_what_the_engine_read(tier: str) -> None:
    alarm = SELF_HARM if "self_harm" in tier else EMERGENCY

    assert treat(read(CERTAINTY, COST), tier) == Treated(alarm, "faq.certainty", 1.0)


def test_an_alarm_that_the_engine_raises_too_is_not_its_own_second() -> None:
    assert treat(read((EMERGENCY, 0.8), COST), "emergency.now") == Treated(EMERGENCY, "service.cost", 1.0)


@pytest.mark.parametrize(
    ("entity", "mentions", "denied"),
    [
        (signal("rare_cancer", 0.8), (("signals.situations.rare_cancer", 0.8),), ()),
        (signal("pressured", 0.9, "no"), (), ("pressured",)),
        (signal("understand_enough"), (("signals.self.no", 0.8),), ()),
        (signal("understand_enough", polarity="no"), (("signals.self.yes", 0.8),), ()),
        (record("imaging", "partly"), (("records.have", 0.5),), ()),
        (record("imaging", "lost"), (("records.missing", 0.5),), ()),
        (record("imaging", None), (), ()),
        ({"entity": "relation", "value": "mother"}, (), ()),
    ],
)
def test_entities_stand_for_topics(entity: dict[str, Any], mentions: tuple[Ranked, ...], denied: tuple[str]) -> None:
    answer = {"intent": {"name": "oos", "confidence": 1}, "ranking": [], "entities": [entity]}

    parsed = parse(answer, 0.1)

    assert (parsed.mentions, parsed.denied) == (mentions, denied)


def test_an_answer_of_stock_rasa_is_read_like_one_of_ours() -> None:
    answer = {"intent": {"name": "oos", "confidence": 0.7}, "intent_ranking": [{"name": "oos", "confidence": 0.7}]}

    assert parse(answer) == Parse("oos", (("oos", 0.7),))


PRESSURED = ("signals.dismissal.pressured", 0.8)


@pytest.mark.parametrize(
    ("parsed", "tier", "expected"),
    [
        (read(CERTAINTY, mentions=(PRESSURED, ("records.have", 0.5))), None, {"pressured"}),
        (read(PRESSURED), None, {"pressured"}),  # the whole message is the mention
        (Parse("signals.dismissal.pressured", (PRESSURED,), denied=("rare_cancer",)), None, set()),
        (read(PRESSURED, mentions=(PRESSURED,)), "emergency.now", set()),
        (read((EMERGENCY, 0.8), mentions=(PRESSURED,)), None, set()),
        (read(CERTAINTY), None, set()),
    ],
)
def test_the_signals_that_a_message_fills(parsed: Parse, tier: str | None, expected: set[str]) -> None:
    assert filled(parsed, tier) == expected
