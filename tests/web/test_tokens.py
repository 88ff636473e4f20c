"""Session tokens of the website."""

from __future__ import annotations

import pytest

from bot.tokens import LIFETIME, RENEWABLE, TokenExpired, TokenInvalid, Tokens

NOW = 1_800_000_000


def tokens(at: int = NOW, secret: str = "one secret") -> Tokens:  # noqa: S107
    return Tokens(secret, now=lambda: at)


def test_a_token_says_whose_conversation_it_is_for():
    assert tokens().read(tokens().issue("abc")) == "abc"


def test_a_token_is_good_for_a_day_and_no_longer():
    token = tokens().issue("abc")
    assert tokens(NOW + LIFETIME).read(token) == "abc"
    with pytest.raises(TokenExpired):
        tokens(NOW + LIFETIME + 1).read(token)


def test_an_old_token_can_be_exchanged_for_a_month():
    token = tokens().issue("abc")
    assert tokens(NOW + RENEWABLE).renew(token) == "abc"
    with pytest.raises(TokenExpired):
        tokens(NOW + RENEWABLE + 1).renew(token)


def test_it_refuses_a_token_made_with_another_secret():
    with pytest.raises(TokenInvalid):
        tokens().read(tokens(secret="another").issue("abc"))


def test_it_refuses_a_token_whose_conversation_was_changed():
    token = tokens().issue("abc")
    with pytest.raises(TokenInvalid):
        tokens().read(token.replace("abc", "abd"))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.ü.ß", "\x00", "\ud800", "x" * 10_000])
def test_it_refuses_what_is_no_token(token: str):
    with pytest.raises(TokenInvalid):
        tokens().read(token)


def test_it_refuses_to_work_without_a_secret():
    with pytest.raises(ValueError, match="SECRET_KEY"):
        tokens(secret="")
