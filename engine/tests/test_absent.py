"""The process that serves goes without TensorFlow, and reads the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
READ = """
import asyncio, json, sys
from pathlib import Path
{before}
from engine.actions import Actions
from engine.dialogue import Dialogue
dialogue = Dialogue(Path("models/waypoint.tar.gz"), Actions("http://127.0.0.1:1", "secret"))
{after}
texts = ["it came back after the surgery", "she cannot breathe", "how much does it cost", "\N{PILE OF POO}"]
print(json.dumps([asyncio.run(dialogue.parse(text)) for text in texts]))
print(getattr(sys.modules["tensorflow"], "__file__", None) is None)
"""


def python(code: str) -> list[str]:
    """What a new Python prints."""
    found = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, check=True)
    return found.stdout.decode().splitlines()


def test_a_message_is_read_the_same_with_tensorflow_and_without() -> None:
    lean = READ.format(
        before="from engine.absent import seal, stand_in; stand_in()",
        after="seal()",
    )
    with_it, is_absent_with_it = python(READ.format(before="", after=""))
    without_it, is_absent_without_it = python(lean)
    assert json.loads(without_it) == json.loads(with_it)
    assert (is_absent_with_it, is_absent_without_it) == ("False", "True")


@pytest.mark.parametrize(
    "use", ["tensorflow.constant(1)", "tensorflow.keras.Model", "Layer.from_config", "Layer().call"]
)
def test_whatever_would_compute_with_the_stand_in_fails_and_says_why(use: str) -> None:
    code = f"""
from engine.absent import seal, stand_in
stand_in()
import tensorflow
from tensorflow.keras.layers import Layer
seal()
try:
    {use}
except RuntimeError as error:
    print(error)
"""
    [said] = python(code)
    assert "which this process goes without" in said
