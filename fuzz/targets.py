"""What is tried, and which part of all cases each gets."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from fuzz.choices import of_choices
from fuzz.finding import Findings, Tick, examine
from fuzz.guides import of_guides
from fuzz.parsers import every
from fuzz.service import of_requests, of_updates
from fuzz.values import TEXT

KEPT = Path("var/fuzz")
PULSE = re.compile(r"^#(\d+)\s")
LONGEST_TEXT = 8_192  # bytes that libFuzzer grows


class Target(NamedTuple):
    """What is tried, by whom, and which part of all cases it gets: what writes to a database is slower."""

    name: str
    run: Callable[[int, int, Tick], Findings]
    share: float


def of_texts(cases: int, start: int, tick: Tick) -> Findings:
    """Texts at every parser."""
    return examine(TEXT, every, cases, start, tick)


def of_coverage(cases: int, start: int, tick: Tick) -> Findings:
    """Texts that reach new code of the parsers, as libFuzzer finds them."""
    folder = KEPT / "corpus"
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "fuzz.coverage",
        f"-runs={cases}",
        f"-seed={max(start, 1)}",
        f"-max_len={LONGEST_TEXT}",
    ]
    command += ["-timeout=60", "-rss_limit_mb=0", f"-artifact_prefix={KEPT}/", str(folder)]
    findings, end = Findings(), ""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stderr is not None
        for line in process.stderr:
            if pulse := PULSE.match(line):
                tick(int(pulse[1]) - findings.cases)
                findings.cases = int(pulse[1])
            end = (end + line)[-4_000:]
    if process.returncode:
        findings.unhandled[f"fuzz.coverage ended with {process.returncode}"] = end
    return findings


TARGETS = (
    Target("coverage", of_coverage, 0.60),
    Target("texts", of_texts, 0.20),
    Target("choices", of_choices, 0.12),
    Target("guides", of_guides, 0.04),
    Target("updates", of_updates, 0.03),
    Target("requests", of_requests, 0.01),
)


def run(target: str, cases: int, start: int, news: Any) -> tuple[Findings, float]:
    """One target in a process of its own; `news` hears of each batch that is done. Returns findings and seconds."""
    logging.basicConfig(level=logging.CRITICAL)
    begun = time.monotonic()
    [chosen] = [each for each in TARGETS if each.name == target]
    return chosen.run(cases, start, lambda count: news.put((target, count))), time.monotonic() - begun
