"""The renderer: ids and arguments become blocks, in the voice of the person they are for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.guide import Guide, GuideError, read
from bot.render import Card, Choice, Code, Say, Voice, render, speak

TEXTS = """\
person.self: you
persons.self: your
person.carer: {text: "your {relation}", args: [relation]}
persons.carer: {text: "your {relation}'s", args: [relation]}
relation.brother: brother
relation.relative: relative
state.have: Have it
state.partly: part of it
state.lost: Lost
state.unknown: not asked yet
records.pathology.name: tissue report
records.imaging.name: scan files
choice.yes: "Yes"
choice.named: {text: "yes, {name}", args: [name]}
greet: [Hello., Hi., Good day.]
ask: {text: "Do you have {persons} report?", carer: "Does {person} have the report?"}
owner: "{Person}. {Persons}."
step: {args: [n, total], text: "Question {n} of {total}"}
line: {args: [name, state], text: "{name}: {state}"}
quote: {args: [text], text: "You wrote: {text}"}
heading: {args: [items], text: "Noted:\\n{items}"}
"""

PATIENT = Voice()
BROTHER = Voice("en", "carer", "brother")


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Guide:
    return _guide(tmp_path_factory.mktemp("guide"))


def _guide(folder: Path) -> Guide:
    (folder / "en").mkdir()
    (folder / "en" / "texts.yml").write_text(TEXTS, encoding="utf-8")
    loaded, faults = read(folder)
    assert faults == []
    return loaded


def text(guide: Guide, say: Say, voice: Voice = PATIENT, variant: int = 0) -> str:
    return str(render(guide, say, voice, variant)[0]["text"])


def test_variants_take_turns(guide: Guide) -> None:
    said = [text(guide, Say("greet"), variant=count) for count in range(4)]
    assert said == ["Hello.", "Hi.", "Good day.", "Hello."]


def test_the_person_is_spoken_of_by_the_role_given(guide: Guide) -> None:
    assert text(guide, Say("ask")) == "Do you have your report?"
    assert text(guide, Say("ask"), BROTHER) == "Does your brother have the report?"
    assert text(guide, Say("owner")) == "You. Your."
    assert text(guide, Say("owner"), BROTHER) == "Your brother. Your brother's."


def test_somebody_cared_for_without_a_known_relation_is_a_relative(guide: Guide) -> None:
    assert text(guide, Say("owner"), Voice("en", "carer")) == "Your relative. Your relative's."


def test_an_entry_inside_another_is_spoken_in_the_same_voice(guide: Guide) -> None:
    say = Say("quote", {"text": {"say": "ask"}})
    assert text(guide, say, BROTHER) == "You wrote: Does your brother have the report?"


def test_a_list_becomes_lines_and_a_list_in_it_stands_further_in(guide: Guide) -> None:
    inner = {"say": "heading", "args": {"items": ["one", "two"]}}
    line = {"say": "line", "args": {"name": {"say": "records.imaging.name"}, "state": {"say": "state.lost"}}}
    assert text(guide, Say("heading", {"items": [line, inner]})) == (
        "Noted:\n• scan files: Lost\n• Noted:\n  • one\n  • two"
    )


@given(st.text())
def test_peoples_words_are_never_taken_for_placeholders_or_markup(guide: Guide, words: str) -> None:
    assert text(guide, Say("quote", {"text": words})) == f"You wrote: {words}"


def test_numbers_are_said_as_they_are(guide: Guide) -> None:
    assert text(guide, Say("line", {"name": 3, "state": 12})) == "3: 12"


def test_choices_carry_what_they_mean_and_begin_with_a_capital(guide: Guide) -> None:
    parse = {"intent": "press", "entities": [{"entity": "act", "value": "go"}]}
    say = Say("greet", choices=(Choice("choice.yes", parse), Choice("choice.named", parse, {"name": "Ann"})))
    assert render(guide, say, Voice(), 0)[1] == {
        "type": "choices",
        "choices": [{"label": "Yes", "parse": parse}, {"label": "Yes, Ann", "parse": parse}],
    }


def test_the_checklist_shows_every_record_with_its_state(guide: Guide) -> None:
    say = Say("greet", card=Card("checklist", {"pathology": "partly", "imaging": ""}))
    assert render(guide, say, Voice(), 0) == [
        {
            "type": "checklist",
            "id": "records",
            "title": "Hello.",
            "done": 1,
            "total": 2,
            "items": [
                {"id": "pathology", "label": "Tissue report", "state": "partly", "state_label": "Part of it"},
                {"id": "imaging", "label": "Scan files", "state": "", "state_label": "Not asked yet"},
            ],
        }
    ]


def test_one_question_of_several_says_how_far_one_is(guide: Guide) -> None:
    steps = {"type": "steps", "at": 3, "total": 12}
    assert render(guide, Say("step", {"n": 3, "total": 12}), Voice(), 0)[1:] == [steps]


def test_an_address_comes_as_a_code_beside_the_words_under_the_name_of_where_it_leads(guide: Guide) -> None:
    [_, code] = render(guide, Say("greet", codes=(Code("records.imaging.name", "https://a.example"),)), Voice(), 0)
    assert (code["type"], code["label"]) == ("qr", "Scan files")


@pytest.mark.parametrize("say", [Say("nothing.here"), Say("greet", {"name": "x"}), Say("quote")])
def test_an_unknown_id_or_argument_is_an_error(guide: Guide, say: Say) -> None:
    with pytest.raises(GuideError):
        render(guide, say, Voice(), 0)


def test_an_unknown_id_inside_another_is_an_error(guide: Guide) -> None:
    with pytest.raises(GuideError, match=r"nothing\.here"):
        speak(guide, "quote", {"text": {"say": "nothing.here"}}, Voice())


def test_a_saying_survives_being_stored() -> None:
    choices = (Choice("c", {"intent": "d"}, {"e": "f"}),)
    codes = (Code("h", "https://i.example"),)
    say = Say("a", {"n": 1, "x": [{"say": "b"}]}, choices, Card("checklist", {"g": ""}), codes)
    assert Say.from_json(say.to_json()) == say
    assert Say.from_json({"say": "a"}) == Say("a")
