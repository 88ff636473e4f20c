"""Safety: the flow stops, the action comes first, nothing is appended, and no all-clear exists (rules.md, 1 to 6)."""

from __future__ import annotations

from bot import safety as net
from bot.journey.notes import answer_others, save_question, take_in
from bot.journey.questions import keep_own
from bot.journey.turn import Turn, answers, ask, asks, come_back, detour, go_on, press, stand, value
from bot.journey.welcome import welcome

ALARMS = {
    "emergency.now": "safety.emergency.now",
    "emergency.team": "safety.emergency.team",
    "self_harm.now": "safety.self_harm.now",
    "self_harm.wish": "safety.self_harm.wish",
    "self_harm.third_party": "safety.self_harm.third_party",
}


def hear(turn: Turn) -> None:
    """What the engine took for a matter of safety."""
    intent = turn.heard.intent
    if tier := net.read(intent):
        alarm(turn, tier)
    elif intent == "safety.stop_treatment":
        turn.say("safety.stop_treatment")
        if save_question(turn, "declined"):
            turn.say("safety.saved_for_team")
        ask(turn)
    elif intent == "safety.past_or_hypothetical":
        not_now(turn)
    elif turn.progress.step.name == "question_own":
        keep_own(turn)  # they were asked for a question, and a medical one is a good one for the doctors
    else:
        turn.say("safety.medical_advice" if save_question(turn, "declined") else "safety.medical_advice_unsaved")
        ask(turn)


def not_now(turn: Turn) -> None:
    """What sounded like danger is over, feared or a manner of speaking: never an all-clear, for it may be misread."""
    if turn.progress.step.name == "safety":
        ask(turn)
        return
    turn.say("safety.not_now")
    take_in(turn)
    answer_others(turn)
    go_on(turn)


def alarm(turn: Turn, tier: str) -> None:
    """Answer an emergency or self-harm: the action, then silence until they say they are through."""
    detour(turn, "safety", tier)
    turn.says.clear()
    turn.say(ALARMS[tier], choices=(press("choice.ack", "ack"), press("choice.human", "human")))
    if turn.may_come_back:  # closed a short while ago: the coordinators are to know
        turn.do("reopen")
    if turn.held in ("waiting", "claimed") or turn.may_come_back:
        turn.do("raise_urgent", reason=tier)
        turn.say("safety.told_coordinator")


@asks("safety")
def ask_safety(turn: Turn) -> None:
    """Ask again whether they have reached help; never an all-clear."""
    kind = turn.progress.step.about.split(".")[0]
    turn.say(f"safety.held_{kind}", choices=(press("choice.ack", "ack"), press("choice.human", "human")))


@answers("safety")
def answer_safety(turn: Turn) -> None:
    """Only a yes goes on; anything else asks again."""
    if value(turn) == "yes":
        acknowledge(turn)
    else:
        ask(turn)


def acknowledge(turn: Turn) -> None:
    """They have seen it: go on where they were."""
    if turn.progress.step.name == "safety":
        turn.say("safety.resumed")
        leave(turn)
    ask(turn)


def leave(turn: Turn) -> None:
    """Out of the stop, to where they were; whoever began with an emergency is welcomed now."""
    back = come_back(turn)
    if not turn.progress.said.get("welcome.what"):
        welcome(turn)
    if back.name == "new":
        stand(turn, "consent")
