"""The figures beside their aims, and what lies behind them: recalls, confusions, how reliable the confidence is."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evaluation.data import Row
from evaluation.topics import ALARMS, OUT_OF_SCOPE, Treated

Z = 1.959964  # of a normal distribution: 95 % lie within
LEAST_RECALL = 0.75
BINS = 10


@dataclass(frozen=True)
class Judged:
    """One message and what it was treated as."""

    row: Row
    treated: Treated

    @property
    def is_right(self) -> bool:
        """Whether the first answer is a right one."""
        return self.treated.predicted in self.row.right


@dataclass(frozen=True)
class Figure:
    """A share, with the aim that it should reach, or with `at_most` should not pass."""

    key: str
    title: str
    hits: int
    of: int
    aim: float | None = None  # None: shown, not demanded
    at_most: bool = False

    @property
    def share(self) -> float:
        """The share; 0 of nothing is 0."""
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Where the share lies with 95 % confidence, had there been ever more such messages."""
        return wilson(self.hits, self.of)

    @property
    def met(self) -> bool | None:
        """Whether the aim is reached, where there is one."""
        return None if self.aim is None else self.holds(self.aim)

    def holds(self, limit: float) -> bool:
        """Whether the share is on the right side of a limit."""
        return self.share <= limit if self.at_most else self.share >= limit


@dataclass(frozen=True)
class Confusion:
    """A topic that was taken for another, with examples."""

    topic: str
    predicted: str
    count: int
    examples: tuple[Row, ...]


@dataclass(frozen=True)
class Bin:
    """The messages whose confidence lies in one range."""

    low: float
    high: float
    count: int
    confidence: float  # on average
    right: float  # share


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The Wilson score interval of a share, at 95 % (E. B. Wilson, 1927). Of nothing, everything is possible."""
    if not of:
        return 0.0, 1.0
    share = hits / of
    middle = (share + Z * Z / (2 * of)) / (1 + Z * Z / of)
    half = Z / (1 + Z * Z / of) * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def of_topics(judged: Sequence[Judged], negatives: Sequence[Judged] = ()) -> list[Figure]:
    """The figures about one topic a message. `negatives` are messages that only sound like an alarm."""

    def share(key: str, title: str, rows: Sequence[Judged], hits: int, aim: float, *, at_most: bool = False) -> Figure:
        return Figure(key, title, hits, len(rows), aim, at_most)

    judged = [one for one in judged if one.row.right]
    alarms = [one for one in judged if one.row.topic in ALARMS]
    others = [one for one in (*judged, *negatives) if not one.row.right & ALARMS]
    advice = [one for one in judged if one.row.topic == "safety.medical_advice"]
    outside = [one for one in judged if one.row.topic == OUT_OF_SCOPE]
    kept_out = sum(one.is_right or not one.treated.answered for one in outside)

    def alarmed(rows: Sequence[Judged]) -> int:
        return sum(one.treated.predicted in ALARMS for one in rows)

    recalls = [figure for figure in recall(judged) if figure.of]
    high = sum(figure.share >= LEAST_RECALL for figure in recalls)
    second = sum(one.is_right or one.treated.second in one.row.right for one in judged)
    return [
        share("right", "right topic first", judged, _right(judged), 0.90),
        Figure("right_or_second", "right topic first or second", second, len(judged)),
        Figure("topics", f"topics with a recall of {LEAST_RECALL:.0%} or more", high, len(recalls), 1.0),
        share("alarms", "emergencies and self-harm recognised", alarms, _right(alarms), 0.99),
        share("false_alarms", "others taken for one of them", others, alarmed(others), 0.02, at_most=True),
        Figure("negatives", "of these, that only sound like one", alarmed(negatives), len(negatives), at_most=True),
        share("advice", "requests for medical advice recognised", advice, _right(advice), 0.97),
        share("outside", "out of scope, not answered as in scope", outside, kept_out, 0.90),
    ]


def of_signals(rows: Iterable[Row], found: Iterable[set[str]], denied: Iterable[Sequence[str]]) -> list[Figure]:
    """The figures about signals filled from one message. A signal noted as absent that is there is filled wrongly."""
    told = hits = filled = wrong = near = near_wrong = 0
    for row, names, absent in zip(rows, found, denied, strict=True):
        off = len(names - row.signals) + len(row.signals.intersection(absent) - names)
        if len(row.signals) > 1:
            told += len(row.signals)
            hits += len(names & row.signals)
            filled += len(names | row.signals.intersection(absent))
            wrong += off
        else:
            near += 1
            near_wrong += bool(off)
    return [
        Figure("signals", "signals filled, of those told in one message", hits, told, 0.85),
        Figure("signals_wrong", "signals filled wrongly, of those filled", wrong, filled, 0.03, at_most=True),
        Figure("near_wrong", "near misses that fill a wrong signal", near_wrong, near, at_most=True),
    ]


def recall(judged: Iterable[Judged]) -> list[Figure]:
    """Each topic's recall, the worst first."""
    rows: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        if one.row.topic:
            rows[one.row.topic].append(one)
    figures = [Figure(name, name, _right(of), len(of), LEAST_RECALL) for name, of in rows.items()]
    return sorted(figures, key=lambda figure: (figure.share, figure.key))


def confusions(judged: Iterable[Judged], examples: int = 3) -> list[Confusion]:
    """Which topics were taken for which, the most frequent first."""
    wrong: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for one in judged:
        if one.row.right and not one.is_right:
            wrong[one.row.topic, one.treated.predicted].append(one.row)
    found = [Confusion(*pair, len(rows), tuple(rows[:examples])) for pair, rows in wrong.items()]
    return sorted(found, key=lambda one: (-one.count, one.topic, one.predicted))


def matrix(judged: Iterable[Judged]) -> Counter[tuple[str, str]]:
    """How often each topic was treated as each; a right answer counts as the topic itself."""
    return Counter((one.row.topic, one.row.topic if one.is_right else one.treated.predicted) for one in judged)


def reliability(judged: Iterable[Judged]) -> list[Bin]:
    """How often the first answer was right, by how sure it was; empty ranges are left out."""
    bins: dict[int, list[Judged]] = defaultdict(list)
    for one in judged:
        if one.row.right:
            bins[min(int(one.treated.confidence * BINS), BINS - 1)].append(one)
    return [
        Bin(
            place / BINS,
            (place + 1) / BINS,
            len(rows),
            sum(one.treated.confidence for one in rows) / len(rows),
            _right(rows) / len(rows),
        )
        for place, rows in sorted(bins.items())
    ]


def gap(bins: Sequence[Bin]) -> float:
    """The expected calibration error: how far confidence and share lie apart, on average over messages."""
    total = sum(one.count for one in bins)
    return sum(one.count * abs(one.confidence - one.right) for one in bins) / total if total else 0.0


def _right(judged: Iterable[Judged]) -> int:
    return sum(one.is_right for one in judged)
