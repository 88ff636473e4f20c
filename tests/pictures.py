"""Pictures of pages, kept in docs/pictures: drawn anew with WRITE_PICTURES=1, compared otherwise."""

from __future__ import annotations

import io
import os
from pathlib import Path

from PIL import Image, ImageChops, ImageStat
from playwright.async_api import Page

PICTURES = Path(__file__).resolve().parents[1] / "docs/pictures"
DIFFERENCE = 12.0  # of 255, on average: other fonts and times are forgiven, another layout is not


async def compare(page: Page, name: str, colours: int = 64) -> None:
    """Fail when a page does not look like its picture any more."""
    drawn = Image.open(io.BytesIO(await page.screenshot())).convert("RGB")
    kept = PICTURES / f"{name}.png"
    if os.environ.get("WRITE_PICTURES"):
        drawn.quantize(colours).save(kept, optimize=True)
    before = Image.open(kept).convert("RGB")
    assert drawn.size == before.size
    difference = sum(ImageStat.Stat(ImageChops.difference(drawn, before)).mean) / 3
    assert difference < DIFFERENCE, f"{kept.name} differs by {difference:.1f}: look at it, then draw it anew"
