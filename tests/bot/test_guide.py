"""The loader of the guide: what it takes, and what it refuses, each with file, line and id."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import guide as module
from bot.guide import Entry, Guide, GuideError, main, read

SOURCES = """\
guide: {authority: Waypoint, year: 2026, items: [faq.offend_doctor]}
helpline: {authority: A helpline, year: 2026, url: https://helpline.example}
"""


def load(folder: Path, *, sources: str = SOURCES, **languages: str) -> Guide:
    return Guide.load(write(folder, sources=sources, **languages))


def write(folder: Path, *, sources: str = SOURCES, **languages: str) -> Path:
    (folder / "sources.yml").write_text(sources, encoding="utf-8")
    for language, text in languages.items():
        (folder / language).mkdir(exist_ok=True)
        (folder / language / "texts.yml").write_text(text, encoding="utf-8")
    return folder


def faults(folder: Path, *, sources: str = SOURCES, **languages: str) -> list[str]:
    return read(write(folder, sources=sources, **languages))[1]


def test_it_loads_labels_lists_and_full_entries(tmp_path: Path) -> None:
    guide = load(
        tmp_path,
        en="""\
choice.yes: "Yes"
steer.greet: [Hello., Hi.]
faq.offend_doctor:
  source: guide.faq.offend_doctor
  args: [code]
  text: Your {code}.
  carer: ["{Person} has {code}."]
  verify: true
""",
    )
    assert guide.languages == ("en",)
    assert guide.ids == {"choice.yes", "steer.greet", "faq.offend_doctor"}
    assert guide.entry("choice.yes").variants == ("Yes",)
    assert guide.entry("steer.greet").variants == ("Hello.", "Hi.")
    entry = guide.entry("faq.offend_doctor")
    assert (entry.variants, entry.carer) == (("Your {code}.",), ("{Person} has {code}.",))
    assert (entry.args, entry.sources, entry.verify) == (frozenset({"code"}), ("guide.faq.offend_doctor",), True)


def test_a_blank_line_makes_a_paragraph_and_line_ends_do_not(tmp_path: Path) -> None:
    guide = load(tmp_path, en="a.b:\n  text: >-\n    One\n    line.\n\n\n    Another.\n")
    assert guide.entry("a.b").variants == ("One line.\n\nAnother.",)


def test_variants_take_turns_and_the_carers_are_used_where_there_are_any() -> None:
    both = Entry("a", ("one", "two"), ("hers",))
    assert [both.text("self", said, {}) for said in range(3)] == ["one", "two", "one"]
    assert both.text("carer", 5, {}) == "hers"
    assert Entry("a", ("one", "two")).text("carer", 1, {}) == "two"


@pytest.mark.parametrize("given", [{}, {"name": "Ann", "other": "x"}])
def test_an_entry_refuses_arguments_that_are_missing_or_unknown(given: dict[str, str]) -> None:
    with pytest.raises(GuideError, match=r"en/a\.yml:3: a\.b takes name"):
        Entry("a.b", ("Hello {name}",), args=frozenset({"name"}), place="en/a.yml:3").text("self", 0, given)


def test_it_cannot_be_changed_once_loaded(tmp_path: Path) -> None:
    guide = load(tmp_path, en="a.b: text\n")
    with pytest.raises(TypeError):
        guide.entries["en"]["a.b"] = Entry("a.b", ("other",))  # type: ignore[index]
    with pytest.raises(AttributeError):
        guide.entry("a.b").id = "other"  # type: ignore[misc]


def test_it_says_which_id_is_missing(tmp_path: Path) -> None:
    with pytest.raises(GuideError, match=r"the guide has no x\.y"):
        load(tmp_path, en="a.b: text\n").entry("x.y")


def test_a_language_that_the_guide_does_not_speak_falls_back_to_english(tmp_path: Path) -> None:
    assert load(tmp_path, en="a.b: text\n").entry("a.b", "zh").variants == ("text",)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a.b: one\na.b: two\n", "texts.yml:2: a.b stands already in"),
        ("a.b: one\nA.B: two\n", "texts.yml:2: 'A.B' is not an id"),
        ("a.b: 7\n", "texts.yml:1: a.b must be a text, a list of texts, or a mapping"),
        ("a.b: ''\n", "texts.yml:1: a.b needs `text`"),
        ("a.b: {carer: x}\n", "texts.yml:1: a.b needs `text`"),
        ("a.b: {text: x, carer: ['']}\n", "texts.yml:1: a.b has an empty or unreadable"),
        ("a.b: {text: x, sauce: y}\n", "texts.yml:1: a.b has unknown keys: sauce"),
        ("a.b:\n  text: x\n  text: y\n", "texts.yml:1: a.b has `text` twice"),
        ("a.b: Hello {name}\n", "texts.yml:1: a.b uses {name}, which `args` does not declare"),
        ("a.b: {text: Hello, args: [name]}\n", "texts.yml:1: a.b declares the argument name and does not use it"),
        ("a.b: {text: 'Hello {person}', args: [person]}\n", "texts.yml:1: a.b declares person"),
        ("a.b: {text: 'Hello {name.__class__}', args: [name]}\n", "texts.yml:1: a.b uses {name.__class__}"),
        ("a.b: {text: 'Hello {name:>99}', args: [name]}\n", "texts.yml:1: a.b formats a placeholder"),
        ("a.b: 'Hello {'\n", "texts.yml:1: a.b has a brace that is not of a placeholder"),
        ("a.b: Hello **you**\n", "texts.yml:1: a.b uses markup"),
        ("a.b: See https://elsewhere.example\n", "texts.yml:1: a.b links to https://elsewhere.example"),
        ("a.b: {text: x, source: guide.faq.nothing}\n", "texts.yml:1: a.b cites guide.faq.nothing"),
        ("a.b: {text: x, source: nobody}\n", "texts.yml:1: a.b cites nobody"),
        ("- a\n- b\n", "texts.yml:1: must be a mapping"),
        ("a.b: x\nc.d: [\n", "cannot be read"),
    ],
)
def test_it_names_what_is_wrong_with_its_place(tmp_path: Path, text: str, fault: str) -> None:
    found = faults(tmp_path, en=text)
    assert any(fault in each for each in found), found


def test_a_link_is_allowed_where_it_is_the_sources_own(tmp_path: Path) -> None:
    assert faults(tmp_path, en="a.b: {text: 'Call: https://helpline.example.', source: helpline}\n") == []


def test_a_translation_must_have_every_id_and_the_same_arguments(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        en="a.b: one\na.c: {text: '{n}', args: [n]}\n",
        de="a.c: eins\na.d: zwei\n",
    )
    assert [fault.split("texts.yml")[1] for fault in found] == [
        ":1: a.c takes other arguments than in en",
        ":2: a.d does not stand in en",
        ":1: a.b has no translation in de",
    ]


def test_every_fault_is_reported_at_once(tmp_path: Path) -> None:
    write(tmp_path, en="a.b: {text: 'Hello {name}', source: nobody}\n")
    with pytest.raises(GuideError) as refusal:
        Guide.load(tmp_path)
    assert len(str(refusal.value).splitlines()) == 2


def test_a_guide_without_english_is_refused(tmp_path: Path) -> None:
    assert any("the folder with the English texts is missing" in fault for fault in faults(tmp_path, de="a.b: eins\n"))


def test_a_source_needs_an_authority_a_year_and_an_address(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, sources="nice: {authority: NICE, year: 2023}\n", en="a.b: x\n")
    assert "sources.yml:1: nice needs `authority`, `year`, and `url`" in fault


def test_the_check_says_what_is_to_be_verified_and_ends_with_zero(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert "to verify before launch" in capsys.readouterr().out


def test_the_check_ends_with_one_and_the_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FOLDER", write(tmp_path, en="a.b: Hello {name}\n"))
    assert main(["check"]) == 1
    assert "texts.yml:1: a.b uses {name}" in capsys.readouterr().err


def test_the_check_explains_its_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
