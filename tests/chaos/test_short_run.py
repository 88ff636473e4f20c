"""A short trial with a seed: real processes, killed and hindered while people talk. `make chaos` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.trial import Plan, Trial
from chaos.world import POSTGRES
from scripts.postgres import PostgresMissing, as_its_user, programs


@pytest.fixture
def kind() -> str:
    """PostgreSQL can be killed, too; SQLite where there is none."""
    try:
        programs()
        as_its_user()
    except PostgresMissing:
        return "sqlite"
    return POSTGRES


async def test_nothing_is_lost_doubled_or_out_of_order_while_processes_are_killed(kind: str, tmp_path: Path) -> None:
    # The engine is not among those that are killed: it takes a quarter of a minute to come back.
    lines: list[str] = []
    outcome = await Trial(Plan(kind, kills=5, seed=1, people=3, without=("engine",)), tmp_path, lines.append).run()
    assert outcome.verdict.told() == []
    assert outcome.verdict.is_right
    assert outcome.kills >= 5
    assert all(way.arrived for way in outcome.verdict.ways if way.said)
    assert sum(way.said for way in outcome.verdict.ways) > 30
