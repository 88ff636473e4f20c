"""`make audit`: looks up every locked package in databases of known faults, and says what was found and not accepted.

Python's packages are looked up as they are installed, at OSV (https://osv.dev) by pip-audit; the widget's by npm. What
was looked at and accepted stands in scripts/audit.toml. Without the network nothing can be looked up, which is said and
fails only where AUDIT=required.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.production import production

ROOT = Path(__file__).resolve().parent.parent
APP, TOOLS, ENGINE, WIDGET = "bot and actions", "developers' tools", "engine", "widget"
ENVIRONMENTS = {ROOT / ".venv": APP, ROOT / "engine" / ".venv": ENGINE}
SECONDS = 300


class NotLookedUp(Exception):
    """A database could not be asked; the message says which."""


class WrongList(ValueError):
    """The list of what is accepted cannot be right; the message says why."""


@dataclass(frozen=True)
class Finding:
    """One known fault of one package: where the package is used, and whether it can be loaded there at all."""

    part: str
    package: str
    version: str
    id: str
    mended_in: str
    loaded: bool = True


def look_up(environment: Path, service: str = "") -> tuple[list[Finding], int]:
    """Known faults of what is installed in an environment, and how many packages were looked up.

    `service` is another address of OSV's interface. Raises NotLookedUp when not all of them could be.
    """
    part = ENVIRONMENTS[environment]
    packages = _packages(environment)
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--strict"]
    command += ["--vulnerability-service", "osv", *(["--osv-url", service] if service else [])]
    for folder in packages:
        command += ["--path", str(folder)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603  # our own words
    try:
        answers = json.loads(found.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise NotLookedUp(f"{part}: {_last(found.stderr)}") from None
    # It passes over what its own Python would not install: a lock that is read so gives "nothing found" of nothing.
    installed = {_normal(each.metadata["Name"]) for each in distributions(path=[str(folder) for folder in packages])}
    if missing := installed - {_normal(each["name"]) for each in answers if "vulns" in each}:
        raise NotLookedUp(f"{part}: {', '.join(sorted(missing))}")
    return list(_findings(part, answers)), len(answers)


def look_up_widget(folder: Path = ROOT / "widget") -> list[Finding]:
    """Known faults of what builds the widget, by its lock. Raises NotLookedUp."""
    command = ["npm", "audit", "--json", "--package-lock-only"]
    try:
        found = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603
        faults: dict[str, Any] = json.loads(found.stdout)["vulnerabilities"]
    except (OSError, ValueError, KeyError):
        raise NotLookedUp(f"{WIDGET}: npm's database did not answer") from None
    return [
        Finding(
            WIDGET,
            name,
            fault["range"],
            via["url"].rsplit("/", 1)[-1],
            "npm audit fix" if fault["fixAvailable"] else "",
        )
        for name, fault in faults.items()
        for via in fault["via"]
        if isinstance(via, dict)  # else it names the package that brings it, which is listed by itself
    ]


def accepted(text: str, today: date) -> dict[tuple[str, str], str]:
    """(package, id) of what is accepted today, and why. Raises WrongList."""
    entries = tomllib.loads(text).get("accepted", [])
    needed = {_normal(line.split("==")[0]) for line in _app_lock().splitlines() if "==" in line}
    kept = {}
    for entry in entries:
        if missing := {"package", "id", "why", "until"} - entry.keys():
            raise WrongList(f"{entry}: {', '.join(sorted(missing))} is missing")
        if _normal(entry["package"]) in needed:
            raise WrongList(f"{entry['package']}: the bot and the actions need it, so nothing of it is accepted")
        if entry["until"] >= today:
            kept[_normal(entry["package"]), entry["id"]] = entry["why"]
    return kept


def refused(findings: list[Finding], accepted: dict[tuple[str, str], str]) -> list[Finding]:
    """What may not stay: findings in what is loaded, that nobody accepted."""
    return [each for each in findings if each.loaded and (_normal(each.package), each.id) not in accepted]


def main() -> int:
    """Look everything up, and print it. Returns 1 when something is refused, or AUDIT=required cannot be met."""
    console = Console(soft_wrap=True)
    findings: list[Finding] = []
    problems: list[str] = []
    for look in [*(lambda at=at: look_up(at)[0] for at in ENVIRONMENTS), look_up_widget]:
        try:
            findings += look()
        except (NotLookedUp, subprocess.TimeoutExpired) as problem:
            problems.append(str(problem))
    try:
        known = accepted((ROOT / "scripts" / "audit.toml").read_text(encoding="utf-8"), date.today())  # noqa: DTZ011
    except (WrongList, tomllib.TOMLDecodeError) as wrong:
        console.print(f"scripts/audit.toml: {wrong}", markup=False, highlight=False)
        return 1
    bad = refused(findings, known)
    if findings:
        console.print(_table(findings, bad, known))
    for what in problems:
        console.print(f"NOT LOOKED UP: {what}", markup=False, highlight=False)
    looked_up = "all that is locked" if not problems else "what could be looked up"
    console.print(f"Of {looked_up}: {len(findings)} known faults, {len(bad)} not accepted.", highlight=False)
    return 1 if bad or (problems and os.environ.get("AUDIT") == "required") else 0


def _table(findings: list[Finding], bad: list[Finding], known: dict[tuple[str, str], str]) -> Table:
    table = Table("where", "package", "version", "fault", "mended in", "")
    for each in sorted(findings, key=lambda each: (each not in bad, each.part, each.package, each.id)):
        why = known.get((_normal(each.package), each.id), "" if each.loaded else "the serving engine does not load it")
        verdict = "[red]not accepted[/red]" if each in bad else why
        table.add_row(each.part, each.package, each.version, each.id, each.mended_in, verdict)
    return table


def _findings(part: str, answers: list[dict[str, Any]]) -> Iterator[Finding]:
    app = {_normal(line.split("==")[0]) for line in _app_lock().splitlines() if "==" in line}
    loaded = set((ROOT / "engine" / "loaded.txt").read_text(encoding="utf-8").split())
    for each in answers:
        name = _normal(each["name"])
        where = TOOLS if part == APP and name not in app else part
        for fault in each["vulns"]:
            mended = ", ".join(fault["fix_versions"])
            yield Finding(where, each["name"], each["version"], fault["id"], mended, part != ENGINE or name in loaded)


def _app_lock() -> str:
    """The lines of the lock that name what the bot and the actions need."""
    project, lock = ((ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "requirements.txt"))
    return "\n".join(line for line in production(project, lock).splitlines() if not line.startswith((" ", "#")))


def _packages(environment: Path) -> list[Path]:
    folders = sorted(environment.glob("lib/python3*/site-packages"))
    if not folders:
        raise NotLookedUp(f"{environment} is not there: make {environment.name}/.stamp")
    return folders


def _normal(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(".", "-")


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].partition("(")[0][:100] if lines else "no answer"


if __name__ == "__main__":
    sys.exit(main())
