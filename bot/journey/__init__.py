"""The journey: pure functions that decide what a turn changes and says.

A step is a pending question. Each step's module registers how it asks (`asks`) and how it takes an answer
(`answers`); nothing here touches a database, a channel or a clock. `DECISIONS` names them for the engine's rules.
"""

from bot.journey import (  # the modules register their steps when imported
    closing,
    contact,
    files,
    handoff,
    inform,
    questions,
    records,
    safety,
    signals,
    steer,
    treatment,
    welcome,
)
from bot.journey.turn import Effect, Heard, Mention, Turn, decide

__all__ = ["DECISIONS", "Effect", "Heard", "Mention", "Turn", "decide"]

# What the engine's rules may call, by the name of the custom action.
DECISIONS = {
    "action_start": welcome.start,
    "action_answer": steer.answer,
    "action_press": steer.press,
    "action_steer": steer.steer,
    "action_role": welcome.hear_role,
    "action_hear_signals": signals.hear,
    "action_hear_records": records.hear,
    "action_inform": inform.inform,
    "action_comfort": inform.comfort,
    "action_safety": safety.hear,
    "action_fallback": inform.fallback,
    "action_file": files.file,
}

_ = (closing, contact, handoff, questions, treatment)
