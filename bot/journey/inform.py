"""Answers from the guide at any moment, feelings before facts, and what to say when nothing was understood."""

from __future__ import annotations

from bot.journey.notes import answer, answer_others, take_in
from bot.journey.questions import keep_own
from bot.journey.records import how
from bot.journey.turn import Turn, ask, go_on, press, topic
from bot.journey.welcome import next_choices
from bot.render import Choice

SUGGESTIONS = 3
SHORT_QUESTION = 6  # words; longer ones say themselves what they are about


def inform(turn: Turn) -> None:
    """Answer a question of the guide, then go back to where they were."""
    if turn.progress.step.name == "question_own" and turn.heard.typed and turn.heard.text:
        keep_own(turn)  # they were asked for a question of their own, and this is it
        return
    say, step = turn.heard.intent, turn.progress.step
    asked = len(turn.heard.text.split())  # nothing, when it was a button
    if say == "faq.how_to_start" and step.name == "records" and 0 < asked <= SHORT_QUESTION:
        how(turn, step.about)  # "how do I get that?", of the record they are asked about
        return
    choices: tuple[Choice, ...] = ()
    if step.name == "open" and turn.consent == "agreed":
        choices = next_choices(turn)
    elif say == "faq.how_to_start" and step.name == "open":
        choices = (press("choice.begin", "go", to="signals"), press("choice.human", "human"))
    take_in(turn)
    turn.progress.topic = answer(turn, say, choices=choices)
    answer_others(turn)
    go_on(turn)


def comfort(turn: Turn) -> None:
    """A feeling is answered first; then the step, gently."""
    turn.say(turn.heard.intent)
    take_in(turn)
    answer_others(turn)
    if turn.heard.intent != "feelings.hopeless":  # no checklist after that; they go on only if they want to
        go_on(turn)


def fallback(turn: Turn) -> None:
    """Not understood: the nearest topics as buttons; after the second miss, a person."""
    progress = turn.progress
    if turn.heard.of("signal") or turn.heard.of("record") or turn.heard.of("question"):
        before = len(turn.says)
        take_in(turn)
        answer_others(turn)
        if len(turn.says) > before:
            go_on(turn)
            return
    if progress.step.name == "questions" and turn.heard.intent != "oos" and turn.heard.text.strip():
        keep_own(turn)
        return
    misses = progress.misses + 1
    if turn.heard.intent == "oos":
        turn.say("fallback.oos")
        ask(turn)
    elif misses >= 2:
        turn.say("fallback.second", choices=(press("choice.human", "human"),))
        ask(turn)
    else:
        near = [name for name in turn.heard.ranking if name.startswith(("faq.", "service."))][:SUGGESTIONS]
        turn.say("fallback.first", choices=(*(topic(name) for name in near), press("choice.human", "human")))
    progress.misses = misses
