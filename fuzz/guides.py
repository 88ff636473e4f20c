"""What an operator edits badly, files of the guide and the desk's hours: each is taken, or refused with sentences."""

from __future__ import annotations

import contextlib
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import strategies as st

from bot.casework.hours import parse
from bot.guide import FOLDER, Guide, GuideError
from fuzz.finding import Findings, Tick, examine
from fuzz.values import SHORT

PIECES = [":", "\n", "  ", "- ", "|-", "{", "}", "[", "]", "*a", "&a ", "!!python/object:os.system", "'", '"', "#", "\t", "null", "~", "{name}", "<<: ", "? ", "---\n", "2026-11-27", "\x00", "\ud800"]  # fmt: skip  # noqa: E501
Edit = tuple[int, int, str]  # where, how much is taken out, what is put in


def office_hours(text: str) -> None:
    """Hours of the desk that cannot be read are refused with a sentence."""
    with contextlib.suppress(ValueError):
        parse("UTC", text, "")
    with contextlib.suppress(ValueError):
        parse("UTC", "Mon-Fri 09:00-18:00", text)


def of_guides(cases: int, start: int, tick: Tick) -> Findings:
    """Two files of the real guide, edited in up to five places."""
    files = {
        "en/welcome.yml": (Path(FOLDER) / "en" / "welcome.yml").read_text(encoding="utf-8")[:3_000],
        "sources.yml": (Path(FOLDER) / "sources.yml").read_text(encoding="utf-8")[:2_000],
    }
    edit = st.tuples(st.integers(0, 3_000), st.integers(0, 40), st.one_of(st.sampled_from(PIECES), SHORT))
    edits = st.tuples(st.sampled_from(sorted(files)), st.lists(edit, min_size=1, max_size=5))
    with TemporaryDirectory(prefix="waypoint-fuzz-") as folder:
        root = Path(folder)
        (root / "en").mkdir()

        def check(value: tuple[str, list[Edit]]) -> None:
            edited, changes = value
            office_hours(changes[0][2])
            for name, text in files.items():
                for where, much, put in changes if name == edited else []:
                    text = text[:where] + put + text[where + much :]
                (root / name).write_bytes(text.encode("utf-8", "surrogatepass"))
            try:
                Guide.load(root)
            except GuideError as error:
                assert str(error).strip(), "a refusal without words"

        return examine(edits, check, cases, start, tick)
