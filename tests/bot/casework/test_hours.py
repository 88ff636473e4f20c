"""Working hours: what is written in the settings, and the arithmetic over weekends, holidays, changes of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot.casework.hours import Hours, parse
from bot.settings import SettingsError, load

BERLIN = "Europe/Berlin"
OFFICE = parse(BERLIN, "Mon-Fri 09:00-18:00, Sat 10:00-13:00", "2026-12-24..2027-01-02, 2027-05-01")
MINUTE = timedelta(minutes=1)
NIGHTS = parse(BERLIN, "Mon-Sun 00:00-04:30, Sat-Sun 22:00-24:00")  # open when clocks are changed


def berlin(text: str) -> datetime:
    """A moment as a clock in Berlin shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)


# What is written.


@pytest.mark.parametrize(
    ("at", "there"),
    [
        ("2026-11-23T08:59", False),
        ("2026-11-23T09:00", True),
        ("2026-11-23T17:59", True),
        ("2026-11-23T18:00", False),
        ("2026-11-28T12:59", True),  # a Saturday
        ("2026-11-28T13:00", False),
        ("2026-11-29T12:00", False),  # a Sunday
        ("2026-12-24T12:00", False),
        ("2027-01-02T12:00", False),
        ("2027-01-04T12:00", True),
    ],
)
def test_the_desk_is_open_when_its_week_says_so_and_no_holiday_does_not(at: str, there: bool) -> None:
    assert OFFICE.is_open(berlin(at)) is there


def test_hours_are_those_of_the_desks_own_time_zone() -> None:
    manila = parse("Asia/Manila", "Mon-Fri 09:00-18:00")
    assert manila.is_open(datetime(2026, 11, 23, 1, 0, tzinfo=UTC))
    assert not manila.is_open(datetime(2026, 11, 23, 10, 0, tzinfo=UTC))


def test_days_may_be_written_out_run_over_sunday_and_have_a_pause() -> None:
    hours = parse("UTC", "saturday - MON 9:00-12:00, Sat-Mon 13:00-24:00")
    assert [bool(spans) for spans in hours.week] == [True, False, False, False, False, True, True]
    assert hours.week[0] == ((540, 720), (780, 1440))


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("DESK_TIMEZONE", "Berlin", "no time zone 'Berlin'"),
        ("DESK_HOURS", "9 to 5", "cannot read '9 to 5'"),
        ("DESK_HOURS", "Mon-Fri 09:00-18:00 Sat 10:00-13:00", "cannot read"),
        ("DESK_HOURS", "Mon-Fry 09:00-18:00", "'fry' is no day"),
        ("DESK_HOURS", "Mon 09:00-25:00", "25:00 is no time of day"),
        ("DESK_HOURS", "Mon 09:75-10:00", "09:75 is no time of day"),
        ("DESK_HOURS", "Mon 18:00-09:00", "ends before it begins"),
        ("DESK_HOURS", "Mon-Fri 09:00-18:00, Wed 10:00-12:00", "two spans of Wednesday overlap"),
        ("DESK_HOLIDAYS", "24.12.2026", "cannot read '24.12.2026'"),
        ("DESK_HOLIDAYS", "2026-02-30", "cannot read '2026-02-30'"),
        ("DESK_HOLIDAYS", "2027-01-02..2026-12-24", "must end on a later day"),
        ("DESK_HOLIDAYS", "2026-01-01..2026-12-31, 2027-01-01..2027-12-31", "730 days"),
        ("DESK_ANSWER_HOURS", "0", "desk_answer_hours"),
        ("DESK_URGENT_MINUTES", "never", "desk_urgent_minutes"),
    ],
)
def test_a_setting_that_cannot_be_read_stops_the_start_and_says_why(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: str, told: str
) -> None:
    monkeypatch.setenv("DESK_HOURS", "Mon-Fri 09:00-18:00")
    monkeypatch.setenv(setting, value)
    monkeypatch.setenv("SECRET_KEY", "a key that nobody may read")
    with pytest.raises(SettingsError) as error:
        load()
    assert told in str(error.value)
    assert "nobody may read" not in str(error.value)


def test_holidays_without_hours_are_a_mistake_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_HOLIDAYS", "2026-12-24")
    with pytest.raises(SettingsError, match="DESK_HOLIDAYS is set without DESK_HOURS"):
        load()


def test_the_settings_become_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DESK_TIMEZONE": BERLIN,
        "DESK_HOURS": "Mon-Fri 09:00-18:00",
        "DESK_HOLIDAYS": "2026-12-24 - 2026-12-26",
        "DESK_ANSWER_HOURS": "1.5",
        "DESK_URGENT_MINUTES": "10",
    }.items():
        monkeypatch.setenv(name, value)
    hours = load().hours
    assert hours.zone == ZoneInfo(BERLIN)
    assert hours.holidays == {date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 26)}
    assert (hours.answer, hours.urgent) == (timedelta(minutes=90), timedelta(minutes=10))


# When nobody said when they are there.


def test_without_hours_every_moment_counts_and_there_is_no_opening_to_tell_of() -> None:
    hours, sunday_night = Hours(), datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
    assert not hours.known
    assert hours.is_open(sunday_night)
    assert hours.next_open(sunday_night) == sunday_night
    assert hours.next_close(sunday_night) is None
    assert hours.due(sunday_night) == sunday_night + timedelta(hours=4)


# When an answer is late.


@pytest.mark.parametrize(
    ("since", "due"),
    [
        ("2026-11-23T10:00", "2026-11-23T14:00"),
        ("2026-11-23T06:00", "2026-11-23T13:00"),  # before the desk opens
        ("2026-11-23T16:00", "2026-11-24T11:00"),  # over a night
        ("2026-11-23T14:00", "2026-11-23T18:00"),  # to the last minute
        ("2026-11-27T17:00", "2026-11-28T13:00"),  # Friday to Saturday
        ("2026-11-28T12:00", "2026-11-30T12:00"),  # over a Sunday
        ("2026-12-23T17:00", "2027-01-04T12:00"),  # over the holidays
    ],
)
def test_an_answer_is_late_after_four_hours_of_work(since: str, due: str) -> None:
    assert OFFICE.due(berlin(since)) == berlin(due)


def test_an_urgent_answer_is_late_after_thirty_minutes_at_any_hour() -> None:
    assert OFFICE.due(berlin("2026-12-25T03:00"), urgent=True) == berlin("2026-12-25T03:30")


def test_a_night_on_which_the_clock_goes_back_has_an_hour_more() -> None:
    hours = parse(BERLIN, "Mon-Sun 00:00-06:00", answer=timedelta(hours=7))
    assert hours.due(berlin("2026-10-25T00:00")) == berlin("2026-10-25T06:00")


def test_a_night_on_which_the_clock_goes_forward_has_an_hour_less() -> None:
    hours = parse(BERLIN, "Mon-Sun 00:00-06:00", answer=timedelta(hours=5))
    assert hours.due(berlin("2027-03-28T00:00")) == berlin("2027-03-28T06:00")


def test_an_opening_that_the_clock_skips_does_not_take_place() -> None:
    hours = parse(BERLIN, "Sun 02:00-03:00")
    assert hours.next_open(berlin("2027-03-27T12:00")) == berlin("2027-04-04T02:00")


def test_the_desk_closes_when_no_span_follows_at_once() -> None:
    hours = parse("UTC", "Mon 08:00-24:00, Tue 00:00-06:00, Tue 07:00-08:00")
    assert hours.next_close(datetime(2026, 11, 23, 9, tzinfo=UTC)) == datetime(2026, 11, 24, 6, tzinfo=UTC)


def test_a_desk_that_never_closes_has_no_time_of_closing() -> None:
    assert parse("UTC", "Mon-Sun 00:00-24:00").next_close(datetime(2026, 11, 23, 9, tzinfo=UTC)) is None


# The arithmetic, against a clock on the wall that is looked at every minute.

minutes = st.integers(0, 24 * 4).map(lambda quarter: quarter * 15)
spans = st.lists(st.lists(minutes, min_size=2, max_size=4, unique=True).map(sorted), min_size=7, max_size=7)
moments = st.integers(0, 2 * 365 * 24 * 60).map(lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + minute * MINUTE)


@st.composite
def desks(draw: st.DrawFn) -> Hours:
    """Some desk: any zone, one or two spans a day, days off, a limit."""
    zone = draw(st.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]))
    week = tuple(
        tuple((day[place], day[place + 1]) for place in range(0, len(day) - 1, 2)) if draw(st.booleans()) else ()
        for day in draw(spans)
    )
    assume(any(week))
    first = draw(st.dates(date(2026, 1, 1), date(2027, 12, 31)))
    off = frozenset(first + timedelta(days=number) for number in range(draw(st.integers(0, 9))))
    return Hours(ZoneInfo(zone), week, off, answer=draw(st.integers(1, 600)) * MINUTE)


def on_the_wall(hours: Hours, at: datetime) -> bool:
    """Whether the desk is open, as somebody would say who looks at its clock and its calendar."""
    local = at.astimezone(hours.zone)
    minute = local.hour * 60 + local.minute
    return local.date() not in hours.holidays and any(
        first <= minute < last for first, last in hours.week[local.weekday()]
    )


def clock_changes(hours: Hours, at: datetime, days: int) -> bool:
    """Whether the desk's clock is changed in the days around a moment."""
    looks = [at + timedelta(hours=hour) for hour in range(-24, days * 24 + 24)]
    return len({look.astimezone(hours.zone).utcoffset() for look in looks}) > 1


@given(hours=desks(), at=moments)
def test_the_desk_is_open_as_the_clock_on_the_wall_has_it(hours: Hours, at: datetime) -> None:
    assume(not clock_changes(hours, at, 1))
    assert hours.is_open(at) is on_the_wall(hours, at)


@given(hours=desks(), at=moments)
@example(hours=NIGHTS, at=berlin("2027-03-28T01:59"))
@example(hours=NIGHTS, at=berlin("2026-10-25T00:30"))
def test_nobody_is_there_before_the_next_opening_and_somebody_is_at_it(hours: Hours, at: datetime) -> None:
    opens = hours.next_open(at)
    assert opens >= at
    assert hours.is_open(opens)
    assert hours.next_open(opens) == opens
    assert hours.is_open(at) is (opens == at)
    if opens > at:
        assert not hours.is_open(opens - MINUTE)
        assert hours.next_open(at + (opens - at) / 2) == opens


@given(hours=desks(), at=moments)
def test_somebody_is_there_until_the_desk_closes_and_nobody_then(hours: Hours, at: datetime) -> None:
    at = hours.next_open(at)
    closes = hours.next_close(at)
    if closes is not None:
        assert closes > at
        assert not hours.is_open(closes)
        assert hours.is_open(closes - timedelta(microseconds=1))
        assert hours.is_open(at + (closes - at) / 2)


@given(hours=desks(), at=moments)
@example(hours=NIGHTS, at=berlin("2027-03-27T23:00"))
@example(hours=NIGHTS, at=berlin("2026-10-24T23:00"))
def test_the_working_minutes_up_to_the_limit_are_the_limit(hours: Hours, at: datetime) -> None:
    due = hours.due(at)
    assume(due - at < timedelta(days=15))
    between = int((due - at) / MINUTE)
    assert sum(hours.is_open(at + number * MINUTE) for number in range(between)) * MINUTE == hours.answer


@given(hours=desks(), at=moments, later=st.integers(0, 5_000))
def test_words_that_came_later_are_never_late_sooner(hours: Hours, at: datetime, later: int) -> None:
    assert hours.due(at) <= hours.due(at + later * MINUTE)
