"""A short, seeded part of `make fuzz`: nothing is unhandled, nothing is lost, and a fault would be seen."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import strategies as st
from starlette.routing import Mount, Route

from bot.channels import web
from bot.wake import Wake
from fuzz.finding import Findings, Lost, examine
from fuzz.service import OPENAPI
from fuzz.targets import TARGETS, run
from tests.web.conftest import Site

CASES = {"coverage": 2_000, "texts": 300, "choices": 300, "guides": 150, "updates": 150, "requests": 60}


class News:
    """Hears of progress."""

    def __init__(self) -> None:
        self.cases = 0

    def put(self, news: tuple[str, int]) -> None:
        """So many more."""
        self.cases += news[1]


@pytest.mark.parametrize("target", [each.name for each in TARGETS])
def test_nothing_is_unhandled_and_nothing_is_lost(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.targets.KEPT", tmp_path)
    news = News()
    findings, _ = run(target, CASES[target], 7, news)
    assert (findings.unhandled, findings.lost) == ({}, {})
    assert findings.cases == news.cases
    assert findings.cases >= CASES[target] * 0.9  # libFuzzer tells of its tries now and then


def test_a_fault_is_found_with_its_place_and_what_was_tried_and_the_same_seed_finds_it_again() -> None:
    def check(value: int) -> None:
        if value > 1_000:
            raise ZeroDivisionError
        if value < -1_000:
            raise Lost("gone")

    def found(start: int) -> Findings:
        return examine(st.integers(-5_000, 5_000), check, 200, start, lambda count: None)

    first, again = found(1), found(1)
    assert first == again
    [(where, value)] = first.unhandled.items()
    assert where.startswith("ZeroDivisionError at ")
    assert int(value) > 1_000
    assert len(first.lost) == 1


def test_the_parts_of_all_cases_add_up() -> None:
    assert sum(each.share for each in TARGETS) == pytest.approx(1)


@pytest.mark.asyncio(loop_scope="session")
async def test_the_openapi_file_names_the_interface_and_nothing_else(site: Site) -> None:
    routes = web.create_routes(site.casework, Wake(), site.settings)
    [api] = [route for route in routes if isinstance(route, Mount) and route.path == "/api"]
    served = {
        (f"/api{route.path}", method.lower())
        for route in api.routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"
    }
    described = yaml.safe_load(OPENAPI.read_text(encoding="utf-8"))["paths"]
    assert {(path, method) for path, methods in described.items() for method in methods} == served
