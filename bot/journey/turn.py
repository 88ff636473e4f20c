"""One turn: what was heard, what is known, what is said in answer, and what else must happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.keep import Keep
from bot.progress import MAX_TRAIL, Progress, Step
from bot.render import Card, Choice, Say

Consent = Literal["none", "agreed", "declined"]

# After this silence a bare "yes" or "ok" ticks nothing: the person is welcomed back and asked again (rules.md, 7).
SILENCE = timedelta(hours=6)

# Said after a silence, these carry no content of their own.
BARE = {"control.yes", "control.no", "control.dont_know", "control.greet", "control.thanks", "control.resume", "start"}

# First words that answer nothing, since nothing was asked yet.
EMPTY = BARE | {"control.skip", "press", "words"}

# What "go back" does not lead to: places where nobody is asked anything, or that a decision has closed.
NO_WAY_BACK = {"new", "open", "consent", "handoff", "safety", "erase", "file_which", "rating_words"}
MAX_HELD = 8


@dataclass(frozen=True)
class Mention:
    """Something that the engine found in the words: a signal, a record or a relation."""

    entity: str
    value: str
    words: str = ""
    state: str = ""
    polarity: str = "yes"


@dataclass(frozen=True)
class Heard:
    """What the engine made of one message."""

    intent: str
    text: str = ""
    confidence: float = 1.0
    ranking: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()
    pressed: dict[str, str] = field(default_factory=dict)  # of a button: what it carries

    def of(self, entity: str) -> list[Mention]:
        """The mentions of one kind."""
        return [mention for mention in self.mentions if mention.entity == entity]

    @property
    def typed(self) -> bool:
        """Whether the person typed it, rather than pressed a button."""
        return not self.pressed and self.intent != "press"


@dataclass(frozen=True)
class FileView:
    """A file of the case, as the journey sees it."""

    id: str
    name: str
    mime: str
    kind: str
    record: str = ""


@dataclass(frozen=True)
class Effect:
    """Something that casework does in the same transaction: the name says what, the arguments with what."""

    name: Literal[
        "agree",
        "decline",
        "hand_off",
        "erase",
        "withdraw",
        "keep_file",
        "raise_urgent",
        "link",
        "mydata",
        "reopen",
        "rate",
        "rate_words",
    ]
    args: dict[str, str] = field(default_factory=dict)


@dataclass
class Turn:
    """The working state of one turn. `progress` is changed in place; `says` and `effects` are collected."""

    progress: Progress
    heard: Heard
    now: datetime
    consent: Consent = "none"
    held: Literal["talking", "waiting", "claimed", "closed"] = "talking"
    code: str = ""
    language: str = "en"
    channel: str = "web"
    files: tuple[FileView, ...] = ()
    says: list[Say] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    noted: set[str] = field(default_factory=set)  # signals and records that this message has answered
    may_come_back: bool = False  # closed a short while ago: what they write to people opens the case again
    blocked: bool = False  # no coordinator reads them any more
    keep: Keep = field(default_factory=Keep)  # for how long what they say is kept

    def say(self, say: str, *, choices: tuple[Choice, ...] = (), card: Card | None = None, **args: Any) -> None:
        """Say the guide's entry `say` with its arguments, and offer choices under it."""
        self.says.append(Say(say, args, choices, card))

    def do(self, name: Any, **args: str) -> None:
        """Ask casework for an effect in this turn's transaction."""
        self.effects.append(Effect(name, args))

    @property
    def keeps(self) -> bool:
        """Whether health information may be noted: not after somebody declined. Before an answer it is a draft."""
        return self.consent != "declined"


Move = Callable[[Turn], None]
_ASKS: dict[str, Move] = {}
_ANSWERS: dict[str, Move] = {}
WORDS: set[str] = set()  # steps whose question asks for free words


def asks(step: str, *, words: bool = False) -> Callable[[Move], Move]:
    """Register how a step asks. `words`: the answer is free words (a name), not one of our choices."""

    def register(move: Move) -> Move:
        _ASKS[step] = move
        if words:
            WORDS.add(step)
        return move

    return register


def answers(step: str) -> Callable[[Move], Move]:
    """Register how a step takes an answer."""

    def register(move: Move) -> Move:
        _ANSWERS[step] = move
        return move

    return register


def go(turn: Turn, step: str, about: str = "") -> None:
    """Go to a step and ask its question; the way back is remembered. Nothing but help leads out of a safety stop."""
    here = turn.progress.step
    if here.name == "safety":
        ask(turn)
        return
    passing = here.name in ("signals", "records") and not here.about  # on the way to the next one
    if here.name not in NO_WAY_BACK and not passing and here != Step(step, about):
        turn.progress.trail = [*turn.progress.trail, here][-MAX_TRAIL:]
    stand(turn, step, about)
    ask(turn)


def go_on(turn: Turn) -> None:
    """Ask the pending question again; the next one when this message has answered it (rules.md, 7)."""
    step = turn.progress.step
    if step.name in ("signals", "records") and step.about in turn.noted:
        go(turn, step.name)
    else:
        ask(turn)


def detour(turn: Turn, step: str, about: str = "") -> None:
    """Stand at a question that must be settled first; `come_back` leads to the one that was pending."""
    progress = turn.progress
    if progress.step.name != step:
        progress.held = [*progress.held, progress.step][-MAX_HELD:]
    stand(turn, step, about)


def come_back(turn: Turn) -> Step:
    """Stand where the innermost detour began. Returns that step."""
    progress = turn.progress
    back = progress.held.pop() if progress.held else Step("open")
    stand(turn, back.name, back.about)
    return back


def return_to_preview(turn: Turn) -> bool:
    """After a change that began at "what will be sent": show that again. False when the change began elsewhere."""
    trail = turn.progress.trail
    began = next((place for place, step in enumerate(trail) if step.name == "handoff_change"), None)
    if began is None:
        return False
    turn.progress.trail = [step for step in trail[:began] if step.name != "handoff_preview"]
    stand(turn, "handoff_preview")
    ask(turn)
    return True


def stand(turn: Turn, step: str, about: str = "") -> None:
    """Be at a step without asking (what was just said asks already)."""
    turn.progress.step = Step(step, about)
    turn.progress.misses = 0


def ask(turn: Turn) -> None:
    """Ask the pending question (again)."""
    name = turn.progress.step.name
    if name in _ASKS:
        _ASKS[name](turn)


def answer(turn: Turn) -> bool:
    """Give the heard answer to the pending question. False when nothing is being asked."""
    move = _ANSWERS.get(turn.progress.step.name)
    if move is None:
        return False
    move(turn)
    return True


def expects(progress: Progress) -> str:
    """What the engine should expect of the next message: "words" when free words are asked for."""
    return "words" if progress.step.name in WORDS else ""


def value(turn: Turn) -> str:
    """A yes/no answer as the journey counts it: yes, no, not_sure, skipped, or "" for other words."""
    pressed = turn.heard.pressed.get("answer")
    if pressed in ("yes", "no", "not_sure", "skipped"):
        return pressed
    return {
        "control.yes": "yes",
        "control.no": "no",
        "control.dont_know": "not_sure",
        "control.skip": "skipped",
    }.get(turn.heard.intent, "")


def press(label: str, act: str, *, args: dict[str, Any] | None = None, **carries: str) -> Choice:
    """A button: its label, what it does (`act`, see steer.PRESSES) and what it carries."""
    entities = [{"entity": "act", "value": act}]
    entities += [{"entity": key, "value": str(value)} for key, value in carries.items()]
    return Choice(label, {"intent": "press", "entities": entities}, args or {})


def topic(intent: str) -> Choice:
    """A button that asks a question of the guide, as if it had been typed."""
    return Choice(f"topic.{intent}", {"intent": intent, "entities": []})


def named(say: str, **args: Any) -> dict[str, Any]:
    """A guide entry as an argument of another: spoken in the same voice and language."""
    return {"say": say, "args": args}


def decide(turn: Turn, decision: Move) -> Turn:
    """Run one decision, with what holds for all: welcome first, and welcome back after a silence."""
    progress = turn.progress
    returning = progress.seen_at is not None and turn.now - progress.seen_at > SILENCE
    progress.seen_at = turn.now
    if progress.step.name == "new" and turn.heard.intent != "start":
        _first_words(turn, decision)
    elif progress.paused and not returning and turn.heard.intent == "control.thanks" and progress.step.name != "safety":
        decision(turn)  # a goodbye that was answered is no new beginning: they stay where they are
    elif (returning or progress.paused) and _bare(turn.heard) and progress.step.name not in ("safety", "new"):
        progress.paused = False
        _ASKS["welcome_back"](turn)
    else:
        progress.paused = False
        decision(turn)
    return turn


def _first_words(turn: Turn, decision: Move) -> None:
    """Somebody who starts with a question is welcomed, answered, and then asked to agree."""
    _ASKS["welcome"](turn)
    stand(turn, "consent")
    if turn.heard.intent not in EMPTY:
        decision(turn)
    asked = any(say.say in ("welcome.consent", "consent.needed") for say in turn.says)
    if turn.progress.step.name == "consent" and not asked and not turn.progress.paused:
        ask(turn)


def _bare(heard: Heard) -> bool:
    """Whether a message says nothing by itself; where free words were asked for, the engine's first guess tells."""
    read = next((name for name in heard.ranking if name != "words"), "") if heard.intent == "words" else heard.intent
    return read in BARE
