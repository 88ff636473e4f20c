"""The demo page's link to the coordinators' side."""

from __future__ import annotations

import pytest

from bot.channels.web_pages import demo_page


def test_the_coordinators_side_is_linked_to_where_there_is_one_to_see():
    page = demo_page("http://127.0.0.1:8081/", "http://127.0.0.1:8080")
    assert 'href="http://127.0.0.1:8081/sandbox?widget=http%3A%2F%2F127.0.0.1%3A8080" target="_top"' in page
    assert "coordinators" not in demo_page("").split("<h1>")[0]


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "//elsewhere.example", 'http://x/"><script>alert(1)</script>']
)
def test_an_address_that_is_not_one_never_becomes_markup(address: str):
    page = demo_page(address)
    assert "javascript:" not in page
    assert "<script>alert" not in page
    assert 'href="//' not in page
