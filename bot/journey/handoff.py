"""The hand-off: see exactly what will be sent, agree, and get a case code and what happens next."""

from __future__ import annotations

from bot.journey import contact, safety
from bot.journey.brief import brief
from bot.journey.turn import Turn, answers, ask, asks, go, press, stand, value
from bot.journey.welcome import needs_consent
from bot.progress import Step

LINES_A_MESSAGE = 12


def human(turn: Turn) -> None:
    """They ask for a person: the shortest way there, from any step, in this turn."""
    if turn.held in ("waiting", "claimed"):
        turn.say("handoff.already", code=turn.code)
        ask(turn)
        return
    if turn.progress.step.name == "safety":
        safety.leave(turn)  # a person is a way out of the stop, too
    if turn.blocked:
        turn.say("human.blocked")
        ask(turn)
        return
    if turn.may_come_back:  # they agreed, and the coordinators know the case
        turn.do("reopen")
        turn.say("human.reopened")
        ask(turn)
        return
    here = turn.progress.step
    if here.name not in ("new", "consent", "role", "open", "safety") and not here.name.startswith(
        ("handoff", "contact")
    ):
        turn.progress.later = here
    if needs_consent(turn, "handoff"):
        return
    ask_handoff(turn)


@asks("handoff")
def ask_handoff(turn: Turn) -> None:
    """Start the hand-off: say that a person will answer, then the details that are still missing."""
    turn.say("handoff.human")
    contact.go_on(turn)


@asks("handoff_offer")
def offer(turn: Turn) -> None:
    """Offer a coordinator when the three steps are done."""
    if turn.held in ("waiting", "claimed"):
        turn.say("handoff.updated")
        stand(turn, "open")
        return
    turn.say(
        "handoff.offer",
        choices=(press("choice.handoff", "human"), press("choice.not_now", "not_now")),
    )


@answers("handoff_offer")
def answer_offer(turn: Turn) -> None:
    """Yes goes on to the details; no leaves it, and it can be asked for at any time."""
    if value(turn) == "yes":
        human(turn)
    elif value(turn):
        later(turn)
    else:
        ask(turn)


def later(turn: Turn) -> None:
    """Not now: nothing is sent."""
    turn.say("handoff.later", choices=(press("choice.human", "human"),))
    turn.progress.trail = [step for step in turn.progress.trail if not step.name.startswith(("handoff", "contact"))]
    back, turn.progress.later = turn.progress.later, None
    if back:
        turn.progress.step = back
        ask(turn)
    else:
        stand(turn, "open")


@asks("handoff_preview")
def preview(turn: Turn) -> None:
    """Show exactly what the coordinators will get, and ask for a separate yes."""
    lines = brief(turn.progress, turn.files)
    turn.say("handoff.preview")
    for first in range(0, len(lines), LINES_A_MESSAGE):
        turn.say("handoff.preview_lines", lines=lines[first : first + LINES_A_MESSAGE])
    turn.say(
        "handoff.confirm",
        choices=(
            press("choice.send", "send"),
            press("choice.change", "go", to="handoff_change"),
            press("choice.not_now", "not_now"),
        ),
    )


@asks("handoff_change")
def change(turn: Turn) -> None:
    """Ask what to change before sending."""
    turn.say(
        "handoff.change_which",
        choices=(
            press("choice.change_signals", "go", to="signals_change"),
            press("choice.change_records", "go", to="records_change"),
            press("choice.go_questions", "go", to="questions"),
            press("choice.change_treatment", "go", to="treatment_date"),
            press("choice.change_contact", "redo_contact"),
            press("choice.back", "go", to="handoff_preview"),
        ),
    )


@answers("handoff_change")
def answer_change(turn: Turn) -> None:
    """No change after all: back to what will be sent."""
    go(turn, "handoff_preview")


@answers("handoff_preview")
def answer_preview(turn: Turn) -> None:
    """Only a clear yes sends."""
    if value(turn) == "yes":
        send(turn)
    elif value(turn) in ("no", "skipped"):
        later(turn)
    else:
        ask(turn)


def send(turn: Turn) -> None:
    """Hand the case over; casework gives it a code and opens its topic in the same transaction."""
    if needs_consent(turn, "handoff"):
        return
    if turn.blocked:
        turn.say("human.blocked")
        return
    if turn.held in ("waiting", "claimed"):
        turn.say("handoff.already", code=turn.code)
        return
    if turn.progress.step.name != "handoff_preview":  # an old button: what would be sent now was not shown yet
        go(turn, "handoff_preview")
        return
    turn.do("hand_off")
    turn.progress.handed_off = True
    turn.say("handoff.sent", code=turn.code)
    turn.say("handoff.next")
    back, turn.progress.later = turn.progress.later, None
    turn.progress.step = back or Step("open")
    turn.progress.trail = []
    if back:
        turn.say("handoff.meanwhile")
        ask(turn)


def redo_contact(turn: Turn) -> None:
    """Ask the contact details afresh."""
    details = turn.progress.contact
    details.name = details.language = details.country = details.timezone = ""
    details.skipped = []
    contact.go_on(turn)
