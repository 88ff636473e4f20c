"""Finds words for people that stand in code: everything the assistant says stands in guide/, by id.

A string that holds three English words in a row is taken for prose, unless it is plain that nobody in a conversation
reads it. These are not prose: a docstring; what goes into a log; the message of an error or of a refused request;
markup, patterns and policies; a fragment, with a small letter first and no full stop last (a reason for the log,
another program's words that are looked for), unless it is just then being sent.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOOKED_AT = ("bot/journey", "bot/casework", "bot/gateway.py", "bot/dispatch.py", "bot/channels", "actions")

THREE_WORDS = re.compile(r"(?<![\w-])[A-Za-z][a-z']*(?:,? [a-z][a-z']*){2}(?![\w-])")
FRAGMENT = re.compile(r"[a-z][^.!?:\n]*")
NOT_ENGLISH = re.compile(r"^<|\(\?|\\[bswd]|^[a-z-]+ '")  # markup, patterns, policies of a header
LOGGING = {"debug", "info", "warning", "error", "exception", "critical", "log"}
METRICS = {"Counter", "Gauge", "Histogram", "Summary"}
SENDING = {"say", "Say", "put", "post", "deliver", "send", "send_message", "answer"}
ERROR = re.compile(r"(Error|Exception|Away|Refused|Exit)$|^(on_)?error|^refuse|^_gone$|^_no_session$")

Parents = dict[ast.AST, ast.AST]


def main() -> int:
    """Print every finding as file:line; 1 when there are any."""
    found = [finding for place in LOOKED_AT for file in _files(ROOT / place) for finding in prose(file)]
    for file, line, text in found:
        print(f"{file.relative_to(ROOT)}:{line}: words for people belong into guide/: {text!r}", file=sys.stderr)
    return 1 if found else 0


def prose(file: Path) -> Iterator[tuple[Path, int, str]]:
    """(file, line, text) of every string in a file that somebody may be told."""
    tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    errors = _names_of_errors(tree)
    for node in ast.walk(tree):
        text = _text(node)
        if isinstance(parents.get(node), ast.JoinedStr) or not THREE_WORDS.search(text):
            continue
        fragment = FRAGMENT.fullmatch(text) and not _sent(node, parents)
        if not fragment and not NOT_ENGLISH.search(text) and not _excused(node, parents, errors):
            yield file, node.lineno, text  # type: ignore[attr-defined]  # strings have lines


def _files(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]


def _text(node: ast.AST) -> str:
    """The words of a string, or of an f-string with its placeholders left blank."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(value) if isinstance(value, ast.Constant) else "…" for value in node.values)
    return ""


def _excused(node: ast.AST, parents: Parents, errors: set[str]) -> bool:
    """Whether what is done with a string keeps it from people in a conversation."""
    parent = parents.get(node)
    if isinstance(parent, ast.Expr):
        return True  # a docstring
    while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        if isinstance(parent, ast.Raise | ast.Assert):
            return True
        if isinstance(parent, ast.Call):
            name = _name(parent.func)
            if name in LOGGING | METRICS or ERROR.search(name):
                return True
        if isinstance(parent, ast.Dict) and any(_text(key) == "error" for key in parent.keys if key):
            return True  # {"error": …}: the body of a refused request
        if isinstance(parent, ast.Assign | ast.AnnAssign):
            targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
            if any(_name(target) in errors for target in targets):
                return True
        parent = parents.get(parent)
    return False


def _sent(node: ast.AST, parents: Parents) -> bool:
    """Whether a string is handed to something that sends it."""
    while not isinstance(node, ast.stmt):
        node = parents[node]
        if isinstance(node, ast.Call) and _name(node.func) in SENDING:
            return True
    return False


def _names_of_errors(tree: ast.AST) -> set[str]:
    """Names whose values become the message of an error: in a `raise`, as its argument, or on the way there."""
    nodes = list(ast.walk(tree))
    made = [node for node in nodes if isinstance(node, ast.Call) and ERROR.search(_name(node.func))]
    names = {name for node in (*made, *(node for node in nodes if isinstance(node, ast.Raise))) for name in _read(node)}
    assigned = [node for node in nodes if isinstance(node, ast.Assign)]
    while True:
        before = len(names)
        for node in assigned:
            if any(_name(inner) in names for target in node.targets for inner in ast.walk(target)):
                names |= _read(node.value)
        if len(names) == before:
            return names


def _read(node: ast.AST) -> set[str]:
    """The names that are read somewhere in it."""
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load)}


def _name(node: ast.AST) -> str:
    """The last part of a name: `log.info` is info."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


if __name__ == "__main__":
    sys.exit(main())
