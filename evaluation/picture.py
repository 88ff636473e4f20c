"""The confusions as a picture: a row for each right topic, a column for what it was taken for."""

from __future__ import annotations

from collections import Counter
from xml.sax.saxutils import escape

CELL, LABEL, CHARACTER = 13, 250, 11
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
RIGHT, WRONG, GRID, INK = "#2a6f97", "#c8553d", "#eceef1", "#333a45"


def svg(counts: Counter[tuple[str, str]]) -> str:
    """The picture, as an SVG that needs nothing else. A cell is as dark as its share of the row; it says its count."""
    names = sorted({name for pair in counts for name in pair})
    place = {name: LABEL + number * CELL for number, name in enumerate(names)}
    rows = Counter(topic for topic, _ in counts.elements())
    size = LABEL + len(names) * CELL + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" width="{size}" role="img" '
        f'aria-label="Which topics were taken for which" font-family="{FONT}" font-size="{CHARACTER}" fill="{INK}">',
        f'<text x="6" y="{LABEL - 8}">what it was about ↓ · what it was taken for →</text>',
    ]
    for name, start in place.items():
        middle = start + CELL - 3
        parts += [
            f'<path d="M{LABEL} {start}H{size}M{start} {LABEL}V{size}" stroke="{GRID}"/>',
            f'<text x="{LABEL - 5}" y="{middle}" text-anchor="end">{escape(name)}</text>',
            f'<text transform="translate({middle} {LABEL - 5}) rotate(-90)">{escape(name)}</text>',
        ]
    for (topic, predicted), count in sorted(counts.items()):
        shade = 0.15 + 0.85 * count / rows[topic]
        parts.append(
            f'<rect x="{place[predicted]}" y="{place[topic]}" width="{CELL - 1}" height="{CELL - 1}" '
            f'fill="{RIGHT if topic == predicted else WRONG}" fill-opacity="{shade:.2f}">'
            f"<title>{escape(topic)} → {escape(predicted)}: {count} of {rows[topic]}</title></rect>"
        )
    return "\n".join([*parts, "</svg>"])
