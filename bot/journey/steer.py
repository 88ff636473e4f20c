"""Steering: answers, buttons, and "stop", "delete", "a person", "start over", "go back" from every step in one turn."""

from __future__ import annotations

from bot.journey import (
    closing,
    contact,
    files,
    handoff,
    inform,
    questions,
    records,
    safety,
    signals,
    treatment,
    welcome,
)
from bot.journey import turn as turns
from bot.journey.notes import explain
from bot.journey.turn import Move, Turn, ask, come_back, detour, go, stand, value
from bot.journey.turn import press as button
from bot.progress import Progress

GO = {
    "signals", "signals_summary", "signals_change", "records", "records_change", "extras", "questions", "question_own",
    "treatment_date", "handoff_offer", "handoff_preview", "handoff_change", "start", "open",
}  # fmt: skip


# Buttons that act while the flow is stopped for an emergency; the others wait until somebody is through.
OUT_OF_STOP = {"ack", "human", "erase_ask", "erase", "keep", "resume", "mydata", "withdraw_ask", "withdraw"}


def answer(turn: Turn) -> None:
    """A yes, no, don't know, skip, or free words: for the pending question."""
    if turn.heard.text and turn.heard.of("record") and turn.progress.step.name == "records":
        records.hear(turn)
        return
    if not turns.answer(turn):
        inform.fallback(turn)


def press(turn: Turn) -> None:
    """A button does what it stood for when it was shown."""
    act = turn.heard.pressed.get("act", "")
    if turn.progress.step.name == "safety" and act not in OUT_OF_STOP:
        ask(turn)
    elif act in PRESSES:
        PRESSES[act](turn)
    else:  # of an older version of this program
        turn.say("choice.stale")
    if not turn.says and not turn.effects:
        ask(turn)


def _go(turn: Turn) -> None:
    to = turn.heard.pressed.get("to", "")
    if to in GO:
        go(turn, to)


def _consent(turn: Turn) -> None:
    if turn.consent != "agreed":
        stand(turn, "consent")
        welcome.consent(turn)
    elif value(turn) == "no":  # an older question: they take back what they agreed to
        delete_data(turn)
    else:
        ask(turn)


def steer(turn: Turn) -> None:
    """What the person wants of the conversation itself."""
    STEERS[turn.heard.intent.removeprefix("control.")](turn)


def greet(turn: Turn) -> None:
    """A greeting is returned; then the step."""
    turn.say("steer.greet")
    ask(turn)
    if turn.progress.step.name == "open":
        welcome.offer_steps(turn)


def thanks(turn: Turn) -> None:
    """Short, and nothing is asked again for a thank-you."""
    turn.say("steer.thanks")


def bye(turn: Turn) -> None:
    """Everything is kept until they come back."""
    turn.say("steer.bye")
    turn.progress.paused = True


def resume(turn: Turn) -> None:
    """Go on where they were."""
    welcome.welcome_back(turn)


def status(turn: Turn) -> None:
    """How far they got, with the checklist."""
    progress = turn.progress
    turn.say(
        "steer.status",
        signals=len(progress.signals),
        signals_total=12,
        records=progress.records_in_hand(),
        records_total=6,
        questions=len(progress.questions),
    )
    if turn.consent == "agreed":
        records.show_card(turn, fresh=True)
    ask(turn)


def repeat(turn: Turn) -> None:
    """Say the pending question again, or the last answer."""
    if turn.progress.step.name == "open" and turn.progress.topic:
        explain(turn, turn.progress.topic)
    else:
        ask(turn)


def simpler(turn: Turn) -> None:
    """Say the last thing in simpler words."""
    step, topic = turn.progress.step, turn.progress.topic
    if step.name in ("signals", "signals_change", "records") and step.about:
        turn.say(f"{step.name.removesuffix('_change')}.{step.about}.simpler")
        ask(turn)
    elif topic.startswith(("faq.", "service.")):
        turn.say(f"{topic.removesuffix('_unsaved')}.simpler")
        ask(turn)
    else:
        turn.say("steer.simpler_none")
        ask(turn)


def why(turn: Turn) -> None:
    """Why something is asked."""
    step = turn.progress.step
    signal = turn.heard.pressed.get("signal") or (step.about if step.name in ("signals", "signals_change") else "")
    if signal:
        signals.explain(turn, signal)
        return
    if step.name == "records" and step.about:
        turn.say(f"records.{step.about}.what")
    elif step.name in WHY:
        turn.say(f"why.{step.name}")
    else:
        turn.say("steer.why_none")
    ask(turn)


WHY = {
    "consent", "role", "relation", "extras", "questions", "treatment_date", "treatment_when", "contact_name",
    "contact_language", "contact_country", "contact_timezone", "handoff_preview", "file_which",
}  # fmt: skip


def undo(turn: Turn) -> None:
    """Go back one question; its answer can be given anew."""
    progress = turn.progress
    if progress.step.name == "safety":
        ask(turn)
        return
    if progress.step.name in ("erase", "file_which"):
        turn.say("steer.back")
        come_back(turn)
        ask(turn)
        return
    while progress.trail and progress.trail[-1] == progress.step:
        progress.trail.pop()
    if not progress.trail:
        turn.say("steer.undo_none")
        ask(turn)
        return
    step = progress.trail.pop()
    turn.say("steer.back")
    stand(turn, step.name, step.about)
    ask(turn)


def restart(turn: Turn) -> None:
    """Start over at once; what was there can be brought back until something new replaces it."""
    before = turn.progress
    before.discarded = ""
    turn.progress = Progress(
        seen_at=before.seen_at,
        said=before.said,
        contact=before.contact,
        handed_off=before.handed_off,
        discarded=before.model_dump_json(),
    )
    turn.say("steer.restarted", choices=(button("choice.restore", "restore"),))
    if turn.consent == "agreed":
        go(turn, "role")
    else:
        go(turn, "consent")


def restore(turn: Turn) -> None:
    """Bring back what "start over" put away."""
    now = turn.progress
    if now.discarded:
        turn.progress = Progress.model_validate_json(now.discarded)
        now.discarded = ""
        turn.progress.discarded = now.model_dump_json()  # what was begun since is not lost either
        turn.progress.seen_at, turn.progress.said = now.seen_at, now.said  # of the talk itself, which went on
        turn.say("steer.restored")
    ask(turn)


def stop(turn: Turn) -> None:
    """Stop asking; everything stays."""
    turn.say(
        "steer.stopped",
        choices=(
            button("choice.continue", "resume"),
            button("choice.elsewhere", "link"),
            button("choice.mydata", "mydata"),
            button("choice.erase_ask", "erase_ask"),
        ),
    )
    turn.progress.paused = True


def delete_data(turn: Turn) -> None:
    """Ask once, since it cannot be undone."""
    detour(turn, "erase")
    ask(turn)


@turns.asks("erase")
def ask_erase(turn: Turn) -> None:
    """Confirm that everything is to be deleted."""
    choices = [button("choice.erase", "erase"), button("choice.keep", "keep")]
    if turn.consent == "agreed":
        choices.insert(1, button("choice.withdraw", "withdraw"))
    turn.say("steer.delete_confirm", choices=tuple(choices))


@turns.answers("erase")
def answer_erase(turn: Turn) -> None:
    """Only a yes erases."""
    if value(turn) == "yes":
        erase(turn)
    else:
        keep(turn)


def erase(turn: Turn) -> None:
    """Delete everything; casework does it and gives a receipt."""
    turn.do("erase")


def withdraw(turn: Turn) -> None:
    """Take back what they agreed to: everything is deleted, and from now on nothing is kept."""
    turn.do("withdraw")


def keep(turn: Turn) -> None:
    """Nothing was deleted; back to the question."""
    if turn.progress.step.name == "erase":
        turn.say("steer.delete_kept")
        come_back(turn)
    ask(turn)


def language(turn: Turn) -> None:
    """English for now; the language they would like is noted for the coordinator."""
    if turn.progress.step.name == "contact_language" and turn.heard.text:
        turns.answer(turn)  # they were asked for it
        return
    turn.say("steer.language")
    ask(turn)


def are_you_a_bot(turn: Turn) -> None:
    """Always answered: automated, a coordination service."""
    turn.say("steer.bot")
    ask(turn)


def link(turn: Turn) -> None:
    """A one-time link to go on elsewhere."""
    if not welcome.needs_consent(turn, ""):
        turn.do("link")


def mydata(turn: Turn) -> None:
    """All that is kept about them, whether they have agreed or not."""
    turn.do("mydata")


STEERS: dict[str, Move] = {
    "greet": greet,
    "thanks": thanks,
    "bye": bye,
    "resume": resume,
    "status": status,
    "repeat": repeat,
    "simpler": simpler,
    "why": why,
    "undo": undo,
    "restart": restart,
    "stop": stop,
    "delete_data": delete_data,
    "human": handoff.human,
    "language": language,
    "are_you_a_bot": are_you_a_bot,
}

PRESSES: dict[str, Move] = {
    "consent": _consent,
    "role": welcome.hear_role,
    "go": _go,
    "signal": signals.press_signal,
    "change_signal": signals.press_change,
    "why": why,
    "record": records.press_record,
    "go_record": records.press_go_record,
    "how": lambda turn: records.how(turn, turn.heard.pressed.get("record", "")),
    "extra": records.press_extra,
    "question": questions.press_question,
    "questions_done": questions.done,
    "treatment": treatment.press,
    "contact": contact.press_contact,
    "skip_contact": contact.press_skip,
    "redo_contact": handoff.redo_contact,
    "human": handoff.human,
    "not_now": handoff.later,
    "send": handoff.send,
    "ack": safety.acknowledge,
    "resume": resume,
    "restore": restore,
    "erase_ask": delete_data,
    "erase": erase,
    "withdraw_ask": delete_data,
    "withdraw": withdraw,
    "keep": keep,
    "link": link,
    "mydata": mydata,
    "file_record": files.press_file_record,
    "rate": closing.press_rate,
    "no_words": closing.no_words,
}
