"""One action a decision of the journey: read what was heard from the tracker, let casework take the turn."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from bot.casework import Casework
from bot.journey import Heard, Mention
from observe.logs import about
from observe.traces import span

RANKED = 8
MENTIONED = ("signal", "record", "relation", "file", "question")


def heard(latest: dict[str, Any]) -> Heard:
    """What the engine understood, out of a tracker's latest message."""
    text = latest.get("text") or ""
    entities = latest.get("entities") or []
    intent = latest.get("intent") or {}
    name = str(intent.get("name") or "oos")
    pressed = {e["entity"]: str(e["value"]) for e in entities if name == "press"}
    caption = next((str(e["value"]) for e in entities if e["entity"] == "caption"), "")
    return Heard(
        intent=name,
        text=caption if name == "file" else ("" if name in ("press", "start") else text),
        confidence=float(intent.get("confidence") or 0.0),
        ranking=tuple(str(ranked["name"]) for ranked in (latest.get("intent_ranking") or [])[:RANKED]),
        mentions=tuple(_mention(e, text) for e in _with_clauses(entities, text) if e["entity"] in MENTIONED),
        pressed=pressed,
    )


def _with_clauses(entities: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Records with the words up to the next one: "ct on a cd", not "ct" alone, is what the person said of it."""
    starts = sorted(e["start"] for e in entities if e["entity"] == "record" and "start" in e)
    following = dict(zip(starts, [*starts[1:], len(text)], strict=True)) if starts else {}
    return [
        {**e, "end": following[e["start"]]} if e["entity"] == "record" and e.get("start") in following else e
        for e in entities
    ]


def _mention(entity: dict[str, Any], text: str) -> Mention:
    start, end = entity.get("start"), entity.get("end")
    words = text[start:end] if isinstance(start, int) and isinstance(end, int) else ""
    return Mention(
        entity=entity["entity"],
        value=str(entity["value"]),
        words=words.strip(" ,;\n"),
        state=str(entity.get("state") or ""),
        polarity=str(entity.get("polarity") or "yes"),
    )


class TurnAction(Action):  # type: ignore[misc]
    """Runs one decision. One turn runs one action, in one transaction."""

    def __init__(self, decision: str, casework: Casework) -> None:
        self._decision = decision
        self._casework = casework

    def name(self) -> str:
        """The name that the engine's rules call."""
        return self._decision

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Take the turn; the words are in the outbox when this returns, the ids go back to the engine."""
        metadata = next(
            (event.get("metadata") or {} for event in reversed(tracker.events) if event["event"] == "user"), {}
        )
        turn = str(metadata["turn"])
        with about(turn=turn, case=tracker.sender_id), span(self._decision, turn=turn, case=tracker.sender_id):
            says = await self._casework.take_turn(turn, heard(tracker.latest_message), self._decision)
        for say in says:
            dispatcher.utter_message(json_message=say.to_json())
        return []
