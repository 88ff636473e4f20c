"""A person's words as the safety net reads them."""

from __future__ import annotations

import re
import unicodedata


def plain(text: str) -> str:
    """Lower case, plain quotes, no invisible characters, no doubled spaces: what patterns are written for."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return re.sub(r"[^\S\n]+", " ", text.replace("`", "'"))
