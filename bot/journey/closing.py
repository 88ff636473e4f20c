"""After a coordinator has closed the case: how it was, and the way back to the people."""

from __future__ import annotations

from bot.journey.turn import Turn, answers, ask, asks, come_back, detour, press, stand, value
from bot.render import Say

STARS = ("1", "2", "3", "4", "5")
MAX_WORDS = 1_000

# What is said to the assistant, not to the people behind it, and so brings nobody back.
FOR_ASSISTANT = {
    "start", "press", "words", "control.greet", "control.thanks", "control.bye", "control.yes", "control.no",
    "control.dont_know", "control.skip", "control.status", "control.resume", "control.repeat", "control.simpler",
    "control.why", "control.undo", "control.restart", "control.stop", "control.delete_data", "control.language",
    "control.are_you_a_bot", "control.human",
}  # fmt: skip


def rating(name: str) -> Say:
    """The one question after a case was closed by the coordinator of this name."""
    choices = tuple(press(f"choice.rate_{stars}", "rate", stars=stars) for stars in STARS)
    return Say("close.rate", {"name": name}, choices)


def press_rate(turn: Turn) -> None:
    """They said how it was; words to it are asked for once, and may be left out."""
    stars = turn.heard.pressed.get("stars", "")
    if stars not in STARS:
        return
    turn.do("rate", stars=stars)
    detour(turn, "rating_words")
    ask(turn)


@asks("rating_words", words=True)
def ask_words(turn: Turn) -> None:
    """Ask for words to the rating: once. Whoever speaks of something else is asked what was pending before."""
    if turn.progress.step.about:
        come_back(turn)
        ask(turn)
        return
    stand(turn, "rating_words", "asked")
    turn.say("close.rated", choices=(press("choice.no_more", "no_words"),))


@answers("rating_words")
def answer_words(turn: Turn) -> None:
    """Words of their own go to the coordinators; a no leaves them out."""
    words = " ".join(turn.heard.text.split())
    if value(turn) in ("no", "skipped") or not words:
        no_words(turn)
        return
    turn.do("rate_words", words=words[:MAX_WORDS])
    turn.say("close.rated_words")
    come_back(turn)


def no_words(turn: Turn) -> None:
    """No words to the rating."""
    if turn.progress.step.name == "rating_words":
        turn.say("close.rated_skipped")
        come_back(turn)
    else:
        ask(turn)


def writes_again(turn: Turn) -> bool:
    """Whether what was heard is for the coordinators, though the case is closed: words that nobody had asked for."""
    done = {effect.name for effect in turn.effects}
    return turn.may_come_back and turn.heard.intent not in FOR_ASSISTANT and not done & {"reopen", "hand_off", "erase"}


def back_to_people(turn: Turn) -> None:
    """The case is open again, and they are told so before anything else is said."""
    turn.do("reopen")
    turn.says.insert(0, Say("human.reopened"))
