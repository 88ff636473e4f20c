"""A square code that a phone's camera reads, as data that a page draws: nobody else is asked for a picture of it."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import segno


def block(label: str, text: str) -> dict[str, Any]:
    """A block that shows `text` as a code. `path` draws its dark squares as lines in a field `size` units wide."""
    code = segno.make(text, error="m", micro=False)
    rows = [f"M0 {y}.5{_row(row)}" for y, row in enumerate(code.matrix)]
    return {"type": "qr", "label": label, "size": len(code.matrix), "path": "".join(rows)}


def _row(row: bytearray) -> str:
    """One row: h draws a line to the right, m moves on without one."""
    runs = ((dark, len(list(run))) for dark, run in groupby(row))
    return "".join(f"h{length}" if dark else f"m{length} 0" for dark, length in runs)
