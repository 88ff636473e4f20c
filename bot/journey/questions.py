"""Questions: pick from the guide's six, add one's own; what had to be declined is here already."""

from __future__ import annotations

from bot.journey.notes import save_question
from bot.journey.turn import Turn, answers, ask, asks, go, named, press, return_to_preview, value
from bot.journey.welcome import needs_consent
from bot.progress import QUESTIONS, Question


@asks("questions")
def ask_questions(turn: Turn) -> None:
    """Offer the guide's questions that are not picked yet."""
    if needs_consent(turn, "questions"):
        return
    picked = {question.id for question in turn.progress.questions}
    left = [question for question in QUESTIONS if question not in picked]
    buttons = [press(f"questions.{question}.name", "question", question=question) for question in left]
    turn.say(
        "questions.more" if turn.progress.questions else "questions.intro",
        choices=(*buttons, press("choice.add_own", "go", to="question_own"), press("choice.done", "questions_done")),
    )


@answers("questions")
def answer_questions(turn: Turn) -> None:
    """No, done or skip goes on; a yes asks which."""
    if value(turn) in ("no", "skipped"):
        done(turn)
    else:
        ask(turn)


def press_question(turn: Turn) -> None:
    """Pick one of the guide's questions."""
    question = turn.heard.pressed.get("question", "")
    if question in QUESTIONS and not needs_consent(turn, "questions"):
        if turn.progress.add_question(Question(id=question)):
            turn.say("questions.added", text=named(f"questions.{question}.text"))
        if turn.progress.step.name == "questions":
            ask(turn)


@asks("question_own", words=True)
def ask_own(turn: Turn) -> None:
    """Ask for a question in their own words."""
    turn.say("questions.own_ask", choices=(press("choice.done", "questions_done"),))


@answers("question_own")
def answer_own(turn: Turn) -> None:
    """Keep the words as they were written."""
    if value(turn) in ("no", "skipped") or not turn.heard.text.strip():
        go(turn, "questions")
        return
    keep_own(turn)


def keep_own(turn: Turn) -> None:
    """Keep what was written as a question of their own, and offer to add more."""
    if save_question(turn, "own"):
        turn.say("questions.saved", text=turn.heard.text.strip())
    go(turn, "questions")


def done(turn: Turn) -> None:
    """Say the list, then go on to the treatment date, which is asked once."""
    if return_to_preview(turn):
        return
    if turn.progress.questions:
        turn.say("questions.list", items=lines(turn))
    if turn.progress.treatment.answer:
        go(turn, "handoff_offer")
    else:
        go(turn, "treatment_date")


def lines(turn: Turn) -> list[object]:
    """The questions as lines: the guide's in our words, their own in theirs."""
    return [
        named(f"questions.{question.id}.text") if question.id else question.text for question in turn.progress.questions
    ]
