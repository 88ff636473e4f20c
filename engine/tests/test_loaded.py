"""Which packages the serving process loads: known faults of the others cannot be reached there (scripts/audit.py)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LIST = ROOT / "engine" / "loaded.txt"
SERVE = """
import asyncio, json, sys
from pathlib import Path
from engine.log import configure
from observe import traces
configure()
traces.configure("waypoint-engine")
from engine.absent import seal, stand_in
stand_in()
from engine.actions import Actions
from engine.dialogue import Dialogue
from engine.server import create
actions = Actions("http://127.0.0.1:1", "secret")
dialogue = Dialogue(Path("models/waypoint.tar.gz"), actions)
seal()
create(dialogue, actions, "secret")
asyncio.run(dialogue.parse("they want surgery on monday and the other hospital says chemo first"))
print(json.dumps([module.__file__ for module in sys.modules.values() if getattr(module, "__file__", None)]))
"""


def loaded() -> list[str]:
    """The distributions whose modules a serving process holds, by their normal names."""
    with_traces = os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    command = [sys.executable, "-W", "ignore", "-c", SERVE]
    found = subprocess.run(command, cwd=ROOT, env=with_traces, capture_output=True, check=True)
    files = set(json.loads(found.stdout.decode().splitlines()[-1]))
    return sorted(
        re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower()
        for each in distributions()
        if any(str(each.locate_file(file)) in files for file in each.files or ())
    )


def test_the_list_of_what_the_serving_engine_loads_is_right() -> None:
    assert LIST.read_text(encoding="utf-8").split() == loaded(), f"write it anew: python -m {__name__}"


if __name__ == "__main__":
    LIST.write_text("\n".join(loaded()) + "\n", encoding="utf-8")
