"""Checks JSON against the machine-readable Bot API 10.0."""

import json
from pathlib import Path
from typing import Any

SPEC = json.loads((Path(__file__).parent / "bot-api-10.0.json").read_text())
METHODS: dict[str, Any] = SPEC["methods"]
TYPES: dict[str, Any] = SPEC["types"]

# Seconds between 2001 and 2096; milliseconds or ISO strings are outside or no numbers. 0 is "unknown" or "for ever".
PLAUSIBLE_DATES = range(1_000_000_000, 4_000_000_000)


def problems(value: Any, types: list[str], path: str) -> list[str]:
    """What is wrong with a value that should be of one of the types; nothing if it is right."""
    found = [of_type(value, name, path) for name in types]
    return min(found, key=len)


def of_type(value: Any, name: str, path: str) -> list[str]:
    """What is wrong with a value that should be of one type."""
    if name.startswith("Array of "):
        if not isinstance(value, list):
            return [f"{path}: {json.dumps(value)} is no array"]
        inner = name.removeprefix("Array of ")
        return [p for n, item in enumerate(value) for p in of_type(item, inner, f"{path}[{n}]")]
    simple = {"Integer": int, "Float": (int, float), "String": str, "Boolean": bool}.get(name)
    if simple is not None:
        right = isinstance(value, simple) and (name == "Boolean") == isinstance(value, bool)
        return [] if right else [f"{path}: {json.dumps(value)} is no {name}"]
    kind = TYPES[name]
    if kind.get("subtypes"):
        return problems(value, kind["subtypes"], path)
    if not isinstance(value, dict):
        return [f"{path}: {json.dumps(value)} is no {name}"]
    fields = kind["fields"]
    found = [f"{path}.{key}: no field of {name}" for key in value if key not in fields]
    found += [f"{path}.{key}: missing in {name}" for key, f in fields.items() if f["required"] and key not in value]
    for key, inner in value.items():
        if key in fields:
            found += problems(inner, fields[key]["types"], f"{path}.{key}")
        if key in ("date", "edit_date", "last_error_date") and inner not in PLAUSIBLE_DATES and inner != 0:
            found.append(f"{path}.{key}: {inner} is no date in seconds")
    return found


def answer_problems(called: str, status: int, body: Any) -> list[str]:
    """What is wrong with the answer to a call of a method, whose name may be in any case."""
    method = next((name for name in METHODS if name.lower() == called.lower()), called)
    if not isinstance(body, dict) or not isinstance(body.get("ok"), bool):
        return [f"{method}: no ok"]
    if body["ok"] != (status == 200):
        return [f"{method}: ok={body['ok']} with status {status}"]
    if body["ok"]:
        if method not in METHODS:
            return [f"{method}: no method of the Bot API"]
        unknown = [f"{method}: {key} in the answer" for key in body if key not in ("ok", "result")]
        return unknown + problems(body.get("result"), METHODS[method]["returns"], f"{method}.result")
    found = [
        f"{method}: {key} in the refusal" for key in body.keys() - {"ok", "error_code", "description", "parameters"}
    ]
    if body.get("error_code") != status:
        found.append(f"{method}: error_code {body.get('error_code')} with status {status}")
    if not isinstance(body.get("description"), str) or not body["description"]:
        found.append(f"{method}: no description")
    return found + of_type(body.get("parameters", {}), "ResponseParameters", f"{method}.parameters")
