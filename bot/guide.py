"""The guide: every word the assistant says, by id, one folder a language, loaded once and checked as a whole.

`guide/<language>/*.yml` maps ids to texts, `guide/sources.yml` says where what they tell of health comes from.
`python -m bot.guide check` prints what is wrong, one line each: the file, the line, the id.
"""

from __future__ import annotations

import re
import string
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import yaml

FOLDER = Path(__file__).resolve().parent.parent / "guide"
SOURCES = "sources.yml"
REFERENCE = "en"  # the language that every other one must cover
PERSON = frozenset({"person", "persons", "Person", "Persons"})  # filled in by the renderer, in every text

_ID = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
_LINK = re.compile(r"(?:https?://|tel:|mailto:|www\.)[^\s,;)]*[^\s,;).]", re.IGNORECASE)
_MARKUP = re.compile(r"\*\*|__|</?[a-z]+>|\]\(|`|^#+ ", re.MULTILINE)
_ENTRY_KEYS = frozenset({"text", "carer", "args", "source", "verify"})
_SOURCE_KEYS = frozenset({"authority", "title", "url", "year", "items", "verify"})


class GuideError(ValueError):
    """Something in the guide is wrong, or something that it lacks was asked for."""


@dataclass(frozen=True)
class Entry:
    """What is said under one id: variants, those for somebody who asks for another, and where it comes from.

    `verify` marks what has to be looked at once more before launch (a telephone number, a local custom).
    """

    id: str
    variants: tuple[str, ...]
    carer: tuple[str, ...] = ()
    args: frozenset[str] = frozenset()
    sources: tuple[str, ...] = ()
    verify: bool = False
    place: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """Every wording."""
        return (*self.variants, *self.carer)

    def text(self, role: str, variant: int, args: Mapping[str, str]) -> str:
        """One variant with its arguments filled in. Raises GuideError when an argument is missing or unknown."""
        if wrong := [*(set(args) - self.args - PERSON), *(self.args - set(args))]:
            raise GuideError(f"{self.place}: {self.id} takes {_listed(self.args)}, not as given: {_listed(wrong)}")
        variants = self.carer if role == "carer" and self.carer else self.variants
        return variants[variant % len(variants)].format_map(args)


@dataclass(frozen=True)
class Source:
    """An authority: who says it, where it can be read, of which year; for the guide itself, the items it has."""

    id: str
    authority: str
    title: str
    url: str
    year: str
    items: frozenset[str]
    verify: bool


@dataclass(frozen=True)
class Guide:
    """All entries of all languages."""

    entries: Mapping[str, Mapping[str, Entry]]
    sources: Mapping[str, Source]

    @classmethod
    def load(cls, path: Path | str = FOLDER) -> Guide:
        """Load and check a guide's folder. Raises GuideError with every fault, one a line."""
        guide, faults = read(Path(path))
        if faults:
            raise GuideError("\n".join(faults))
        return guide

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages' codes."""
        return tuple(self.entries)

    @property
    def ids(self) -> frozenset[str]:
        """All ids."""
        return frozenset(self.entries[REFERENCE])

    def entry(self, say: str, lang: str = REFERENCE) -> Entry:
        """The entry of an id, in English where the guide does not speak the language. Raises GuideError."""
        try:
            return self.entries.get(lang, self.entries[REFERENCE])[say]
        except KeyError:
            raise GuideError(f"the guide has no {say}") from None


def read(folder: Path) -> tuple[Guide, list[str]]:
    """A guide's folder, and everything that is wrong with it."""
    faults: list[str] = []
    sources = _sources(folder / SOURCES, faults) if (folder / SOURCES).is_file() else {}
    languages = sorted(child.name for child in folder.iterdir() if child.is_dir()) if folder.is_dir() else []
    entries = {language: MappingProxyType(_language(folder / language, faults)) for language in languages}
    if REFERENCE not in entries:
        faults.append(f"{folder / REFERENCE}: the folder with the English texts is missing")
        entries[REFERENCE] = MappingProxyType({})
    guide = Guide(MappingProxyType(entries), MappingProxyType(sources))
    faults += _faults(guide)
    return guide, faults


# Reading.


class _Pair(NamedTuple):
    key: Any
    value: Any
    place: str


def _pairs(file: Path, faults: list[str]) -> Iterator[_Pair]:
    """What a file maps to what, each with its place. Composed first: YAML itself keeps the last of two equal keys."""
    name = _short(file)
    try:
        loader = yaml.CSafeLoader(file.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            faults.append(f"{name}:1: must be a mapping from ids to texts")
            return
        for key_node, node in root.value:
            key = loader.construct_object(key_node, deep=True)
            place = f"{name}:{key_node.start_mark.line + 1}"
            inner = [each.value for each, _ in node.value] if isinstance(node, yaml.MappingNode) else []
            for twice in sorted({each for each in inner if inner.count(each) > 1}):
                faults.append(f"{place}: {key} has `{twice}` twice")
            yield _Pair(key, loader.construct_object(node, deep=True), place)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        place = f"{name}:{mark.line + 1 if mark else 1}"
        faults.append(f"{place}: cannot be read: {' '.join(str(error).split())}")


def _language(folder: Path, faults: list[str]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for file in sorted(folder.glob("*.yml")):
        for say, value, place in _pairs(file, faults):
            if not isinstance(say, str) or not _ID.fullmatch(say):
                faults.append(f"{place}: {say!r} is not an id: lower case letters, digits, _ and dots")
            elif say in entries:
                faults.append(f"{place}: {say} stands already in {entries[say].place}")
            elif isinstance(entry := _entry(say, value, place), str):
                faults.append(f"{place}: {say} {entry}")
            else:
                entries[say] = entry
    return entries


def _entry(say: str, value: Any, place: str) -> Entry | str:
    """The entry, or what is wrong with it."""
    if isinstance(value, str | list):
        value = {"text": value}
    if not isinstance(value, dict):
        return f"must be a text, a list of texts, or a mapping with {_listed(_ENTRY_KEYS)}"
    if unknown := set(value) - _ENTRY_KEYS:
        return f"has unknown keys: {_listed(unknown)}"
    variants, carer = _strings(value.get("text")), _strings(value.get("carer", []))
    args, sources = _strings(value.get("args", [])), _strings(value.get("source", []))
    if not variants:
        return "needs `text`: a text, or a list of them"
    if carer is None or args is None or sources is None:
        return "has an empty or unreadable `carer`, `args` or `source`: a text, or a list of them"
    return Entry(say, variants, carer, frozenset(args), sources, value.get("verify") is True, place)


def _sources(file: Path, faults: list[str]) -> dict[str, Source]:
    sources = {}
    for key, value, place in _pairs(file, faults):
        if not isinstance(key, str) or not isinstance(value, dict) or set(value) - _SOURCE_KEYS:
            faults.append(f"{place}: {key} must be a mapping with {_listed(_SOURCE_KEYS)}")
        elif not value.get("authority") or not value.get("year") or not (value.get("url") or value.get("items")):
            faults.append(f"{place}: {key} needs `authority`, `year`, and `url` (or `items`, for the guide itself)")
        elif key in sources:
            faults.append(f"{place}: {key} stands twice")
        else:
            named = {name: str(value.get(name, "")) for name in ("authority", "title", "url", "year")}
            items = frozenset(_strings(value.get("items", [])) or ())
            sources[key] = Source(id=key, items=items, verify=value.get("verify") is True, **named)
    return sources


def _strings(value: Any) -> tuple[str, ...] | None:
    """A text or a list of texts as a tuple; None when it is something else, or a text is empty."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        return None
    return tuple(text.strip() for text in texts)


# Checking.


def _faults(guide: Guide) -> Iterator[str]:
    reference = guide.entries[REFERENCE]
    for language, entries in guide.entries.items():
        for entry in entries.values():
            yield from (f"{entry.place}: {entry.id} {fault}" for fault in _entry_faults(entry, guide.sources))
            if entry.id not in reference:
                yield f"{entry.place}: {entry.id} does not stand in {REFERENCE}"
            elif entry.args != reference[entry.id].args:
                yield f"{entry.place}: {entry.id} takes other arguments than in {REFERENCE}"
        for missing in sorted(set(reference) - set(entries)):
            yield f"{reference[missing].place}: {missing} has no translation in {language}"


def _entry_faults(entry: Entry, sources: Mapping[str, Source]) -> Iterator[str]:
    used: set[str] = set()
    for text in entry.texts:
        try:
            fields = [field for _, *field in string.Formatter().parse(text) if field[0] is not None]
        except ValueError as error:
            yield f"has a brace that is not of a placeholder: {error}"
            continue
        used |= {str(name) for name, _, _ in fields}
        if any(spec or conversion for _, spec, conversion in fields):
            yield "formats a placeholder: only {name} is allowed"
        if _MARKUP.search(text):
            yield "uses markup: texts are plain"
        known = {sources[key].url for key in entry.sources if key in sources}
        for link in _LINK.findall(text):
            if link not in known:
                yield f"links to {link}, which is not the url of its `source`"
    for name in sorted(used - entry.args - PERSON):
        yield f"uses {{{name}}}, which `args` does not declare"
    for name in sorted(entry.args - used):
        yield f"declares the argument {name} and does not use it"
    for name in sorted(entry.args & PERSON):
        yield f"declares {name}, which the renderer fills in itself"
    for key in entry.sources:
        source, _, item = key.partition(".")
        if source not in sources or (item and item not in sources[source].items):
            yield f"cites {key}, which {SOURCES} does not hold"


def _short(file: Path) -> str:
    """The path as somebody in the repository would write it."""
    return str(file.relative_to(FOLDER.parent)) if file.is_relative_to(FOLDER.parent) else str(file)


def _listed(names: Any) -> str:
    return ", ".join(sorted(map(str, names))) or "nothing"


def main(arguments: list[str]) -> int:
    """`python -m bot.guide check`: 0 when the guide is whole."""
    if arguments != ["check"]:
        print("usage: python -m bot.guide check", file=sys.stderr)
        return 2
    guide, faults = read(FOLDER)
    for fault in faults:
        print(fault, file=sys.stderr)
    verify = [*(key for key, source in guide.sources.items() if source.verify)]
    verify += [entry.id for entry in guide.entries[REFERENCE].values() if entry.verify]
    if not faults:
        print(f"{len(guide.ids)} entries in {', '.join(guide.languages)}; to verify before launch: {_listed(verify)}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
