"""Codes for a phone's camera: what is drawn is what the library has encoded."""

from __future__ import annotations

import re

import segno

from bot import qr

ADDRESS = "https://t.me/sample_bot?start=aB3-_x9Yz0aB3-_x9Yz0aB3-"


def drawn(block: dict[str, object]) -> list[list[int]]:
    """The squares that a path makes dark."""
    rows = []
    for row in str(block["path"]).split("M0 ")[1:]:
        squares: list[int] = []
        for line, gap in re.findall(r"h(\d+)|m(\d+) 0", row):
            squares += [1] * int(line or 0) + [0] * int(gap or 0)
        rows.append(squares)
    return rows


def test_the_path_draws_the_code_square_by_square() -> None:
    block = qr.block("To Telegram", ADDRESS)
    assert drawn(block) == [list(row) for row in segno.make(ADDRESS, error="m", micro=False).matrix]
    assert block["size"] == len(drawn(block))
    assert block["label"] == "To Telegram"


def test_the_path_holds_no_address_and_nothing_but_lines() -> None:
    assert re.fullmatch(r"(?:M0 \d+\.5(?:h\d+|m\d+ 0)+)+", qr.block("", ADDRESS)["path"])
