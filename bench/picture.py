"""The p50 of a turn as a picture: a group of bars for each stage, one bar a subject."""

from __future__ import annotations

from xml.sax.saxutils import escape

from bench.report import Report

WIDTH = 760
LABEL = 190  # where the bars begin
VALUE = 80  # kept free for the figure behind the longest bar
BAR, GAP, GROUP_GAP, TOP = 20, 5, 26, 62
COLOURS = ("#8a8f98", "#2a6f97", "#c8553d")
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"


def svg(report: Report) -> str:
    """The picture, as an SVG document that needs nothing else."""
    longest = max(subject.turns[stage].p50 for subject in report.subjects for stage in report.plan.stages)
    scale = (WIDTH - LABEL - VALUE) / longest
    parts: list[str] = []
    y = TOP
    for stage in report.plan.stages:
        parts.append(_text(16, y + 15, f"from turn {stage}", "700"))
        for subject, colour in zip(report.subjects, COLOURS, strict=True):
            p50 = subject.turns[stage].p50
            width = max(1.0, p50 * scale)
            parts.append(f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2" fill="{colour}"/>')
            parts.append(_text(LABEL + width + 8, y + 15, f"{p50:.0f} ms"))
            y += BAR + GAP
        y += GROUP_GAP
    legend = "".join(
        f'<rect x="{x}" y="32" width="12" height="12" rx="2" fill="{colour}"/>' + _text(x + 18, 43, subject.title)
        for x, subject, colour in zip((LABEL, LABEL + 170, LABEL + 310), report.subjects, COLOURS, strict=True)
    )
    title = "One turn, median: less is better"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img" aria-label="{escape(title)}">\n'
        f'<rect width="{WIDTH}" height="{y}" fill="#ffffff"/>\n'
        f'<g font-family="{FONT}" font-size="13" fill="#20242a">\n'
        + "\n".join([_text(16, 22, title, "700"), legend, *parts])
        + "\n</g>\n</svg>\n"
    )


def _text(x: float, y: float, words: str, weight: str = "400") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-weight="{weight}">{escape(words)}</text>'
