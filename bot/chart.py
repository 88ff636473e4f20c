"""The desk's week as a picture. `python -m bot.chart` draws one: a chart as JSON goes in, a PNG comes out.

It is drawn in a process of its own, once a week, so that the bot does not hold the library and its fonts in memory.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from typing import IO

SECONDS = 60  # the library looks at all fonts of a machine when it is first used
HOUR = 3600.0
COLOURS = ("#0f766e", "#d97706", "#64748b")  # told apart by people who see colours differently, and by brightness


class NotDrawn(RuntimeError):
    """The picture could not be drawn."""


@dataclass(frozen=True)
class Chart:
    """What the picture shows, all words ready: cases by day; waits in seconds, one for each of `waits_labels`."""

    title: str
    days: list[str]
    cases_title: str
    cases: dict[str, list[int]]
    waits_title: str
    waits: dict[str, list[float]]
    waits_labels: list[str]


async def drawn(chart: Chart) -> bytes:
    """A chart as a PNG. Raises NotDrawn when that fails or takes too long."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.chart", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(SECONDS):
            picture, _ = await process.communicate(json.dumps(asdict(chart)).encode())
    except TimeoutError:
        process.kill()
        raise NotDrawn("it took too long") from None
    if process.returncode:
        raise NotDrawn(f"the drawing process ended with {process.returncode}")
    return picture


def draw(chart: Chart, out: IO[bytes]) -> None:
    """Draw a chart as a PNG of 1,200 by 900 points."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    figure, (cases, waits) = plt.subplots(2, 1, figsize=(8, 6), height_ratios=(3, 2), layout="constrained")
    figure.suptitle(chart.title, fontsize=14, fontweight="bold")
    width = 0.8 / len(chart.cases)
    for place, (label, counts) in enumerate(chart.cases.items()):
        at = [day + (place - (len(chart.cases) - 1) / 2) * width for day in range(len(counts))]
        bars = cases.bar(at, counts, width, label=label, color=COLOURS[place % len(COLOURS)])
        cases.bar_label(bars, labels=[str(count) if count else "" for count in counts], fontsize=9)
    cases.set_xticks(range(len(chart.days)), chart.days)
    cases.yaxis.set_major_locator(MaxNLocator(integer=True))
    cases.set_title(chart.cases_title, loc="left", fontsize=11)
    cases.legend(frameon=False, ncols=len(chart.cases), loc="upper left")
    cases.margins(y=0.3)

    height = 0.8 / len(chart.waits_labels)
    for place, label in enumerate(chart.waits_labels):
        at = [row + (place - (len(chart.waits_labels) - 1) / 2) * height for row in range(len(chart.waits))]
        spans = [seconds[place] / HOUR for seconds in chart.waits.values()]
        bars = waits.barh(at, spans, height, label=label, color=COLOURS[place % len(COLOURS)])
        waits.bar_label(bars, labels=[f"{span:.1f} h" if span else "-" for span in spans], padding=3, fontsize=9)
    waits.set_yticks(range(len(chart.waits)), list(chart.waits))
    waits.invert_yaxis()
    waits.xaxis.set_major_formatter(FuncFormatter(lambda hours, _: f"{hours:g} h"))
    waits.set_title(chart.waits_title, loc="left", fontsize=11)
    waits.legend(frameon=False, loc="upper right")
    waits.margins(x=0.15)
    for axes in (cases, waits):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(out, format="png", dpi=150)


if __name__ == "__main__":
    draw(Chart(**json.load(sys.stdin)), sys.stdout.buffer)
