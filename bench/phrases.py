"""What is typed while measuring: questions as people ask them in the middle of the checklist.

No phrase comes twice in a run, so that no cache ever answers; every assistant is asked the same ones in the same order.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

DOCTORS = ("my oncologist", "our surgeon", "the consultant", "my doctor", "the professor", "the radiologist", "my team")
MOMENTS = (
    "before chemo starts on monday",
    "while we wait for the scan",
    "after the second cycle",
    "this late",
    "now that the surgery has a date",
    "when radiation is already planned",
    "in my situation",
    "with stage 3",
    "after such a long time",
)
PATTERNS = (
    "will {doctor} be offended that I ask somebody else {moment}",
    "I am afraid to upset {doctor}, is it rude to ask for another opinion {moment}",
    "is it normal to want a second opinion {moment} when {doctor} seems sure",
    "does it delay the treatment to ask {moment}, {doctor} said we should not wait too much",
    "how much time would we lose {moment}, {doctor} wants to begin",
    "which papers do I have to collect from {doctor} {moment}",
    "how do I begin with a second opinion {moment}, must {doctor} send me",
    "what should I ask {doctor} {moment}",
    "can another hospital change what {doctor} planned {moment}",
    "when does a second opinion help, {doctor} says it makes no sense {moment}",
    "if the other doctors agree with {doctor} was it useless to ask {moment}",
    "what happens after I send you everything from {doctor} {moment}",
    "how much does it cost {moment} and does {doctor} have to pay something",
    "how long until I get the answer {moment}, {doctor} sees me soon",
    "do I need to travel {moment} or can {doctor} send it by internet",
    "who reads my documents {moment}, does {doctor} see that I asked",
    "is my information safe with you {moment}, I dont want that {doctor} knows",
    "Can you explain how your team in China works {moment} together with {doctor}",
    "are you doctors yourself {moment} or do you only pass it to {doctor}",
    "how certain can {doctor} be {moment}, do they sometimes make a mistake",
)
ENDINGS = ("?", "", "??", " please", ", thank you")


def phrases(seed: int = 20) -> Iterator[str]:
    """Every phrase once, well mixed; the same order for the same seed."""
    order = random.Random(seed)  # noqa: S311  # nothing secret is drawn
    made = list(product(PATTERNS, DOCTORS, MOMENTS))
    order.shuffle(made)
    for pattern, doctor, moment in made:
        yield pattern.format(doctor=doctor, moment=moment) + order.choice(ENDINGS)
