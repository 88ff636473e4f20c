"""Every text that people read: the guide's, with each variant and role, the widget's, and the demo page's."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from bot.guide import Guide
from tests.conftest import ROOT

_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"|`([^`]*)`')
_FILLED_IN = re.compile(r"\$\{.*?\}|\$\w+")


class _Visible(HTMLParser):
    """What of a page is shown: no scripts, no styles."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden = self._hidden or (tag if tag in ("script", "style") else "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = "" if tag == self._hidden else self._hidden

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.texts.append(" ".join(data.split()))


def guide_texts(guide: Guide) -> list[tuple[str, str]]:
    """(id, text) of every wording of every entry, for those who are ill and for those who care for them."""
    return [(entry.id, text) for entry in guide.entries["en"].values() for text in entry.texts]


def other_texts() -> list[tuple[str, str]]:
    """(place, text) of the words that stand outside the guide."""
    widget = (ROOT / "widget" / "src" / "strings" / "en.ts").read_text(encoding="utf-8")
    page = _Visible()
    page.feed((ROOT / "bot" / "static" / "demo.html").read_text(encoding="utf-8"))
    found = [("widget", quoted or filled) for quoted, filled in _LITERAL.findall(widget)]
    found += [("demo page", text) for text in page.texts]
    return [(place, _FILLED_IN.sub("", text)) for place, text in found]
