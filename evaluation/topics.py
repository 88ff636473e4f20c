"""What a message is treated as: the safety net first, then the engine's reading, as ids of the guide's topics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_NAMES = {
    "signals.situations": "rare_cancer major_surgery recurrence_or_resistance conflicting_plans confusion",
    "signals.dismissal": (
        "unanswered_questions no_alternatives symptoms_minimised no_risk_benefit pressured confusing_explanations"
    ),
    "signals.self": "yes no",
    "feelings": "anxious guilty overwhelmed hopeless",
    "records": "have missing how_to_get",
    "caregiver": "is_caregiver how_to_help",
    "faq": (
        "how_to_start is_it_normal offend_doctor delay_treatment what_records changes_plan certainty which_questions "
        "when_helpful what_next"
    ),
    "service": "china_mdt travel_needed cost time supportive_care not_a_provider privacy not_in_guide",
    "safety": "emergency self_harm medical_advice stop_treatment",
    "control": (
        "human restart stop delete_data greet thanks bye yes no skip dont_know repeat undo language are_you_a_bot"
    ),
}
OUT_OF_SCOPE = "oos"
TOPICS = frozenset(f"{family}.{name}" for family, names in _NAMES.items() for name in names.split()) | {OUT_OF_SCOPE}
SIGNALS = {
    topic.rsplit(".", 1)[1]: topic
    for topic in TOPICS
    if topic.startswith(("signals.situations.", "signals.dismissal."))
}
SELF = {"yes": "signals.self.no", "no": "signals.self.yes"}  # of the signal "does not understand enough"
HELD = {
    "have": "records.have",
    "partly": "records.have",
    "asked": "records.missing",
    "lost": "records.missing",
    "not_done": "records.missing",
}
RECORD_CONFIDENCE = 0.5  # a record is found by patterns, which say no confidence

# Intents that are no topics. What is not here either (control.status, caregiver.is_patient) counts as the next in the
# ranking that is one.
FITTING = {
    "signals.none": "control.no",
    "control.resume": "control.yes",
    "control.simpler": "control.repeat",
    "control.why": "control.repeat",
}
# What is answered without a topic: data/stories/fallback.yml, and safety.not_now.
FALLBACKS = {"nlu_fallback", "safety.past_or_hypothetical", OUT_OF_SCOPE}
EMERGENCY, SELF_HARM = "safety.emergency", "safety.self_harm"
ALARMS = {EMERGENCY, SELF_HARM}
NOTHING = ((OUT_OF_SCOPE, 0.0), ("control.repeat", 0.0))  # of a message without words: they are asked to say it again

Ranked = tuple[str, float]  # an id and its confidence


@dataclass(frozen=True)
class Parse:
    """What a reader made of one text. `mentions` are topics that the entities stand for, besides the intent."""

    intent: str
    ranking: tuple[Ranked, ...] = ()
    mentions: tuple[Ranked, ...] = ()
    denied: tuple[str, ...] = ()  # signals said not to be there
    seconds: float = 0.0


@dataclass(frozen=True)
class Treated:
    """What the assistant treats a message as. It is `answered` unless it says that it did not understand."""

    predicted: str
    second: str
    confidence: float
    answered: bool = True


def topic(intent: str) -> str:
    """The topic that an intent stands for, or '' when it stands for none."""
    name = FITTING.get(intent, intent)
    return name if name in TOPICS else ""


def parse(answer: dict[str, Any], seconds: float = 0.0) -> Parse:
    """An answer of the engine's /parse, or of stock Rasa's /model/parse."""
    ranking = answer.get("ranking") or answer.get("intent_ranking") or []
    entities = answer.get("entities") or []
    signals = [one for one in entities if one["entity"] == "signal"]
    denied = tuple(str(one["value"]) for one in signals if one.get("polarity") == "no" and one["value"] in SIGNALS)
    return Parse(
        intent=str((answer.get("intent") or {}).get("name") or "nlu_fallback"),
        ranking=tuple((str(one["name"]), float(one["confidence"])) for one in ranking),
        mentions=tuple(mention for one in entities if (mention := _mention(one)) is not None),
        denied=denied,
        seconds=seconds,
    )


def treat(read: Parse, tier: str | None) -> Treated:
    """What the assistant does with a message that it read so, when the safety net raised `tier` or nothing."""
    if tier:
        alarm = SELF_HARM if tier.startswith("self_harm") else EMERGENCY
        after = treat(read, None)
        return Treated(alarm, after.predicted if after.predicted != alarm else after.second, 1.0)
    ranking = _topics(read.ranking)
    mentioned = sorted(_topics(read.mentions), key=lambda one: -one[1])
    fell_back = read.intent in FALLBACKS
    # Only an intent that is an alarm raises it. A fallback notes what is mentioned, and else offers what is nearest.
    first = [one for one in ranking if one[0] not in ALARMS or one[0] == read.intent]
    if fell_back:
        first = [*mentioned, *first]
    predicted, confidence = first[0] if first else NOTHING[0]
    rest = [one for one in (*ranking, *NOTHING) if one[0] != predicted]
    others = [one for one in mentioned if one[0] != predicted]
    second = max([rest[0], *others[:1]], key=lambda one: one[1])
    return Treated(predicted, second[0], confidence, answered=not fell_back or bool(mentioned))


def filled(read: Parse, tier: str | None) -> set[str]:
    """The signals that a message fills in; a message that raises an alarm fills in nothing."""
    if tier or read.intent in ALARMS:
        return set()
    names = {name for name, found in SIGNALS.items() if any(found == mention for mention, _ in read.mentions)}
    mentioned = read.denied or any(name.startswith("signals.") for name, _ in read.mentions)
    intended = {name for name, found in SIGNALS.items() if found == read.intent}
    return names if mentioned else intended  # as in bot/journey/notes.py


def _topics(ranked: Iterable[Ranked]) -> list[Ranked]:
    """The topics in it, each once and as sure as it first is."""
    sure: dict[str, float] = {}
    for name, confidence in ranked:
        if found := topic(name):
            sure.setdefault(found, confidence)
    return list(sure.items())


def _mention(entity: dict[str, Any]) -> Ranked | None:
    value, polarity = str(entity["value"]), str(entity.get("polarity"))
    confidence = float(entity.get("confidence") or RECORD_CONFIDENCE)
    if entity["entity"] == "record" and entity.get("state") in HELD:
        return HELD[entity["state"]], confidence
    if entity["entity"] == "signal" and value == "understand_enough" and polarity in SELF:
        return SELF[polarity], confidence
    if entity["entity"] == "signal" and value in SIGNALS and polarity == "yes":
        return SIGNALS[value], confidence
    return None
