"""The check that keeps words for people out of the code: what it finds, and what it lets be."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.prose import LOOKED_AT, ROOT, main, prose

FOUND = [
    'turn.say("handoff.sent", text="We will write to you soon.")',
    'text = f"Thank you, {name}, for your answer."',
    'WORDS = {"yes": "Thank you for telling me."}',
    'send("Please write to us")',
    'turn.say("a.b", text=named("x", words="we will write soon"))',
    'def f():\n    """Says it."""\n    return "You can come back whenever you like."',
]
LET_BE = [
    '"""A module says what it is for."""',
    'def f():\n    """Say the whole truth about it."""',
    'log.info("turn %s is too long", turn)',
    'raise ValueError("This value is far too large.")',
    'raise ApiError(400, "empty", f"Message {n} is empty. Please write something.")',
    'message = "This file is too large."\nraise ApiError(413, "large", message)',
    '_SAID = {1: ("bad", "This could not be read.")}\ncode, message = _SAID[1]\nerror = ApiError(400, code, message)',
    'return_ = JSONResponse({"error": "The shared secret is missing or wrong."})',
    'found = re.compile(r"\\bno more pain\\b")',
    'link = "<a href=x>See the other side</a>"',
    'gone = "message thread not found" in error.message',
    'turn.say("faq.offend_doctor", name="x")',
    'SAID = Counter("messages", "Messages said so far")',
]


def found(tmp_path: Path, code: str) -> list[str]:
    file = tmp_path / "code.py"
    file.write_text(code, encoding="utf-8")
    return [text for _, _, text in prose(file)]


@pytest.mark.parametrize("code", FOUND)
def test_it_finds_words_for_people(tmp_path: Path, code: str) -> None:
    assert len(found(tmp_path, code)) == 1


@pytest.mark.parametrize("code", LET_BE)
def test_it_lets_be_what_nobody_in_a_conversation_reads(tmp_path: Path, code: str) -> None:
    assert found(tmp_path, code) == []


def test_it_says_where(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text('x = 1\ny = "Thank you for writing."\n', encoding="utf-8")
    assert [(file.name, line) for file, line, _ in prose(tmp_path / "code.py")] == [("code.py", 2)]


def test_it_looks_at_code_that_is_there() -> None:
    assert [place for place in LOOKED_AT if not (ROOT / place).exists()] == []


def test_the_code_holds_no_words_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0, capsys.readouterr().err
