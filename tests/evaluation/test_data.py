"""Files of messages: what is read, what is refused and how, what is written."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from evaluation import data
from evaluation.data import DataError, Row, fixed_part, unknown, write
from evaluation.topics import ALARMS, TOPICS, Treated

ROOT = Path(__file__).parent.parent.parent
HEADER = b"id\ttext\ttopic\talso\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "messages.tsv"


def read(file: Path, content: bytes) -> list[Row]:
    file.write_bytes(content)
    return data.read(file)


def refusal(file: Path, content: bytes) -> str:
    with pytest.raises(DataError) as refused:
        read(file, content)
    return str(refused.value)


def test_a_row_is_a_message_with_its_right_topics(file: Path) -> None:
    (row,) = read(file, HEADER + b"a\tno, neither\tcontrol.no\tcontrol.skip, signals.none\n")

    assert (row.id, row.text, row.line) == ("a", "no, neither", 2)
    assert row.right == {"control.no", "control.skip"}  # signals.none stands for control.no


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (b"id\ttext\ttopic\na\thello\toos\n", ["hello"]),  # no column `also`
        (HEADER + b"a\thello\toos\nb\tbye\toos\t", ["hello", "bye"]),  # some without it, no newline at the end
        (b"\xef\xbb\xbfID\tText\r\na\thello\r\n\r\n", ["hello"]),  # as other programs write it
        (b"topic\ttext\tid\noos\thello\ta\n", ["hello"]),
        (HEADER + b'a\t"hello\toos\t\nb\t"\toos\t\n', ['"hello', '"']),  # quotes are words
        (HEADER + "a\tone\u2028two\x0bthree\toos\t\n".encode(), ["one\u2028two\x0bthree"]),
        (HEADER + b"a\t\toos\t\n", [""]),
    ],
)
def test_it_reads_what_is_well_formed(file: Path, content: bytes, texts: list[str]) -> None:
    assert [row.text for row in read(file, content)] == texts


def test_a_huge_text_is_cut_where_a_persons_would_be(file: Path) -> None:
    (row,) = read(file, HEADER + b"a\t" + b"x" * 1_000_000 + b"\toos\t\n")

    assert len(row.text) == data.LONGEST_TEXT


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"a\thello", "it has 2 of the 3 columns"),
        (b"a\thello\toos\t\tmore", "no text may hold a tab"),
        (b"\thello\toos\t", "its id is empty"),
        (b"first\thello\toos\t", "the id 'first' stands in line 2 already"),
        (b"a\th\xffllo\toos\t", "it is not UTF-8"),
    ],
)
def test_it_names_the_line_that_is_no_message_and_says_why(file: Path, line: bytes, why: str) -> None:
    refused = refusal(file, HEADER + b"first\thi\toos\t\n" + line + b"\nlast\tbye\toos\t\n")

    assert "\nline 3: " in refused
    assert why in refused
    assert "line 4" not in refused


def test_it_names_ten_such_lines_at_most(file: Path) -> None:
    assert refusal(file, HEADER + b"a\n" * 25).splitlines()[-2:] == [
        "line 11: it has 1 of the 3 columns that it needs at least",
        "and 15 lines more",
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it names: nothing"),
        (b"name\ttext\nx\ty\n", "the columns id and text"),
        (b"id,text,topic\na,b,c\n", "separated by tabs"),
        (b"id\ttext\ttext\na\tb\tc\n", "each once"),
        (b"\xff\xfei\x00d\x00\n", "line 1: the header is not UTF-8"),
        (HEADER, "only a header"),
    ],
)
def test_it_refuses_a_file_without_a_header_or_without_messages(file: Path, content: bytes, why: str) -> None:
    assert why in refusal(file, content)


@pytest.mark.parametrize(("path", "why"), [("missing.tsv", "No such file"), (".", "Is a directory")])
def test_it_refuses_what_is_no_file(tmp_path: Path, path: str, why: str) -> None:
    with pytest.raises(DataError, match=why):
        data.read(tmp_path / path)


def test_it_points_at_labels_that_nothing_can_be_predicted_as() -> None:
    rows = [Row("a", "hi", "control.greet", line=2), Row("b", "hi", "hello", ("oos", "hey"), line=3)]

    found = unknown(rows)

    assert sorted(found) == ["line 3: 'hello' is no topic of the guide", "line 3: 'hey' is no topic of the guide"]


def test_it_writes_a_line_a_message(tmp_path: Path) -> None:
    out = tmp_path / "new" / "predictions.tsv"

    write(out, [Row("a#1", "hi")], [Treated("control.greet", "oos", 0.98765)])

    assert out.read_text("utf-8") == "id\tpredicted\tsecond\tconfidence\na#1\tcontrol.greet\toos\t0.9877\n"
    assert list(out.parent.iterdir()) == [out]


def test_it_says_so_when_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DataError, match="cannot be written"):
        write(tmp_path / "file" / "predictions.tsv", [], [])


def test_the_held_out_messages_are_all_of_topics_of_the_guide() -> None:
    assert unknown(data.read(ROOT / "tests/understanding/heldout.tsv")) == []


def test_the_fixed_part_is_small_and_has_every_topic_and_more_of_the_dangerous_ones() -> None:
    rows = data.read(ROOT / "tests/understanding/heldout.tsv")

    part = fixed_part(rows)

    assert 300 <= len(part) <= 380
    count = Counter(row.topic for row in part)
    assert count.keys() == TOPICS
    assert all(count[alarm] >= 10 for alarm in ALARMS)
    assert [row.id for row in part] == [row.id for row in fixed_part(rows)]
