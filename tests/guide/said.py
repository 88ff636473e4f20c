"""Which ids the code says, and with which arguments: read from its syntax."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

# What takes a guide id first. Its other arguments are the entry's, as keywords or as a literal dictionary.
SAYING = {"say", "Say", "named", "words"}
LABELLING = {"press", "button", "topic", "Choice"}
NOT_OF_THE_ENTRY = {"choices", "card", "args"}
PLACEHOLDER = r"[a-z0-9_.]+"


@dataclass(frozen=True)
class Said:
    """One place where code names an entry. `args` is None where they cannot be read from the syntax."""

    place: str
    id: str  # for an f-string a pattern
    exact: bool
    args: frozenset[str] | None


def said(root: Path = ROOT) -> list[Said]:
    """Every place in bot/ and actions/ that names an entry of the guide."""
    found = []
    for file in sorted([*(root / "bot").rglob("*.py"), *(root / "actions").rglob("*.py")]):
        if file.name in ("guide.py", "render.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                found += [Said(f"{file.relative_to(root)}:{node.lineno}", *each) for each in _named(node)]
    return found


def literals(root: Path = ROOT) -> set[str]:
    """Every string in bot/ and actions/: an id may also stand in a table."""
    files = [*(root / "bot").rglob("*.py"), *(root / "actions").rglob("*.py")]
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _named(call: ast.Call) -> Iterator[tuple[str, bool, frozenset[str] | None]]:
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if function in SAYING | LABELLING:
        args = _args(call, function)
        for say, exact in _ids(call.args[0]):
            prefix = "topic." if function == "topic" else ""
            yield (prefix if exact else re.escape(prefix)) + say, exact, args


def _ids(node: ast.expr) -> Iterator[tuple[str, bool]]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value, True
    elif isinstance(node, ast.JoinedStr):
        parts = (re.escape(str(p.value)) if isinstance(p, ast.Constant) else PLACEHOLDER for p in node.values)
        yield "".join(parts), False
    elif isinstance(node, ast.IfExp):
        yield from _ids(node.body)
        yield from _ids(node.orelse)


def _args(call: ast.Call, function: str) -> frozenset[str] | None:
    """The names of the arguments given to the entry."""
    if function in LABELLING or function == "Say":
        position = {"Say": 1, "Choice": 2}.get(function, len(call.args))
        given = call.args[position] if len(call.args) > position else None
        given = next((keyword.value for keyword in call.keywords if keyword.arg == "args"), given)
        if given is None:
            return frozenset()
        return frozenset(ast.literal_eval(key) for key in given.keys if key) if isinstance(given, ast.Dict) else None
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    return frozenset(str(keyword.arg) for keyword in call.keywords if keyword.arg not in NOT_OF_THE_ENTRY)
