"""Values that hurt: words, names and numbers as no person would send them, and some would."""

# ruff: noqa: E501 (a list is easier to read and to add to in long lines)

from __future__ import annotations

from hypothesis import strategies as st

NASTY = [
    "", " ", "\x00", "\u200b", "\u202e/close\u202c", "\ud800", "😀" * 70, "a" * 5_000, "\r\n\r\n", "\x1b[2J", "/", "//", "/start", "/start ", "/start " + "a" * 64,
    "/delete@x", "@", "@a", "EXTERNAL: inform", '/inform{"a": 1}', "<b>", "</b", "&lt;", "&#0;", "<a href='tg://user?id=1'>", "[x](tg://user?id=1)", "{name}", "{0.__class__}", "%s%n",
    "../../etc/passwd", "..\\..\\x", "C:\\x", ".", "..", "a/b", "CON", "-rf", "'; DROP TABLE cases; --", "\u2028", "\u0085", "ﷺ" * 200, "e" + "\u0301" * 500, "1e999", "NaN", "-0",
    "c:", "c:" + "x" * 60, "claim:", "erase:1", "close.helped:x", "WP-2ABC-3DEF", "tomorrow 25:99", "in 99999999999 days", "31 February", "٣ أيام", "I have a fever 39 and shiver",
]  # fmt: skip

TEXT = st.one_of(st.sampled_from(NASTY), st.text(max_size=60), st.text(max_size=400))
SHORT = st.one_of(st.sampled_from(NASTY), st.text(max_size=40))
NUMBERS = st.one_of(
    st.sampled_from([0, 1, -1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 2**70, 1_800_000_000]),
    st.integers(-(2**66), 2**66),
    st.integers(1, 10_000),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.floats(allow_nan=False), SHORT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(SHORT, inner, max_size=4)),
    max_leaves=12,
)
