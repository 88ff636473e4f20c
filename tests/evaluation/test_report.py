"""What is printed and kept."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, datetime
from xml.etree import ElementTree

from rich.console import Console

from evaluation.data import Row
from evaluation.figures import Judged, of_topics
from evaluation.picture import svg
from evaluation.report import Result, Sheet, html, sheets, show
from evaluation.topics import Treated

SVG = "{http://www.w3.org/2000/svg}"
AT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def judged(topic: str, predicted: str, text: str = "") -> Judged:
    return Judged(Row("id", text, topic), Treated(predicted, "oos", 0.8))


def result(title: str, rows: list[Judged]) -> Result:
    return Result(title, rows, of_topics(rows), [0.010] * len(rows))


ROWS = [judged("oos", "oos")] * 9 + [judged("oos", "service.cost", "<b>pizza</b> [red]")]


def table(made: list[Sheet], title: str) -> dict[str, list[str]]:
    (found,) = (sheet for sheet in made if sheet.title.startswith(title))
    return {row[0]: list(row[1:]) for row in found.rows}


def printed(made: list[Sheet]) -> str:
    console = Console(file=io.StringIO(), width=160)
    show(made, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_each_figure_stands_beside_its_interval_and_its_aim() -> None:
    aims = table(sheets([result("ours", ROWS)]), "Aims")

    assert aims["right topic first"] == ["90.0%", "59.6% to 98.2%", "9 of 10", "≥ 90%", "reached"]
    assert aims["others taken for one of them"][-2:] == ["≤ 2%", "reached"]
    assert aims["emergencies and self-harm recognised"][-2:] == ["≥ 99%", "missed"]  # of none, none was
    assert aims["p95 of one message, one core"][0] == "10.0 ms"


def test_others_stand_beside_ours_on_the_same_figures() -> None:
    made = sheets([result("ours", ROWS), result("theirs", ROWS[8:])])

    assert [sheet.columns for sheet in made if sheet.title.startswith("Beside")] == [("", "ours", "theirs")]
    assert table(made, "Beside")["right topic first"] == ["90.0%", "50.0%"]


def test_alone_it_stands_beside_nobody() -> None:
    assert not [sheet for sheet in sheets([result("ours", ROWS)]) if sheet.title.startswith("Beside")]


def test_the_cross_validation_has_tables_of_its_own() -> None:
    made = sheets([result("ours", ROWS)], [judged("signals.none", "signals.none"), judged("oos", "oos")])

    assert table(made, "5-fold cross-validation over the examples: the aim")["right intent first"][0] == "100.0%"
    assert set(table(made, "5-fold cross-validation over the examples: Recall")) == {"signals.none", "oos"}


def test_a_long_table_is_printed_in_part_and_says_so() -> None:
    text = printed([Sheet("Long", ("name",), [[f"row {number}"] for number in range(40)])])

    assert "row 14" in text
    assert "row 15" not in text
    assert "and 25 more" in text


def test_peoples_words_are_words_and_no_markup() -> None:
    made = sheets([result("ours", ROWS)])

    assert "<b>pizza</b> [red]" in printed(made)
    page = html(made, ROWS, AT)
    assert "&lt;b&gt;pizza&lt;/b&gt; [red]" in page
    assert "<b>" not in page


def test_the_page_needs_nothing_else() -> None:
    page = html(sheets([result("ours", ROWS)]), ROWS, AT)

    assert "02 January 2026" in page
    assert "<td class=reached>reached" in page
    assert not [word for word in ("src=", "href=", "@import", "url(", "<script") if word in page]


def test_the_picture_has_a_cell_for_each_confusion_and_says_what_it_is() -> None:
    picture = ElementTree.fromstring(svg(Counter({("oos", "oos"): 9, ("oos", "service.cost"): 1})))  # noqa: S314

    cells = {cell.findtext(f"{SVG}title"): cell for cell in picture.iter(f"{SVG}rect")}
    assert set(cells) == {"oos → oos: 9 of 10", "oos → service.cost: 1 of 10"}
    right, wrong = (cells[title] for title in sorted(cells, key=str))
    assert right.get("fill") != wrong.get("fill")
    assert float(right.get("fill-opacity", 0)) > float(wrong.get("fill-opacity", 1))
    assert right.get("y") == wrong.get("y")
    assert right.get("x") != wrong.get("x")
