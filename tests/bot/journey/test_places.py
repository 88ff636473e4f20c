"""Countries and time zones out of what people type."""

from __future__ import annotations

import pytest

from bot.journey import places
from tests.bot.conftest import MONDAY  # 09:00 UTC


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Kenya", "KE"), ("kenia", "KE"), (" EGYPT. ", "EG"), ("I live in Egypt", "EG"), ("the Netherlands", "NL"),
        ("u.k.", "GB"), ("England", "GB"), ("U.S.A.", "US"), ("america!", "US"), ("uae", "AE"), ("ksa", "SA"),
        ("Phillipines", "PH"), ("Saudi arabia", "SA"), ("Nigeria", "NG"), ("Niger", "NE"), ("nigria", "NG"),
        ("South Sudan", "SS"), ("I come from south sudan", "SS"), ("Papua New Guinea", "PG"), ("korea", "KR"),
        ("Türkiye", "TR"), ("turkey", "TR"), ("cote d'ivoire", "CI"), ("Viet Nam", "VN"), ("Kazakstan", "KZ"),
        ("España", "ES"), ("Brasil", "BR"), ("Deutschland", "DE"), ("Египет", "EG"), ("مصر", "EG"), ("中国", "CN"),
    ],
)  # fmt: skip
def test_a_country_is_known_by_name_alias_typo_and_own_language(text: str, code: str) -> None:
    found = places.country(text)
    assert found is not None
    assert found[0] == code


@pytest.mark.parametrize("text", ["", "the", "a", "xyzzy", "tell us", "???", "x" * 2_000])
def test_what_is_no_country_is_none(text: str) -> None:
    assert places.country(text) is None


def test_the_name_of_a_country_is_given_in_english() -> None:
    assert places.country("deutschland") == ("DE", "Germany")


@pytest.mark.parametrize(
    ("code", "zone"),
    [
        ("EG", "Africa/Cairo"),
        ("DE", "Europe/Berlin"),
        ("IN", "Asia/Kolkata"),
        ("US", ""),
        ("RU", ""),
        ("XK", ""),
        ("", ""),
    ],
)
def test_a_country_where_all_clocks_agree_has_one_zone(code: str, zone: str) -> None:
    assert places.only_zone(code, MONDAY) == zone


@pytest.mark.parametrize(
    ("text", "code", "zone"),
    [
        ("3:00 am", "US", "America/Chicago"),
        ("4 a.m.", "US", "America/New_York"),
        ("4", "US", "America/New_York"),
        ("1 in the morning", "US", "America/Los_Angeles"),
        ("it is 12:10 here", "RU", "Europe/Moscow"),
        ("19.00", "RU", "Asia/Vladivostok"),
        ("3:20 pm", "", "UTC+06:30"),
        ("14:30", "", "UTC+05:30"),
        ("14h30", "", "UTC+05:30"),
        ("1430", "", "UTC+05:30"),
        ("noon", "", "UTC+03:00"),
        ("09:00", "", "UTC+00:00"),
        ("8 in the evening", "", "UTC+11:00"),
        ("UTC+3", "", "UTC+03:00"),
        ("gmt -5:30", "US", "UTC-05:30"),
        ("Africa/Cairo", "", "Africa/Cairo"),
        ("cairo", "", "Africa/Cairo"),
        ("new york", "US", "America/New_York"),
    ],
)
def test_a_zone_is_read_from_a_clock_a_city_or_an_offset(text: str, code: str, zone: str) -> None:
    found = places.zone_by_clock(text, MONDAY, code)
    assert found is not None
    assert places.local_time(found, MONDAY) == places.local_time(zone, MONDAY)
    assert ("/" in found) == ("/" in zone)


@pytest.mark.parametrize(
    "text", ["", "half past three", "9", "11 o'clock", "25:00", "12:75", "later", "UTC+99", "9" * 400]
)
def test_no_zone_is_guessed_from_what_is_unclear(text: str) -> None:
    assert places.zone_by_clock(text, MONDAY) is None


def test_the_clock_of_a_zone() -> None:
    assert places.local_time("Africa/Cairo", MONDAY) == "11:00"
    assert places.local_time("UTC-05:30", MONDAY) == "03:30"


@pytest.mark.parametrize(
    "zone", ["", "Europe", "America", "../etc/passwd", "/etc/passwd", "x" * 300, "a\0b", "\ud800", "evening"]
)
def test_a_zone_that_is_just_words_has_no_clock_and_breaks_nothing(zone: str) -> None:
    assert places.local_time(zone, MONDAY) == ""
