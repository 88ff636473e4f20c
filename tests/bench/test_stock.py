"""The stock assistant: its project, its cache, and what a training says of itself."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from bench import stock
from bench.stock import Training, TrainingError

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return stock.project(ROOT, stock.FEW_EPOCHS)


def put(cache: Path, name: str, count: int, epochs: int) -> None:
    """A trained assistant in the cache."""
    folder = cache / name
    folder.mkdir(parents=True)
    training = Training(count, epochs, seconds=1.0, cpu_seconds=2.0, megabytes=3.0)
    (folder / "training.json").write_text(json.dumps(asdict(training)), "utf-8")


def test_it_learns_from_our_examples_and_our_intents(files: dict[str, str]) -> None:
    ours = {f"data/nlu/{path.name}": path.read_text("utf-8") for path in (ROOT / "data/nlu").glob("*.yml")}

    assert {name: text for name, text in files.items() if name.startswith("data/nlu/")} == ours
    domain, our_domain = yaml.safe_load(files["domain.yml"]), yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))
    assert domain["intents"] == our_domain["intents"]


def test_it_follows_our_rules_with_a_response_for_each_action(files: dict[str, str]) -> None:
    domain = yaml.safe_load(files["domain.yml"])
    flows = [yaml.safe_load(text) for name, text in files.items() if name.startswith("data/stories/")]
    steps = [step for flow in flows for rule in flow["rules"] for step in rule["steps"]]

    assert {step["action"] for step in steps if "action" in step} == set(domain["responses"])
    assert "actions" not in domain
    assert sum(len(flow["rules"]) for flow in flows) == sum(
        len(yaml.safe_load(path.read_text("utf-8"))["rules"]) for path in (ROOT / "data/stories").glob("*.yml")
    )


def test_it_is_what_rasa_takes_when_no_pipeline_is_named() -> None:
    config = yaml.safe_load(stock.project(ROOT, stock.ALL_EPOCHS)["config.yml"])
    rasas = yaml.safe_load((ROOT / stock.ENGINE / stock.DEFAULTS).read_text("utf-8"))

    assert config == rasas | {"assistant_id": "stock"}


def test_fewer_epochs_change_nothing_else(files: dict[str, str]) -> None:
    config, whole = (yaml.safe_load(files["config.yml"]), yaml.safe_load(stock.project(ROOT, 100)["config.yml"]))
    (diet,) = (part for part in config["pipeline"] if part["name"] == "DIETClassifier")

    assert diet["epochs"] == stock.FEW_EPOCHS
    diet["epochs"] = 100
    assert config == whole


def test_rasa_finds_the_project_valid(files: dict[str, str], tmp_path: Path) -> None:
    stock.write(files, tmp_path)

    checked = subprocess.run(
        stock.rasa("data", "validate", "--domain", "domain.yml", "--data", "data"),
        cwd=tmp_path,
        env=stock.environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr[-2000:]


async def test_what_was_trained_on_the_same_files_is_not_trained_again(files: dict[str, str], tmp_path: Path) -> None:
    put(tmp_path, stock.fingerprint(files), 10, stock.FEW_EPOCHS)

    found = await stock.trained(ROOT, tmp_path, pytest.fail, epochs=stock.FEW_EPOCHS)

    assert found.folder == tmp_path / stock.fingerprint(files)


async def test_nearly_as_many_older_examples_will_do(files: dict[str, str], tmp_path: Path) -> None:
    put(tmp_path, "older", round(stock.examples(files) * 0.95), stock.ALL_EPOCHS)

    assert (await stock.trained(ROOT, tmp_path, pytest.fail, epochs=stock.FEW_EPOCHS)).folder == tmp_path / "older"


@pytest.mark.parametrize(
    ("part", "epochs", "why"),
    [(0.5, stock.ALL_EPOCHS, "too few examples"), (1.0, 1, "too few epochs")],
)
async def test_what_is_out_of_date_is_trained_again(
    part: float, epochs: int, why: str, files: dict[str, str], tmp_path: Path
) -> None:
    put(tmp_path, "older", round(stock.examples(files) * part), epochs)

    class Told(Exception):
        pass

    def tell(line: str) -> None:
        raise Told(line)

    with pytest.raises(Told, match="Training the stock assistant"):
        await stock.trained(ROOT, tmp_path, tell, epochs=stock.FEW_EPOCHS)


async def test_a_training_that_fails_says_where_its_log_is_and_how_it_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; print('Epochs: 1\\rEpochs: 2'); sys.exit('no such intent')"]

    with pytest.raises(TrainingError, match=r"train\.log; it ends with: no such intent"):
        await stock.train(command, tmp_path, tmp_path / "train.log", lambda line: None, examples=1)


async def test_a_training_counts_the_processor_time_it_used(tmp_path: Path) -> None:
    busy = "import time\nwhile time.process_time() < 1.5: pass"

    training = await stock.train([sys.executable, "-c", busy], tmp_path, tmp_path / "log", lambda _: None, examples=1)

    assert 0 < training.cpu_seconds <= training.seconds * 2
    assert training.megabytes > 1
