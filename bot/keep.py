"""For how long each kind of data is kept. The consent says it, and the sweep keeps to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Keep:
    """The operator's limits. A person's own are those that stood in what they agreed to, where they are shorter."""

    draft_hours: int = 24  # everything of somebody who has not agreed, from their last words on
    days: int = 180  # a case that was never handed over, from the last words on
    case_days: int = 365  # a closed case, from its closing or the last words after it on
    delivery_days: int = 30  # the records of what came in and went out
    figure_days: int = 730  # what the desk's figures are made of, without anybody's words
