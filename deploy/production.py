"""`python deploy/production.py pyproject.toml requirements.txt`: the lock without what only developers use.

The locks hold everything that is installed here, tests and checks included; an image needs less. uv notes under each
package what wants it (`# via`), so whatever is wanted from the project's own dependencies, directly or not, is kept as
it stands, with its hashes.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def production(project: str, lock: str) -> str:
    """The part of a lock (its text) that the dependencies of a project (the text of its pyproject.toml) need."""
    direct = {_normal(spec) for spec in tomllib.loads(project)["project"]["dependencies"]}
    entries = {_normal(entry): entry for entry in re.split(r"\n(?=[A-Za-z0-9])", "\n" + lock) if _NAME.match(entry)}
    wanted_by = {name: {_normal(line) for line in _via(entry)} for name, entry in entries.items()}
    kept: set[str] = set()
    while new := {name for name in entries if name not in kept and (name in direct or wanted_by[name] & kept)}:
        kept |= new
    if missing := direct - kept:
        raise SystemExit(f"Not in the lock: {', '.join(sorted(missing))}. Write it anew: make lock")
    return "\n".join(entry.rstrip() for name, entry in entries.items() if name in kept) + "\n"


def _via(entry: str) -> list[str]:
    """What an entry says that it is wanted by: `# via a`, or one a line below `# via`."""
    comments = [line.strip().lstrip("# ").removeprefix("via").strip() for line in entry.splitlines() if "#" in line]
    return [comment for comment in comments if _NAME.match(comment)]


def _normal(spec: str) -> str:
    """A package's name as it is compared (https://packaging.python.org/en/latest/specifications/name-normalization/)."""
    found = _NAME.match(spec)
    return re.sub(r"[-_.]+", "-", found.group()).lower() if found else ""


if __name__ == "__main__":
    project, lock = (Path(path).read_text(encoding="utf-8") for path in sys.argv[1:3])
    sys.stdout.write(production(project, lock))
