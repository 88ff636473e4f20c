"""Finding whom the conversation is about: "my brother has…", "I'm his daughter"."""

# ruff: noqa: E501 (vocabularies are easier to read and to add to in long lines)
from __future__ import annotations

import re
from typing import NamedTuple

from engine.clauses import plain

RELATIONS = {
    "mother": r"mother|mothers|mom|moms|momma|mommy|mum|mums|mummy|mam|mama|mamma|mami|ma",
    "father": r"father|fathers|dad|dads|daddy|papa|pappa|papi|pa|pop|baba",
    "wife": r"wife|wifes|wifey|misses|missus",
    "husband": r"husband|husbands|hubby|hubbys|husbend|husban",
    "partner": r"partner|partners|spouse|fianc[eé]e?|boyfriend|girlfriend|bf|gf",
    "son": r"sons?|boy|little boy|stepson",
    "daughter": r"daughters?|doughter|daugther|girl|little girl|stepdaughter",
    "child": r"child|childs|kid|kids|baby|toddler|little one",
    "brother": r"brothers?|bro|broter",
    "sister": r"sisters?|sis",
    "grandmother": r"grandmother|grandma|granma|granny|gran|nan|nana|nanna|abuela|babushka",
    "grandfather": r"grandfather|grandpa|granpa|grandad|granddad|grampa|gramps|abuelo",
    "aunt": r"aunt|aunty|auntie|aunts|tante",
    "uncle": r"uncle|uncles",
    "cousin": r"cousins?",
    "friend": r"friends?|best friend|bestie|mate|colleague|neighbou?r",
    "relative": r"relatives?|niece|nephew|grandson|granddaughter|grandchild|father[ -]in[ -]law|mother[ -]in[ -]law|"
    r"(?:brother|sister|son|daughter)[ -]in[ -]law|fil|mil|family member|loved one",
}
_NAMES = "|".join(f"(?P<{name}>(?:{words}))" for name, words in reversed(RELATIONS.items()))  # the longest first
_DESCRIBED = (
    r"(?:(?:dear|beloved|poor|elderly|old|older|elder|eldest|oldest|young|younger|youngest|little|big|twin|best|step|own|"
    r"only|sweet|late|\d{1,2}[ -]?(?:years?|yrs?|yo)?[ -]?(?:old)?)[ -]*)*"
)
# "my brother", "our little girl"; or the bare word where English leaves "my" out: "Mum has", "for dad", "husband 58".
_MINE = re.compile(rf"\b(?:my|our|mine)\s+{_DESCRIBED}(?:{_NAMES})\b(?P<after>.{{0,40}})")
_BARE = re.compile(
    rf"(?:^|(?<=[.!?,;:\n]\s)|(?<=\bfor\s)|(?<=\band\s)|(?<=\bso\s)|(?<=\bmeans\s)|(?<=\bhi\s))(?:the\s+)?{_DESCRIBED}(?:{_NAMES})\b"
    r"(?P<after>(?:'?s)?\s*(?:,|\(|\d|has|had|have|is|was|were|got|gets|went|diagnosed|dx|with|who|finished|started|needs?|"
    r"can'?t|cannot|does|did|will|just|aged?|lung|breast|colon|liver|$).{0,30}|$)"
)
_I_AM = re.compile(
    rf"\b(?:i'?m|i am|im|am|this is|as|me)\s+(?:the\s+|a\s+|an\s+)?(?P<whose>his|her|their|\w+'s|the patient'?s|patient'?s)?\s*"
    rf"{_DESCRIBED}(?:{_NAMES})\b(?P<of>\s+of\b)?(?P<after>.{{0,40}})"
)
# Not whom it is about: "at my cousin's", "my daughter asked", "my wife reads English for me".
_ELSEWHERE = re.compile(r"\b(?:at|from|to|with|by|ask|asked|told|tell|and|via|through)\s+$")
_ACTS = re.compile(
    r"^\s*(?:'s\s+(?:place|house|home|flat|email|phone|car|computer|help)\b|'s\s*(?:$|[.,])|"
    r"(?:said|says|say|told|tells|asked|asks|wants to know|thinks|drove|drives|sat|sits|helps?|helped|has (?:them|it|the|all)|"
    r"keeps|kept|works?|is an? (?:doctor|nurse|lawyer|pharmacist)|can (?:scan|send|translate|help)|translates?|reads|found|"
    r"sent|send|recommended|suggested|printed|took|takes|and (?:i|me)\b))"
)
# What the other is to the speaker: of "I'm his wife" the husband is ill.
_INVERSE = {
    "wife": ("husband", "wife", "husband"),
    "husband": ("husband", "wife", "wife"),
    "partner": ("partner", "partner", "partner"),
    "son": ("father", "mother", "relative"),
    "daughter": ("father", "mother", "relative"),
    "child": ("father", "mother", "relative"),
    "mother": ("son", "daughter", "child"),
    "father": ("son", "daughter", "child"),
    "brother": ("brother", "sister", "relative"),
    "sister": ("brother", "sister", "relative"),
    "grandmother": ("relative", "relative", "relative"),
    "grandfather": ("relative", "relative", "relative"),
    "aunt": ("relative", "relative", "relative"),
    "uncle": ("relative", "relative", "relative"),
    "cousin": ("cousin", "cousin", "cousin"),
    "friend": ("friend", "friend", "friend"),
    "relative": ("relative", "relative", "relative"),
}


class Relation(NamedTuple):
    """Who the patient is to the person who writes, and the words that say so."""

    value: str
    start: int
    end: int


def find_relations(text: str) -> list[Relation]:
    """The people that the text says it is about, each once, in the order of the text."""
    low = plain(text)
    found: list[Relation] = []
    speaking = [match for match in _I_AM.finditer(low) if match["whose"] or match["of"]]
    for match in speaking:
        value, start, end = _named(match)
        whose = {"his": 0, "her": 1}.get(match["whose"] or "", 2)
        found.append(Relation(_INVERSE[value][whose], start, end))
    for pattern in (_MINE, _BARE):
        for match in pattern.finditer(low):
            value, start, end = _named(match)
            if any(other.start() <= start < other.end("after") for other in speaking if other["of"]):
                continue
            aside = _ELSEWHERE.search(low[: match.start()]) if pattern is _MINE else None
            if aside or _ACTS.match(low[end:]):
                continue
            found.append(Relation(value, start, end))
    found.sort(key=lambda relation: relation.start)
    seen: set[str] = set()
    return [relation for relation in found if not (relation.value in seen or seen.add(relation.value))]  # type: ignore[func-returns-value]


def _named(match: re.Match[str]) -> tuple[str, int, int]:
    for name in RELATIONS:
        if match[name]:
            return name, *match.span(name)
    raise AssertionError("a match names somebody")
