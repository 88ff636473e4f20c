"""What fuzzing found, and how a strategy's values are tried one after the other."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

BATCH = 2_000  # Hypothesis remembers what it has tried, so a run without end would fill the memory
MOST_KEPT = 20

Tick = Callable[[int], None]


class Lost(AssertionError):
    """Something that a person sent is neither kept nor refused."""


@dataclass
class Findings:
    """Of one target: how much was tried, and what went wrong, each place once."""

    cases: int = 0
    unhandled: dict[str, str] = field(default_factory=dict)  # where -> what was tried
    lost: dict[str, str] = field(default_factory=dict)

    def add(self, error: BaseException, value: object) -> None:
        """Keep one fault, unless another one of the same place is kept."""
        places = [
            f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
        ]
        kept = self.lost if isinstance(error, Lost) else self.unhandled
        where = f"{type(error).__name__} at {' > '.join(places[-4:])}"
        if len(kept) < MOST_KEPT:
            kept.setdefault(where, repr(value)[:4_000])


def examine(
    strategy: SearchStrategy[Any], check: Callable[[Any], None], cases: int, start: int, tick: Tick
) -> Findings:
    """Try `check` on values of a strategy. Whatever it raises is a finding; the same `start`, the same values."""
    findings = Findings()
    while findings.cases < cases:
        count = min(BATCH, cases - findings.cases)
        _batch(strategy, check, count, start + findings.cases, findings)
        tick(count)
        findings.cases += count
    return findings


def _batch(
    strategy: SearchStrategy[Any], check: Callable[[Any], None], count: int, start: int, findings: Findings
) -> None:
    @seed(start)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def one(value: Any) -> None:
        try:
            check(value)
        except Exception as error:
            findings.add(error, value)

    one()


class Faults(logging.Handler):
    """Notes what is logged with an exception: one that was caught and told is unhandled all the same."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note a line that tells of an exception."""
        if record.exc_info:
            self.said.append(f"{record.name}: {record.getMessage()}")

    def take(self) -> list[str]:
        """What was noted since it was last asked."""
        said, self.said = self.said, []
        return said
