"""`python -m bot.commands`: write the coordinators' commands into docs/desk.md, from the table that the group uses."""

from __future__ import annotations

import re
from pathlib import Path

from bot.casework.commands import COMMANDS
from bot.guide import Guide

PAGE = Path(__file__).resolve().parent.parent / "docs" / "desk.md"
_BETWEEN = re.compile(r"(<!-- commands: [^\n]*-->\n).*?(<!-- /commands -->)", re.DOTALL)


def table(guide: Guide) -> str:
    """Every command with what it does, as Markdown."""
    rows = ["| command | what it does |", "| --- | --- |"]
    for command in COMMANDS.values():
        usage, does = (guide.entry(say).text("self", 0, {}) for say in (command.usage, command.says))
        who = " (administrators)" if command.administrators else ""
        rows.append(f"| `{usage}` | {does}{who} |")
    return "\n".join(rows) + "\n"


def written(page: str, guide: Guide) -> str:
    """A page with the table in its place. Raises ValueError when it has none."""
    made, places = _BETWEEN.subn(lambda found: f"{found[1]}{table(guide)}{found[2]}", page)
    if places != 1:
        raise ValueError("the page has no place for the commands")
    return made


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8"), Guide.load()), "utf-8")
