"""Everything that reads what somebody typed, named or forged, and keeps nothing: one function each, of any text."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable

from pydantic import ValidationError

from bot import safety
from bot.casework.commands import coded, ordered
from bot.casework.inbound import Inbound
from bot.channels import telegram_text, web, web_files
from bot.channels.telegram import clean_text
from bot.channels.web_http import ApiError
from bot.channels.web_http import clean_text as web_text
from bot.tokens import TokenExpired, TokenInvalid, Tokens

_TOKENS = Tokens("a secret of fuzzing alone, long enough")
LIMIT = 4_096  # UTF-16 units of a message of Telegram


def telegram_words(text: str) -> None:
    """Words for Telegram are cut into parts that it takes, lose nothing but space, and call nobody."""
    text = clean_text(text, 20_000)
    parts = telegram_text.parts(text) if text.strip() else []
    assert all(0 < telegram_text.units(part) <= LIMIT for part in parts), "a part is too long, or empty"
    assert "".join("".join(parts).split()) == "".join(text.split()), "words are lost"
    telegram_text.escaped(telegram_text.quiet(text))
    telegram_text.keyboard([{"type": "choices", "choices": [{"id": "x", "label": text}]}])


def red_flags(text: str) -> None:
    """The safety net looks at anything."""
    safety.screen(text)
    safety.screen(text, wary=True)


def commands(text: str) -> None:
    """What a person or a coordinator commands."""
    Inbound("text", text).command  # noqa: B018
    ordered(text)
    coded(text)


def tokens(text: str) -> None:
    """Nobody has a session whose token we did not make."""
    for read in (_TOKENS.read, _TOKENS.renew):
        with contextlib.suppress(TokenInvalid, TokenExpired):
            raise AssertionError(f"somebody is let in as {read(text)}")


def file_names(text: str) -> None:
    """A file's name is short, no path, and a header takes it."""
    name = web_files.clean_name(text)
    assert 0 < len(name) <= web_files.MAX_NAME, "too short or too long"
    assert not set(name) & set("/\\\x00\r\n"), "it leads elsewhere"
    assert name not in (".", ".."), "it is a folder"
    name.encode()
    web_files.safe_type(text)


def messages(text: str) -> None:
    """The body of a message to the website's interface: right, or refused."""
    with contextlib.suppress(ValidationError):
        web.MessageIn.model_validate_json(text)
    with contextlib.suppress(ValidationError):
        web.MessageIn.model_validate_json(json.dumps({"id": text, "text": text, "choice": text}))
    with contextlib.suppress(ApiError):
        web_text(text)


PARSERS: tuple[Callable[[str], None], ...] = (
    telegram_words,
    red_flags,
    commands,
    tokens,
    file_names,
    messages,
)


def every(text: str) -> None:
    """All of them."""
    for one in PARSERS:
        one(text)
