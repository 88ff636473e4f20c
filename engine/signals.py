"""Finding every signal of the guide that a message mentions, each with the clause that says it.

A person tells many things at once: "they want to take out the whole stomach, nobody explains why and we have to decide
by Friday". So each sentence, each clause and each pair of neighbouring clauses is read by the classifier on its own.
What is wrongly filled in is worse than what is asked again, so only a sure reading counts.
"""

# ruff: noqa: E501 (vocabularies are easier to read and to add to in long lines)

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from engine.clauses import Span, clauses, plain, sentences
from engine.encoder import Vectors

SURE = 0.60  # of a statement; docs/decisions/0003-classifier.md
SURE_IN_QUESTION = 0.80
MOST_READ = 24  # pieces of one message; each costs about 4 ms
FEWEST_WORDS = 2

Read = Callable[[list[str]], Vectors]  # texts to the probabilities of the labels


class Signal(NamedTuple):
    """One signal: said to be there ("yes") or not to be ("no"), by the words at start..end."""

    value: str
    polarity: str
    start: int
    end: int
    confidence: float


# The self-question is a signal when the answer is no.
SELF = "understand_enough"
_OF_INTENT = {"signals.self.no": (SELF, "yes"), "signals.self.yes": (SELF, "no")}

# What people say when a signal is not there. A classifier of meaning hardly sees a "not".
_NOT = r"(?:\bno|\bnot|n'?t|\bnever|\bnobody|\bno one|\bnone|\bnothing|\bwithout)\b"
_ABSENT = {
    "rare_cancer": rf"{_NOT} (?:\w+ ){{0,3}}?(?:rare|unusual|uncommon|strange)|\b(?:common|usual|ordinary|frequent) (?:\w+ ){{0,2}}?(?:cancer|type|kind|form|one|tumou?r|variety)|nothing (?:rare|special|unusual)",
    "major_surgery": rf"{_NOT} (?:\w+ ){{0,4}}?(?:surger(?:y|ies)|operations?|operated|op)\b(?! (?:report|note|record|risk))|(?:small|minor|simple|little|tiny) (?:operation|surgery|procedure)",
    "recurrence_or_resistance": rf"{_NOT} (?:\w+ ){{0,3}}?(?:come back|came back|coming back|relapsed?|recurr\w+|returned|spread|growing|grown)|first (?:time|diagnosis|cancer|treatment)|(?:treatment|chemo|it|drug|medicine)(?: is|'s)? (?:still )?work(?:s|ing)\b|respond(?:s|ing|ed)? (?:well|nicely)|newly diagnosed|stable",
    "conflicting_plans": rf"(?:doctors?|they|both|all|everyone|hospitals?|opinions?|specialists?|team)(?:'s)? (?:\w+ ){{0,4}}?(?:agree[sd]?|same (?:plan|thing|advice|treatment)|in agreement|on the same page|say the same)|only (?:seen|saw|asked|have|had|talked to) (?:one|1) (?:doctor|oncologist|plan|hospital)|one (?:clear )?plan\b|same plan|{_NOT} (?:\w+ ){{0,3}}?(?:disagree\w*|conflict\w*|contradict\w*|different (?:plans?|opinions?))",
    "confusion": rf"{_NOT} (?:\w+ ){{0,2}}?(?:confus\w+|lost|uncertain|unsure)|everything is clear|(?:it'?s|is|was|were|are) (?:all |very |quite |pretty )?clear (?:to|for) (?:us|me|him|her)",
    "unanswered_questions": rf"(?:answer(?:s|ed|ing)?) (?:all|everything|every|each|whatever|any)|(?:all|every|my|our) (?:of )?(?:\w+ )?questions? (?:\w+ ){{0,3}}?(?:answered)(?<!not answered)(?<!n't answered)|always answers|{_NOT} (?:\w+ ){{0,2}}?unanswered|takes? (?:his|her|their|the) time (?:for|with|to)",
    "no_alternatives": r"(?:explained|discussed|gave|offered|told|talked|showed|went) (?:\w+ ){0,4}?(?:all (?:the )?(?:options|alternatives)|other options|alternatives|different options|several options|choices)|(?:told|talked to) (?:us|me) about (?:other|all|different)",
    "symptoms_minimised": r"take[sn]? (?:\w+ ){0,4}?serious(?:ly)?|took (?:\w+ ){0,4}?serious(?:ly)?|(?:they|he|she|doctor|nurse|team)s? (?:always |really |do |does )?listens?\b",
    "no_risk_benefit": r"(?:explained|discussed|told|talked|went|gave|covered|know|understand) (?:\w+ ){0,5}?(?:risks?|side effects|benefits?|pros and cons)",
    "pressured": rf"{_NOT} (?:\w+ ){{0,3}}?(?:pressur\w+|rush\w*|push\w*|hurr\w+|forc\w+)|(?:all the|enough|plenty of) time|take (?:our|your|my|her|his) time|gave (?:us|me|him|her|my \w+) (?:\w+ )?time",
    "confusing_explanations": r"(?:explain(?:s|ed)?) (?:\w+ ){0,4}?(?:well|clearly|simply|nicely|slowly|in (?:simple|plain)|so (?:that )?(?:i|we))|explanations? (?:is|are|was|were) (?:\w+ )?(?:clear|good|easy)|easy to (?:understand|follow)",
}
_ABSENT_OF = {name: re.compile(words) for name, words in _ABSENT.items()}
# "He never took it seriously", "nobody explained the risks": a negation of what would have been an absence.
_DENIED = re.compile(r"(?:\bno|\bnot|n'?t|\bnever|\bnobody|\bno one|\bnone|\bwithout|\bhardly|\bbarely|\brefus\w+|\bwish\w*|\bwant\w*|\bif|\bunless|\bnor|\bsupposed|\bshould|\bcould|\bcan|\bhow)\b(?:\s+\S+){0,4}\s*$")
_NEGATED_INSIDE = {"rare_cancer", "major_surgery", "recurrence_or_resistance", "confusion", "pressured"}
_QUESTION = re.compile(r"^(?:what if|if|is it|is that|is this|do|does|did|should|can|could|would|will|how|when|where|which|who|what|are|am i)\b|\?\s*$")
_SUPPOSED = re.compile(r"\b(?:what if|in case|suppose|imagine|let'?s say|if (?:i|we|he|she|they|it|my|the|two|doctors?|ever|there)|would it|hypothetic\w*|in general|generally)\b")
_OTHERS = re.compile(r"\b(?:my|a|our) (?:neighbou?r|colleague|co-?worker|boss|teacher|hairdresser)(?:'s)?\b|\b(?:i|we) (?:read|heard|saw) (?:about|that|of|on)\b|\bsome(?:one|body) (?:i know|else|in)\b|\bpeople (?:say|who)\b")


def find_signals(text: str, labels: tuple[str, ...], read: Read) -> list[Signal]:
    """The signals that the text mentions, each once, in the order of the text.

    `read` gives the probability of each of `labels` (the intents) for each of some texts.
    """
    pieces = _pieces(text)
    if not pieces:
        return []
    absent = _absent(text)
    probabilities = read([piece.text for piece in pieces])
    best: dict[str, Signal] = {}
    for piece, row in zip(pieces, probabilities, strict=True):
        low = plain(piece.text)
        if _SUPPOSED.search(low) or _OTHERS.search(low):
            continue
        top = int(np.argmax(row))
        value, polarity = _meaning(labels[top])
        sure = SURE_IN_QUESTION if _QUESTION.search(low) else SURE
        if not value or row[top] < sure:
            continue
        if any(one.value == value and one.start < piece.end and piece.start < one.end for one in absent):
            continue
        known = best.get(value)
        if known is None or _better(row[top], piece, known):
            best[value] = Signal(value, polarity, piece.start, piece.end, round(float(row[top]), 3))
    found = list(best.values()) + [one for one in absent if one.value not in best]
    return sorted(found, key=lambda signal: (signal.start, signal.end))


def _meaning(intent: str) -> tuple[str, str]:
    if intent in _OF_INTENT:
        return _OF_INTENT[intent]
    if intent.startswith(("signals.situations.", "signals.dismissal.")):
        return intent.rsplit(".", 1)[1], "yes"
    return "", ""


def _better(confidence: float, piece: Span, known: Signal) -> bool:
    """The surest reading, but the shorter words when it is about as sure: they are what was said."""
    inside = known.start <= piece.start and piece.end <= known.end
    return confidence > known.confidence + (-0.05 if inside else 0.05)


def _absent(text: str) -> list[Signal]:
    found = []
    for sentence in sentences(text):
        if _QUESTION.search(plain(sentence.text)) or _SUPPOSED.search(plain(sentence.text)):
            continue
        for clause in clauses(sentence):
            low = plain(clause.text)
            for name, pattern in _ABSENT_OF.items():
                match = pattern.search(low)
                if match and (name in _NEGATED_INSIDE or not _DENIED.search(low[: match.start()])):
                    found.append(Signal(name, "no", clause.start, clause.end, 0.9))
    seen: set[str] = set()
    return [one for one in found if not (one.value in seen or seen.add(one.value))]  # type: ignore[func-returns-value]


def _pieces(text: str) -> list[Span]:
    """What is read: each sentence, each clause, and each clause with the next."""
    pieces: list[Span] = []
    for sentence in sentences(text):
        parts = clauses(sentence)
        spans = [sentence, *parts] if len(parts) > 1 else [sentence]
        if len(parts) > 2:
            spans += [
                Span(a.start, b.end, text[a.start : b.end]) for a, b in zip(parts, parts[1:], strict=False)
            ]
        pieces += [span for span in spans if len(span.text.split()) >= FEWEST_WORDS]
    return pieces[:MOST_READ]
