"""What was measured, as tables to print and as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from rich.console import Console
from rich.table import Table

from bench.measure import percentile
from evaluation.figures import Figure, Judged, confusions, gap, matrix, recall, reliability
from evaluation.picture import svg

WORST = 15
VERDICT = {True: "reached", False: "missed", None: ""}
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #333a45; background: #fff; max-width: 66rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 0 0 2rem } th, td { text-align: left; padding: .25rem .8rem; vertical-align: top }
tr { border-bottom: 1px solid #eceef1 } figure { margin: 0; overflow-x: auto } .reached { color: #2a6f97 } .missed { color: #c8553d }
"""  # noqa: E501


@dataclass(frozen=True)
class Result:
    """What one reader did with all the messages."""

    title: str
    judged: Sequence[Judged]
    figures: Sequence[Figure]
    seconds: Sequence[float]

    @property
    def p95(self) -> float:
        """Milliseconds within which 95 % of the messages were read."""
        return percentile(list(self.seconds), 95) * 1000 if self.seconds else 0.0


@dataclass(frozen=True)
class Sheet:
    """A table of a report."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def sheets(results: Sequence[Result], folds: Sequence[Judged] = ()) -> list[Sheet]:
    """The tables: the aims, then what lies behind the first of the results, then the cross-validation."""
    first, *others = results
    made = [aims(results)] if first.figures else []
    if others:
        made.append(beside(results))
    made += behind(first.judged)
    if folds:
        title = "5-fold cross-validation over the examples: "
        right = Figure("folds", "right intent first", sum(one.is_right for one in folds), len(folds))
        made.append(Sheet(title + "the aim", ("", "share", "95 %", "of"), [_cells(right)]))
        made += [Sheet(title + sheet.title, sheet.columns, sheet.rows) for sheet in behind(folds)]
    return made


def aims(results: Sequence[Result]) -> Sheet:
    """The first result's figures beside their aims."""
    rows = []
    for figure in results[0].figures:
        sign = "≤" if figure.at_most else "≥"
        aim = "" if figure.aim is None else f"{sign} {figure.aim:.0%}"
        rows.append([*_cells(figure), aim, VERDICT[figure.met]])
    rows.append(["p95 of one message, one core", f"{results[0].p95:.1f} ms", "", str(len(results[0].seconds)), "", ""])
    return Sheet("Aims", ("", "share", "95 %", "of", "aim", "is"), rows)


def beside(results: Sequence[Result]) -> Sheet:
    """The shares of all results side by side."""
    rows = [
        [figures[0].title, *(f"{figure.share:.1%}" for figure in figures)]
        for figures in zip(*(result.figures for result in results), strict=True)
    ]
    rows.append(["p95 of one message", *(f"{result.p95:.1f} ms" for result in results)])
    return Sheet("Beside others, on the same messages", ("", *(result.title for result in results)), rows)


def behind(judged: Sequence[Judged]) -> list[Sheet]:
    """Recall by topic, confusions with examples, and how reliable the confidence is."""
    bins = reliability(judged)
    return [
        Sheet("Recall, the worst first", ("topic", "recall", "95 %", "of"), [_cells(one) for one in recall(judged)]),
        Sheet(
            "Worst confusions",
            ("topic", "taken for", "times", "such as"),
            [
                [one.topic, one.predicted, str(one.count), "\n".join(row.text[:120] for row in one.examples)]
                for one in confusions(judged)
            ],
        ),
        Sheet(
            f"Confidence (expected calibration error {gap(bins):.1%})",
            ("confidence", "on average", "right", "of"),
            [[f"{o.low:.1f} to {o.high:.1f}", f"{o.confidence:.2f}", f"{o.right:.2f}", str(o.count)] for o in bins],
        ),
    ]


def show(shown: Iterable[Sheet], console: Console) -> None:
    """Print tables; the long ones only as far as they matter."""
    for sheet in shown:
        table = Table()
        for column in sheet.columns:
            table.add_column(column)
        for row in sheet.rows[:WORST]:
            table.add_row(*(console.render_str(cell, markup=False, highlight=False, emoji=False) for cell in row))
        console.print(f"\n{sheet.title}", style="bold", markup=False, highlight=False)
        console.print(table)
        if (more := len(sheet.rows) - WORST) > 0:
            console.print(f"  and {more} more", highlight=False)


def html(made: Iterable[Sheet], judged: Iterable[Judged], at: datetime) -> str:
    """The report as one page."""
    parts = [f"<!doctype html><html lang=en><meta charset=utf-8><title>Understanding</title><style>{STYLE}</style>"]
    parts.append(f"<h1>How well Waypoint understands</h1><p>{at:%d %B %Y, %H:%M}</p>")
    for sheet in made:
        head = "".join(f"<th>{escape(column)}" for column in sheet.columns)
        parts.append(f"<h2>{escape(sheet.title)}</h2><table><tr>{head}")
        parts += ["<tr>" + "".join(map(_cell, row)) for row in sheet.rows]
        parts.append("</table>")
    parts.append(f"<h2>Confusions</h2><figure>{svg(matrix(judged))}</figure>")
    return "\n".join(parts) + "\n"


def _cells(figure: Figure) -> list[str]:
    low, high = figure.interval
    return [figure.title, f"{figure.share:.1%}", f"{low:.1%} to {high:.1%}", f"{figure.hits} of {figure.of}"]


def _cell(text: str) -> str:
    kind = f" class={text}" if text in ("reached", "missed") else ""
    return f"<td{kind}>" + escape(text).replace("\n", "<br>")
