"""What a message asks besides its main point: "they take her stomach out on friday, and what does all this cost?"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from engine.clauses import Span, plain
from engine.encoder import Vectors

ANSWERED = ("faq.", "service.")  # what the guide answers; all else that is said is noted in other ways
SURE = 0.85  # of a piece that asks it: to answer what nobody asked is worse than to answer half
ENTITY = "question"

_ASKS = re.compile(
    r"(?:and |but |so |also |ok |then |please |plus )*"
    r"(?:what|how|where|when|who|which|why|is|are|do|does|did|can|could|should|would|will|may|must)\b"
)


def find_question(
    text: str, parts: Sequence[Span], labels: Sequence[str], intent: str, read: Vectors
) -> dict[str, Any] | None:
    """The surest question of the guide in a part that does not say the main point, as an entity; or None.

    `read` has a row of the probabilities of the intents `labels` for each part (engine/clauses.py, pieces).
    """
    if len(parts) < 2:
        return None
    main = parts[int(read[:, labels.index(intent)].argmax())]
    best: dict[str, Any] | None = None
    for place, part in enumerate(parts):
        column = int(read[place].argmax())
        sure, label = float(read[place, column]), labels[column]
        apart = part.end <= main.start or main.end <= part.start
        if not apart or label == intent or sure < SURE or not label.startswith(ANSWERED) or not _asks(text, part):
            continue
        if best is None or sure > best["confidence"]:
            best = {"entity": ENTITY, "value": label, "start": part.start, "end": part.end, "confidence": sure}
    return best


def _asks(text: str, part: Span) -> bool:
    return text[part.end : part.end + 1] == "?" or bool(_ASKS.match(plain(part.text)))
