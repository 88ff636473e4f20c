"""Records and their states, in the words of people who look for them in a drawer."""

from __future__ import annotations

import pytest

from engine.records import find_records


def states(text: str) -> list[tuple[str, str | None]]:
    return [(record.value, record.state) for record in find_records(text)]


P, I, B, T, M, O = "pathology", "imaging", "blood_tests", "treatment_summary", "molecular", "operative_notes"  # noqa: E741


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i have the biopsy report", [(P, "have")]),
        ("pathology and bloods I've got, MRI they lost", [(P, "have"), (B, "have"), (I, "lost")]),
        ("path report: yes. scans: on the portal. genetics: waiting", [(P, "have"), (I, "have"), (M, "asked")]),
        ("CT n MRI yes, PET no", [(I, "have"), (I, "have"), (I, "lost")]),
        ("Yup, path + imaging + labs", [(P, "have"), (I, "have"), (B, "have")]),
        ("asked for the blood results, waiting", [(B, "asked")]),
        ("still waiting on the NGS but have everything else", [(M, "asked")]),
        ("the MRI is still at the hospital but they'll copy it", [(I, "asked")]),
        ("we had no operation so none", [(O, "not_for_me")]),
        ("there was no surgery so no", [(O, "not_for_me")]),
        ("no report of operation", [(O, "lost")]),
        ("NO GENETIC TEST WAS DONE", [(M, "not_done")]),
        ("they didn't do PET here, there is no machine", [(I, "not_done")]),
        ("we moved house and the CD got lost", [(I, "lost")]),
        ("doctor does not want to give the pathology report to us", [(P, "lost")]),
        ("only have a discharge summary", [(T, "partly")]),
        ("yes but only the CT, the MRI is on a CD at my cousin's", [(I, "partly"), (I, "have")]),
        ("mutation test i don't know what that is", [(M, "dont_know")]),
        ("patology yes, biospy result here", [(P, "have"), (P, "have")]),
        ("no: PET, genetics", [(I, "lost"), (M, "not_done")]),
    ],
)
def test_each_mention_has_the_state_that_was_said_with_it(text: str, expected: list[tuple[str, str | None]]) -> None:
    assert states(text) == expected


def test_a_record_that_is_only_named_has_no_state() -> None:
    assert states("what is a pathology report?") == [(P, None)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "we have everything",
        "my doctor answers nothing",
        "I am scanning the horizon",
        "yes",
        "no",
        "我妈妈",
    ],
)
def test_what_names_no_record_gives_none(text: str) -> None:
    assert states(text) == []


def test_the_words_are_found_where_they_stand_even_after_odd_letters() -> None:
    text = "İ ✅ Pathology: yes"
    (record,) = find_records(text)
    assert text[record.start : record.end] == "Pathology"


@pytest.mark.parametrize("text", ["no " * 660, "ct and " * 280, "a" * 2_000, "not have the " * 150, ", " * 1_000])
def test_the_longest_message_is_read_to_its_end(text: str) -> None:
    assert all(0 <= record.start < record.end <= len(text) for record in find_records(text))
