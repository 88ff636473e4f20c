"""Compares what was said with what arrived. Pure: it knows numbers and texts, not where they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass
class Way:
    """One way that words go: how much was said and came, and what is wrong with that."""

    name: str
    may_double: bool = False  # Telegram offers no means to send a thing once when the answer to the first try was lost
    said: int = 0
    arrived: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    examples: list[str] = field(default_factory=list)

    def compare[T: Hashable](self, whose: str, said: Sequence[T], shown: Sequence[T]) -> None:
        """Count what one person said, in order, against what is shown at the other end, in order."""
        sent, seen = Counter(said), Counter(shown)
        lost, doubled = sent - seen, seen - sent
        place = {words: number for number, words in reversed(list(enumerate(said)))}
        first = list(dict.fromkeys(words for words in shown if words in place))
        inversions = sum(1 for a, b in pairwise(first) if place[a] > place[b])
        self.said += len(said)
        self.arrived += len(said) - lost.total()
        self.lost += lost.total()
        self.doubled += doubled.total()
        self.out_of_order += inversions
        if lost or inversions or (doubled and not self.may_double):
            wrong = {"lost": list(lost)[:3], "doubled": list(doubled)[:3], "out of order": inversions}
            self.examples.append(f"{whose}: {', '.join(f'{what} {which}' for what, which in wrong.items() if which)}")

    @property
    def is_right(self) -> bool:
        """Whether all of it came, in order, and once where that can be."""
        return not self.lost and not self.out_of_order and (self.may_double or not self.doubled)


@dataclass
class Verdict:
    """All ways, and what else has to be zero."""

    ways: list[Way]
    wrong: Counter[str] = field(default_factory=Counter)  # by what it is: has to be empty
    twice: Counter[str] = field(default_factory=Counter)  # what Telegram got twice, since it cannot be asked
    examples: list[str] = field(default_factory=list)

    def note(self, what: str, whose: Iterable[str]) -> None:
        """Count something that must not be."""
        for each in whose:
            self.wrong[what] += 1
            self.examples.append(f"{what}: {each}")

    @property
    def is_right(self) -> bool:
        """Whether nothing was lost, doubled where that can be avoided, or out of order."""
        return not +self.wrong and all(way.is_right for way in self.ways)

    def told(self) -> list[str]:
        """Examples of what is wrong."""
        return [*(f"{way.name}: {example}" for way in self.ways for example in way.examples), *self.examples]
