"""The guide: every word the assistant says, by id, one folder a language, loaded once and checked as a whole.

`python -m bot.guide check` prints what is wrong, one line each: the file, the line, the id.
"""

from __future__ import annotations

import re
import string
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parent.parent / "guide"
SOURCES = "sources.yml"
REFERENCE = "en"  # the language that every other one must cover
KEYS = {"text", "carer", "args", "source"}
PERSON = {"person", "persons", "Person", "Persons"}
_ID = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")


class GuideError(ValueError):
    """Something in the guide is wrong, or something that it lacks was asked for."""


@dataclass(frozen=True)
class Entry:
    """What is said under one id: variants, those for somebody who asks for another, its arguments, its source."""

    id: str
    variants: tuple[str, ...]
    carer: tuple[str, ...]
    args: frozenset[str]
    source: str
    place: str

    def text(self, role: str, variant: int, args: Mapping[str, str]) -> str:
        """One variant with its arguments filled in. Raises GuideError when an argument is missing or unknown."""
        variants = self.carer if role == "carer" and self.carer else self.variants
        unknown = set(args) - self.args - PERSON
        missing = self.args - set(args)
        if unknown or missing:
            what = [f"has no {{{name}}}" for name in sorted(unknown)] + [f"needs {{{name}}}" for name in sorted(missing)]
            raise GuideError(f"{self.place}: {self.id} {', '.join(what)}")
        return variants[variant % len(variants)].format_map(args)


class Guide:
    """All entries of all languages. Immutable once loaded."""

    def __init__(self, entries: Mapping[str, Mapping[str, Entry]], sources: frozenset[str]) -> None:
        self._entries = entries
        self.sources = sources

    @classmethod
    def load(cls, path: Path | str = FOLDER) -> Guide:
        """Load and check a guide's folder. Raises GuideError with every fault, one a line."""
        guide, faults = cls._read(Path(path))
        if faults:
            raise GuideError("\n".join(faults))
        return guide

    @classmethod
    def _read(cls, folder: Path) -> tuple[Guide, list[str]]:
        faults: list[str] = []
        sources = frozenset(_mapping(folder / SOURCES, faults)) if (folder / SOURCES).exists() else frozenset()
        languages = sorted(child.name for child in folder.iterdir() if child.is_dir()) if folder.is_dir() else []
        if REFERENCE not in languages:
            faults.append(f"{folder / REFERENCE}: the folder with the English texts is missing")
        entries = {language: _language(folder / language, faults) for language in languages}
        guide = cls(entries, sources)
        faults += guide._faults()
        return guide, faults

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages' codes."""
        return tuple(self._entries)

    @property
    def ids(self) -> frozenset[str]:
        """All ids."""
        return frozenset(self._entries.get(REFERENCE, {}))

    def entry(self, say: str, lang: str = REFERENCE) -> Entry:
        """The entry of an id, in English where the language does not have it. Raises GuideError."""
        entry = self._entries.get(lang, {}).get(say) or self._entries[REFERENCE].get(say)
        if entry is None:
            raise GuideError(f"the guide has no {say}")
        return entry

    def _faults(self) -> Iterator[str]:
        reference = self._entries.get(REFERENCE, {})
        for language, entries in self._entries.items():
            for entry in entries.values():
                yield from _checked(entry, self.sources)
            for missing in sorted(set(reference) - set(entries)):
                yield f"{reference[missing].place}: {missing} has no translation in {language}"
            for extra in sorted(set(entries) - set(reference)):
                yield f"{entries[extra].place}: {extra} is not in {REFERENCE}"


def _checked(entry: Entry, sources: frozenset[str]) -> Iterator[str]:
    used: set[str] = set()
    for text in (*entry.variants, *entry.carer):
        try:
            used |= {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        except ValueError as error:
            yield f"{entry.place}: {entry.id}: {error}"
    for name in sorted(used - entry.args - PERSON):
        yield f"{entry.place}: {entry.id} uses {{{name}}}, which `args` does not name"
    for name in sorted(entry.args - used):
        yield f"{entry.place}: {entry.id} names the argument {name}, and does not use it"
    if entry.source and not entry.source.startswith("guide.") and entry.source not in sources:
        yield f"{entry.place}: {entry.id} cites {entry.source}, which {SOURCES} does not hold"


def _language(folder: Path, faults: list[str]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for file in sorted(folder.glob("*.yml")):
        lines = _lines(file)
        for say, value in _mapping(file, faults).items():
            place = f"{file}:{lines.get(say, 1)}"
            if not isinstance(say, str) or not _ID.fullmatch(say):
                faults.append(f"{place}: {say!r} is not an id (lower case, digits, _ and dots)")
            elif say in entries:
                faults.append(f"{place}: {say} stands already in {entries[say].place}")
            elif isinstance(entry := _entry(say, value, place), str):
                faults.append(entry)
            else:
                entries[say] = entry
    return entries


def _entry(say: str, value: Any, place: str) -> Entry | str:
    if isinstance(value, str):
        value = {"text": value}
    if not isinstance(value, dict):
        return f"{place}: {say} must be a text, or a mapping with {', '.join(sorted(KEYS))}"
    if unknown := set(value) - KEYS:
        return f"{place}: {say} has unknown keys: {', '.join(sorted(map(str, unknown)))}"
    texts = _texts(value.get("text"))
    carer = _texts(value.get("carer")) if "carer" in value else ()
    args = value.get("args", [])
    if not texts or carer is None:
        return f"{place}: {say} needs `text`: one text or a list of them"
    if not isinstance(args, list) or not all(isinstance(name, str) for name in args):
        return f"{place}: {say}: `args` is a list of names"
    return Entry(say, texts, carer, frozenset(args), str(value.get("source", "")), place)


def _texts(value: Any) -> tuple[str, ...] | None:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        return None
    return tuple(text.strip() for text in texts)


def _mapping(file: Path, faults: list[str]) -> dict[Any, Any]:
    try:
        loaded = yaml.load(file.read_text(encoding="utf-8"), Loader=_OnceOnly)  # noqa: S506  # a safe loader
    except yaml.YAMLError as error:
        faults.append(f"{file}: {error}".replace("\n", " "))
        return {}
    if not isinstance(loaded, dict):
        faults.append(f"{file}: must be a mapping from ids to texts")
        return {}
    return loaded


def _lines(file: Path) -> dict[str, int]:
    """The line of every id, for messages."""
    found = (re.match(r"([a-z0-9_.]+):", line) for line in file.read_text(encoding="utf-8").splitlines())
    return {match[1]: number for number, match in enumerate(found, 1) if match}


class _OnceOnly(yaml.CSafeLoader):
    """Refuses a key that stands twice, which YAML would silently take the last of."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]  # type: ignore[no-untyped-call]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def main(arguments: list[str]) -> int:
    """`python -m bot.guide check`: 0 when the guide is whole."""
    if arguments != ["check"]:
        print("usage: python -m bot.guide check", file=sys.stderr)
        return 2
    guide, faults = Guide._read(FOLDER)
    print("\n".join(faults) or f"{len(guide.ids)} entries in {', '.join(guide.languages)}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
