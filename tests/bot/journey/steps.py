"""Every place where somebody can stand, so that what holds "from every step" is tried at each."""

from __future__ import annotations

from bot.journey.turn import _ANSWERS
from bot.progress import Step
from tests.bot.journey.talk import Talk

_ABOUT = {
    "signals": ("rare_cancer", "understand_enough"),
    "signals_change": ("", "confusion"),
    "records": ("pathology", "operative_notes"),
    "safety": ("emergency.now", "self_harm.wish"),
}

# The registry decides which steps there are: a new one is tried without being named here.
_PASSING = {"rating_words"}  # asked once, and left by whatever does not answer it (tests/bot/casework/test_closing.py)
STEPS = (
    Step("new"),
    *(Step(name, about) for name in sorted({*_ANSWERS} - _PASSING) for about in _ABOUT.get(name, ("",))),
)


def place(talk: Talk, step: Step) -> Talk:
    """Stand at a step, the way there included: who stands at a detour came from somewhere."""
    if step.name == "new":
        return talk
    if step.name == "consent":
        talk.start()
        return talk
    talk.agree()
    if step.name in ("safety", "erase", "file_which"):
        talk.press("choice.begin")
    if step.name == "safety":
        talk.alarm(step.about)
    elif step.name == "erase":
        talk.write("control.delete_data")
    elif step.name == "file_which":
        talk.send_file("photo.jpg", "image/jpeg")
    else:
        talk.at(*step)
    return talk
