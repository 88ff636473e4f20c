"""The engine's rules as they are written: which decision an intent leads to."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from tests.conftest import ROOT


@cache
def decisions() -> dict[str, str]:
    """Every intent that a rule names, with the action it calls."""
    found: dict[str, str] = {}
    for file in sorted((ROOT / "data" / "stories").glob("*.yml")):
        for rule in yaml.safe_load(file.read_text(encoding="utf-8"))["rules"]:
            heard, action = rule["steps"]
            for step in heard.get("or", [heard]):
                found[step["intent"]] = action["action"]
    return found


@cache
def intents() -> tuple[str, ...]:
    """Every intent of the engine's domain."""
    domain: dict[str, Any] = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    return tuple(domain["intents"])
