"""Whom a message is about."""

from __future__ import annotations

import pytest

from engine.relations import find_relations


def about(text: str) -> list[str]:
    return [relation.value for relation in find_relations(text)]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("my mother has cancer", "mother"),
        ("its for my dad", "father"),
        ("Hi, husband 58 has glioblastoma", "husband"),
        ("we want 2nd opinion for my father lung ca", "father"),
        ("Mum gets it", "mother"),
        ("my 5 year old daughter has leukemia", "daughter"),
        ("my father in law passed out", "relative"),
        ("my friend's oncologist wrote", "friend"),
        ("brother", "brother"),
    ],
)
def test_the_person_who_is_ill_is_named(text: str, who: str) -> None:
    assert about(text) == [who]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("I'm his daughter", "father"),
        ("I am her son", "mother"),
        ("as his mum I worry", "son"),
        ("I am the wife of a patient", "husband"),
        ("I'm Sam's partner and I do the paperwork", "partner"),
    ],
)
def test_who_says_what_they_are_to_the_patient_names_the_patient_by_it(text: str, who: str) -> None:
    assert about(text) == [who]


@pytest.mark.parametrize(
    "text",
    [
        "MRI is on a CD at my cousin's",
        "my sister asked me to find out",
        "I am the patient",
        "my wife and I both get it",
        "",
    ],
)
def test_those_who_only_help_are_not_who_it_is_about(text: str) -> None:
    assert about(text) == []
