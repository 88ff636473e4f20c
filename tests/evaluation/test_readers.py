"""The readers: real processes. A stock Rasa is not started here: its training takes minutes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import stock
from bot.tripwire import examples
from evaluation import data, readers
from evaluation.__main__ import crossed, crossvalidate, main
from evaluation.readers import ReadingError
from evaluation.topics import TOPICS

ROOT = Path(__file__).parent.parent.parent


def test_nlpjs_learns_from_the_same_examples_as_the_others() -> None:
    found = list(examples())

    assert len(found) == stock.examples(stock.project(ROOT, stock.FEW_EPOCHS))
    assert {intent for intent, _ in found} >= TOPICS
    assert all(text for _, text in found)


@pytest.mark.skipif(not (readers.NLPJS / "node_modules").exists(), reason="nlp.js is not installed")
async def test_nlpjs_ranks_what_it_has_learned() -> None:
    ticks: list[None] = []
    examples = [("control.greet", "hello there"), ("control.greet", "hi"), ("service.cost", "what does it cost")]

    found = await readers.nlpjs(["hello", "the cost?\nand\tmore"], lambda: ticks.append(None), examples)

    assert [read.ranking[0][0] for read in found] == ["control.greet", "service.cost"]
    assert [read.intent for read in found] == ["control.greet", "service.cost"]
    assert len(ticks) == 2


def test_it_says_what_is_missing_where_there_is_no_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ReadingError, match=r"needs Node\.js 20 or newer"):
        readers.install_nlpjs()


def test_it_says_so_when_node_is_too_old(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho v18.19.1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ReadingError, match=r"needs Node\.js 20 or newer"):
        readers.install_nlpjs()


async def test_a_cross_validation_that_fails_says_how_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("evaluation.__main__.FOLDS", "engine.no_such_module")

    with pytest.raises(ReadingError, match=r"No module named engine\.no_such_module"):
        await crossvalidate(told.append)


def test_a_line_of_the_cross_validation_is_judged_by_intents() -> None:
    line = '{"text": "none of it", "topic": "signals.none", "predicted": "control.no", "second": "", "confidence": 0.6}'

    assert crossed(1, line).treated.confidence == 0.6
    assert not crossed(1, line).is_right
    assert crossed(1, line.replace("control.no", "signals.none")).is_right


@pytest.mark.parametrize(
    "line", ["{", "{}", '{"text": "a", "topic": "b", "predicted": "c", "second": "d", "confidence": "e"}']
)
def test_a_line_that_is_no_reading_is_named(line: str) -> None:
    with pytest.raises(ReadingError, match="in its line 7"):
        crossed(7, line)


async def test_without_a_model_it_says_how_to_make_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    assert await main([]) == 1
    assert "make train" in capsys.readouterr().out


async def test_a_file_of_messages_becomes_a_file_of_predictions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {
        "words": "how much does it cost",
        "nothing": "",
        "picture": "\N{THUMBS UP SIGN}",
        "command": '/restart{"a": 1}',
        "long": "it came back after the surgery, " * 2_000,
        "odd": "zw\u200bsp \x07 \u2028 \u0645\u0631\u062d\u0628\u0627",
        "danger": "he has a fever of 39 and is shivering after the chemo",
    }
    messages = tmp_path / "messages.tsv"
    rows = [f"{name}\t{text}\toos\t" for name, text in texts.items()]
    messages.write_text("\n".join(["id\ttext\ttopic\talso", *rows]), encoding="utf-8")

    assert await main(["--data", str(messages), "--out", str(tmp_path / "out")]) == 0, capsys.readouterr().out

    header, *lines = (tmp_path / "out/predictions.tsv").read_text("utf-8").splitlines()
    predicted = {line.split("\t")[0]: line.split("\t")[1:] for line in lines}
    assert header.split("\t") == ["id", "predicted", "second", "confidence"]
    assert list(predicted) == list(texts)
    assert {topic for first, second, _ in predicted.values() for topic in (first, second)} <= TOPICS
    assert all(first != second for first, second, _ in predicted.values())
    assert predicted["words"][0] == "service.cost"
    assert predicted["nothing"][0] == "oos"
    assert predicted["danger"][0] == "safety.emergency"
    assert len(data.read(messages)) == len(lines)


async def test_a_file_that_cannot_be_read_ends_it_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await main(["--data", str(tmp_path / "missing.tsv"), "--out", str(tmp_path)]) == 1
    assert "No such file" in capsys.readouterr().out
