"""All that is kept about a person as one page of HTML, which needs nothing else to be read. Pure."""

from __future__ import annotations

import base64
import hashlib
import html
import json

from bot.casework.mydata import MyData

DATA_NAME, PAGE_NAME = "my-data.json", "my-data.html"
STYLE = (
    ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:0}"
    "main{max-width:42rem;margin:0 auto;padding:1rem;overflow-wrap:anywhere}"
    "button{font:inherit;padding:.6rem 1.2rem}"
)
# The page's own style, and nothing else: no script, no picture, no other address.
STYLE_HASH = f"'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"


def as_json(mine: MyData) -> bytes:
    """The data for programs."""
    return json.dumps(mine.data, ensure_ascii=False, indent=2).encode()


def as_page(mine: MyData, *, links: bool) -> str:
    """The page; with `links` the files that lie with us can be fetched from it, else they are only named."""
    parts = [f"<h1>{safe(mine.title)}</h1>"]
    if links:
        parts.append(f'<p><a href="data.json" download="{DATA_NAME}">{safe(mine.words["download"])}</a></p>')
        parts.append(f'<p><a href="files.zip" download>{safe(mine.words["all_files"])}</a></p>' if mine.files else "")
    for head, lines in mine.sections:
        parts.append(f"<h2>{safe(head)}</h2>")
        parts += [f"<p>{safe(line)}</p>" for line in lines]
    parts.append(f"<h2>{safe(mine.words['head_files'])}</h2>")
    if not mine.files:
        parts.append(f"<p>{safe(mine.words['no_files'])}</p>")
    for file in mine.files:
        name = safe(file.name)
        if not file.here:
            name = f"{name} · {safe(mine.words['in_your_chat'])}"
        elif links:
            name = f'<a href="files/{safe(file.id)}">{name}</a>'
        parts.append(f"<p>{name}</p>")
    return page(mine.title, "\n".join(parts), mine.lang)


def page(title: str, body: str, lang: str = "en") -> str:
    """A page around a body of HTML."""
    return (
        f'<!doctype html>\n<html lang="{safe(lang)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n'
        f"<title>{safe(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def safe(text: str) -> str:
    """A person's words as text, never as markup, with their line breaks."""
    return html.escape(text).replace("\n", "<br>")
