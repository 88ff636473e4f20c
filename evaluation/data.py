"""Reading messages with their right topics, and writing what each was treated as.

The files are UTF-8, tab separated, with a header and without quoting, so a line of the file is a row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evaluation.topics import ALARMS, FITTING, TOPICS, Treated

LARGEST_FILE = 200_000_000  # bytes
LONGEST_ID, LONGEST_TEXT = 200, 20_000  # characters; a person's longer message is cut at the same length
MOST_PROBLEMS = 10  # told at once


class DataError(Exception):
    """A file cannot be read as messages; the message names its lines and what is wrong with them."""


@dataclass(frozen=True)
class Row:
    """One message. `right` are the topics that are right answers: none when the file names no topic for it."""

    id: str
    text: str
    topic: str = ""
    also: tuple[str, ...] = ()
    signals: frozenset[str] = frozenset()
    line: int = 0

    @property
    def right(self) -> frozenset[str]:
        """The topic and what is right too."""
        return frozenset(name for name in (self.topic, *self.also) if name)


def read(path: Path) -> list[Row]:
    """The rows of a file with the columns id and text, and where they stand topic, also, signals. Raises DataError."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise DataError(f"{path} is larger than {LARGEST_FILE // 1_000_000} MB. Split it.")
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    names = _header(path, lines[0])
    rows: list[Row] = []
    problems: list[str] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines[1:], 2):
        if not line.strip(b" \r"):
            continue
        try:
            row = _row(names, line, number)
            if row.id in seen:
                raise DataError(f"the id {row.id!r} stands in line {seen[row.id]} already")
        except DataError as problem:
            problems.append(f"line {number}: {problem}")
            continue
        seen[row.id] = number
        rows.append(row)
    if problems:
        more = [f"and {len(problems) - MOST_PROBLEMS} lines more"] if len(problems) > MOST_PROBLEMS else []
        raise DataError("\n".join([f"{path} has lines that are no messages:", *problems[:MOST_PROBLEMS], *more]))
    if not rows:
        raise DataError(f"{path} holds no messages, only a header.")
    return rows


def unknown(rows: Iterable[Row]) -> list[str]:
    """A line about each label that is no topic of the guide: nothing can be predicted that is right."""
    labels = Counter((name, row.line) for row in rows for name in row.right if name not in TOPICS)
    return [f"line {line}: {name!r} is no topic of the guide" for name, line in sorted(labels, key=lambda one: one[1])]


def write(path: Path, rows: Iterable[Row], treated: Iterable[Treated]) -> None:
    """Write predictions: id, predicted, second, confidence. Raises DataError."""
    lines = ["id\tpredicted\tsecond\tconfidence"]
    for row, one in zip(rows, treated, strict=True):
        lines.append(f"{row.id}\t{one.predicted}\t{one.second}\t{one.confidence:.4f}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".tsv.part")
        half.write_text("\n".join(lines) + "\n", encoding="utf-8")
        half.replace(path)  # so that no run that was broken off leaves half a file
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}.") from None


def fixed_part(rows: Iterable[Row]) -> list[Row]:
    """The part of the held-out messages that every change is judged by, by the number in their ids: every sixth of a
    topic (`…#02`, `…#08`), and every second emergency and self-harm.
    """

    def chosen(row: Row) -> bool:
        number = int(row.id.rpartition("#")[2])
        return number % 2 == 0 if row.topic in ALARMS else number % 6 == 2

    return [row for row in rows if chosen(row)]


def _header(path: Path, line: bytes) -> list[str]:
    try:
        names = line.decode("utf-8-sig").rstrip("\r").split("\t")
    except UnicodeDecodeError:
        raise DataError(f"{path}, line 1: the header is not UTF-8.") from None
    names = [name.strip().lower() for name in names]
    missing = [name for name in ("id", "text") if names.count(name) != 1]
    if missing or len(set(names)) < len(names):
        raise DataError(
            f"{path}, line 1: the header has to name the columns id and text, and may name topic and also, each once "
            f"and separated by tabs; it names: {', '.join(names)[:200] or 'nothing'}."
        )
    return names


def _row(names: list[str], line: bytes, number: int) -> Row:
    try:
        cells = line.decode("utf-8").rstrip("\r").split("\t")
    except UnicodeDecodeError:
        raise DataError("it is not UTF-8") from None
    if len(cells) > len(names):
        raise DataError(f"it has {len(cells)} columns and the header has {len(names)}; no text may hold a tab")
    least = max(names.index(name) for name in ("id", "text", "topic") if name in names) + 1
    if len(cells) < least:
        raise DataError(f"it has {len(cells)} of the {least} columns that it needs at least")
    values = dict(zip(names, cells, strict=False))
    name = values["id"].strip()
    if not name or len(name) > LONGEST_ID:
        raise DataError(f"its id is empty or has more than {LONGEST_ID} characters")
    topics = [values.get("topic", "").strip(), *_names(values.get("also"))]
    topic, *also = (FITTING.get(label, label) for label in topics)  # in the ids that predictions are made of
    return Row(
        id=name,
        text=values["text"].strip()[:LONGEST_TEXT],
        topic=topic,
        also=tuple(also),
        signals=frozenset(_names(values.get("signals"))),
        line=number,
    )


def _names(cell: str | None) -> list[str]:
    return re.findall(r"[^,\s]+", cell or "")
