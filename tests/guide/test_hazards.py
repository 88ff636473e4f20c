"""The hazard log is whole, and every file and test that it names exists: docs/hazards.md."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from bot.guide import Guide
from tests.conftest import ROOT

LOG = (ROOT / "docs" / "hazards.md").read_text(encoding="utf-8")
TOP, *SECTIONS = re.split(r"^## (?=H\d)", LOG, flags=re.MULTILINE)
HAZARDS = {section.split()[0]: section for section in SECTIONS}
PARTS = [
    f"**{part}**"
    for part in ("What happens.", "Causes.", "Who is hurt, and how.", "Controls", "Shown by", "What remains.")
]
ROW = re.compile(
    r"^\| (H\d+) (.+?) \| (\d) \N{MULTIPLICATION SIGN} (\d) \| (\d) \N{MULTIPLICATION SIGN} (\d) \| (open)? ?\|$",
    re.MULTILINE,
)
OPEN_FROM = 10


def named(text: str) -> list[str]:
    """Files, and tests as `file::name`, that a text names."""
    return [name for name in re.findall(r"`([^`\s]+)`", text) if "/" in name]


def exists(name: str, root: Path = ROOT) -> bool:
    """Whether a file is there, and has the test, if one is named."""
    file, _, test = name.partition("::")
    return (root / file).is_file() and (not test or test in names_of_tests(root / file))


@cache
def names_of_tests(file: Path) -> frozenset[str]:
    """What the tests of a file are called."""
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    names = (node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in names if name.startswith("test_"))


def test_all_twelve_are_there_in_order() -> None:
    twelve = [f"H{number}" for number in range(1, 13)]
    assert list(HAZARDS) == twelve
    assert [row[0] for row in ROW.findall(LOG)] == twelve


@pytest.mark.parametrize("hazard", HAZARDS)
def test_a_hazard_is_told_in_full(hazard: str) -> None:
    section = HAZARDS[hazard]
    places = [section.find(part) for part in PARTS]
    assert -1 not in places
    assert places == sorted(places)
    controls, shown = (section.split(part)[1].split("\n**")[0] for part in ("**Controls**", "**Shown by**"))
    assert all(named(line) for line in controls.strip().splitlines())
    assert all("::" in name for line in shown.strip().splitlines() for name in named(line) or [line])
    assert len(section.split("**What remains.**")[1].split()) >= 10


@pytest.mark.parametrize("name", sorted(set(named(LOG))))
def test_what_the_log_names_exists(name: str) -> None:
    assert exists(name)


@pytest.mark.parametrize(
    "name", ["bot/nowhere.py", "tests/guide/test_hazards.py::test_nobody_wrote", "tests/nowhere.py::test_this", "bot"]
)
def test_a_file_or_test_that_is_gone_is_found(name: str) -> None:
    assert not exists(name)


def test_a_control_never_raises_a_risk_and_what_stays_high_is_open() -> None:
    rows = ROW.findall(LOG)
    for hazard, _, severity, likelihood, severity_after, likelihood_after, mark in rows:
        before, after = int(severity) * int(likelihood), int(severity_after) * int(likelihood_after)
        assert {severity, likelihood, severity_after, likelihood_after} <= set("12345"), hazard
        assert after < before, hazard
        assert (mark == "open") == (after >= OPEN_FROM), hazard


def test_a_hazard_has_the_same_name_in_the_table_and_above_its_text() -> None:
    for hazard, title, *_ in ROW.findall(LOG):
        heading = HAZARDS[hazard].splitlines()[0].removeprefix(f"{hazard} ")
        assert heading.casefold() == title.casefold()


@pytest.mark.parametrize(
    "said",
    [
        "a clinician must sign off",
        "Clinical Safety Officer is to be named by the operator",
        "not certified",
        "project's own estimate",
        "never gives an all-clear",
    ],
)
def test_it_says_first_what_is_not_done_and_not_claimed(said: str) -> None:
    assert said.casefold() in " ".join(TOP.split()).casefold()


def test_every_text_to_be_signed_off_is_in_a_file_that_the_log_names() -> None:
    """A text that must be looked at again before launch stands where the clinician is sent."""
    verify = [entry.place.partition(":")[0] for entry in Guide.load().entries["en"].values() if entry.verify]
    assert verify
    assert set(verify) <= set(named(TOP))
