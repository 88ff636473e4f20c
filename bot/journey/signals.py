"""Signals: twelve questions, one at a time; what was said already is not asked again; a summary they can correct."""

from __future__ import annotations

from bot.journey.notes import answer_others, note_signals
from bot.journey.turn import Turn, answers, ask, asks, go, go_on, named, press, return_to_preview, stand, value
from bot.journey.welcome import needs_consent
from bot.progress import MAX_WORDS, SELF_QUESTION, SIGNALS, SignalAnswer, Step
from bot.render import Choice

GUIDE_A_MESSAGE = 3  # what the guide says of so many signals fits one short message


def _answer_buttons(signal: str) -> tuple[Choice, ...]:
    labels = {"yes": "choice.yes", "no": "choice.no", "not_sure": "choice.not_sure"}
    buttons = [press(label, "signal", signal=signal, answer=answer) for answer, label in labels.items()]
    return (
        *buttons,
        press("choice.why", "why", signal=signal),
        press("choice.skip", "signal", signal=signal, answer="skipped"),
    )


@asks("signals")
def ask_signal(turn: Turn) -> None:
    """Ask about one signal, or go to the summary when none is left."""
    if needs_consent(turn, "signals"):
        return
    progress = turn.progress
    signal = progress.step.about or progress.next_signal()
    if signal is None:
        summary(turn)
        return
    if not progress.signals and not turn.progress.said.get("signals.intro"):
        turn.say("signals.intro")
    progress.step = Step("signals", signal)
    turn.say(
        "signals.ask",
        n=SIGNALS.index(signal) + 1,
        total=len(SIGNALS),
        question=named(f"signals.{signal}.ask"),
        choices=_answer_buttons(signal),
    )


@answers("signals")
def answer_signal(turn: Turn) -> None:
    """A typed yes, no, not sure or skip answers the pending signal; other words are asked about again."""
    answer = value(turn)
    if answer:
        _note(turn, turn.progress.step.about, answer)
    else:
        ask(turn)


def press_signal(turn: Turn) -> None:
    """A button answers the signal it stood under, even when the conversation has gone on since."""
    signal = turn.heard.pressed.get("signal", "")
    answer = value(turn)
    if signal in SIGNALS and answer and not needs_consent(turn, "signals"):
        _note(turn, signal, answer)


def _note(turn: Turn, signal: str, answer: str) -> None:
    progress = turn.progress
    known = progress.signals.get(signal)
    words = known.words if known and known.answer == answer else ""
    progress.signals[signal] = SignalAnswer(answer=answer, words=words)
    if progress.step.name == "signals_change":
        turn.say("signals.changed", name=named(f"signals.{signal}.name"), answer=named(f"choice.{answer}"))
        if not return_to_preview(turn):
            summary(turn)
    elif progress.step == Step("signals", signal):
        if turn.heard.typed:  # a pressed button shows by itself what was chosen
            turn.say(f"signals.noted.{answer}")
        go(turn, "signals")
    else:
        turn.say("signals.changed", name=named(f"signals.{signal}.name"), answer=named(f"choice.{answer}"))
        ask(turn)


def hear(turn: Turn) -> None:
    """They said in their own words that a signal is there, or is not."""
    step = turn.progress.step
    heard = note_signals(turn)
    if not turn.keeps:
        turn.say("signals.heard_unkept")
        answer_others(turn)
        return
    if not turn.noted and turn.heard.intent == "signals.none" and step.name == "signals":
        answer = "yes" if step.about == SELF_QUESTION else "no"
        turn.progress.signals[step.about] = SignalAnswer(answer=answer, words=turn.heard.text[:MAX_WORDS])
        turn.noted.add(step.about)
    if heard:
        turn.say("signals.heard", names=heard)
    else:
        there = turn.noted & set(turn.progress.present())
        turn.say("signals.noted.yes" if there else "signals.noted.no")
    answer_others(turn)
    go_on(turn)


@asks("signals_summary")
def summary(turn: Turn) -> None:
    """Which signals are present, what the guide says of each, what it does not mean; never a score or a verdict."""
    progress = turn.progress
    present, unsure = progress.present(), progress.unsure()
    stand(turn, "signals_summary")
    if present:
        turn.say("signals.summary", present=[named(f"signals.{name}.name") for name in present])
        for first in range(0, len(present), GUIDE_A_MESSAGE):
            group = present[first : first + GUIDE_A_MESSAGE]
            turn.say("signals.summary_guide", lines=[named(f"signals.{name}.guide") for name in group])
    else:
        turn.say("signals.summary_none")
    if unsure:
        turn.say("signals.summary_unsure", unsure=[named(f"signals.{name}.name") for name in unsure])
    turn.say(
        "signals.clarity",
        choices=(press("choice.go_on", "go", to="records"), press("choice.change", "go", to="signals_change")),
    )


@answers("signals_summary")
def answer_summary(turn: Turn) -> None:
    """Right goes on to the records; not right lets them change an answer."""
    if value(turn) == "no":
        go(turn, "signals_change")
    elif value(turn):
        go(turn, "records")
    else:
        ask(turn)


@asks("signals_change")
def ask_change(turn: Turn) -> None:
    """Ask which answer to change; once it is chosen, ask that signal again."""
    if signal := turn.progress.step.about:
        choices = _answer_buttons(signal)[:3]
        turn.say("signals.ask_again", question=named(f"signals.{signal}.ask"), choices=choices)
        return
    turn.say(
        "signals.change_which",
        choices=(
            *(press(f"signals.{name}.name", "change_signal", signal=name) for name in SIGNALS),
            press("choice.back_to_summary", "go", to="signals_summary"),
        ),
    )


@answers("signals_change")
def answer_change(turn: Turn) -> None:
    """The new answer to the chosen signal; or no more to change, and back to the summary."""
    answer, signal = value(turn), turn.progress.step.about
    if signal and answer in ("yes", "no", "not_sure"):
        _note(turn, signal, answer)
    elif answer in ("no", "skipped"):
        if not return_to_preview(turn):
            summary(turn)
    else:
        ask(turn)


def press_change(turn: Turn) -> None:
    """They chose the answer to change: ask that signal again, then come back to the summary."""
    signal = turn.heard.pressed.get("signal", "")
    if signal not in SIGNALS:
        return
    go(turn, "signals_change", signal)


def explain(turn: Turn, signal: str) -> None:
    """Why this is asked; then the question again."""
    turn.say(f"signals.{signal}.why")
    ask(turn)
