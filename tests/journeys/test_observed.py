"""What can be observed of the running processes: logs, figures and traces name ids and stages, and nobody's words."""

from __future__ import annotations

import json

import httpx
import pytest

from bot.telemetry import STAGES
from tests.conftest import Running
from tests.journeys.people import until
from tests.journeys.player import Player
from tests.journeys.steps import World

PLANTED = "kzhrbqq"  # in every kind of words that somebody can put in
STEPS = [
    {"write": f"my husband {PLANTED} has pancreatic cancer, two doctors say different things"},
    {"press": "choice.agree"},
    {"press": "choice.carer"},
    {"press": "relation.husband"},
    {"write": "can I talk to a person"},
    {"write": f"Samira {PLANTED}"},
    {"write": f"Arabic {PLANTED}"},
    {"write": "Egypt"},
    {"press": "choice.send"},
    {"topic_sees": PLANTED},
    {"send": {"file": f"{PLANTED}.pdf", "caption": f"the {PLANTED} letter"}},
    {"topic_sees": f"the {PLANTED} letter"},
    {"desk": {"claim": "now", "by": "Mei"}},
    {"expect": "human.joined"},
    {"desk": {"note": f"the family {PLANTED} sounds tired", "by": "Mei"}},
    {"write": f"since yesterday {PLANTED} can hardly breathe"},
    {"topic_sees": f"since yesterday {PLANTED}"},
    {"desk": {"reply": f"Hello {PLANTED}", "to": f"since yesterday {PLANTED}", "by": "Mei"}},
    {"sees": f"Hello {PLANTED}"},
    {"desk": {"close": "now", "by": "Mei"}},
    {"expect": ["human.closed", "close.summary", "resume.open", "close.rate"]},
]


@pytest.mark.parametrize("channel", ["web", "telegram"])
async def test_no_words_of_anybody_are_in_logs_figures_or_traces(channel: str, running: Running, world: World) -> None:
    await Player(world, await world.new_person(channel)).play(STEPS)
    spans = running.collector.spans

    async def arrived() -> bool | None:  # they are sent a moment after they end
        return True if {service for service, *_ in spans} >= {f"waypoint-{one}" for one in PROCESSES} else None

    await until(arrived, "spans of every process")
    async with httpx.AsyncClient(base_url=running.address, trust_env=False) as http:
        metrics = (await http.get("/metrics")).text
    logs = {path.name: path.read_text() for path in running.logs.iterdir()}
    assert {f"{name}.log" for name in PROCESSES} <= set(logs)
    for name, text in {**logs, "metrics": metrics, "spans": str(spans)}.items():
        assert PLANTED not in text.casefold(), name


PROCESSES = ("bot", "engine", "actions")


async def test_words_that_telegram_refuses_and_quotes_are_not_in_the_log(running: Running, world: World) -> None:
    person = await world.new_person("telegram")
    refusal = {"code": 400, "description": f"Bad Request: can't parse entities: {PLANTED}", "chat": int(person.address)}
    async with httpx.AsyncClient(base_url=running.sandbox, trust_env=False) as sandbox:
        (await sandbox.post("/sandbox/faults", json={"method": "sendMessage", **refusal})).raise_for_status()
    await person.write(f"hello {PLANTED}")

    async def logged() -> str | None:
        log = (running.logs / "bot.log").read_text()
        return log if "can't parse entities" in log else None

    assert PLANTED not in await until(logged, "the refusal in the log")


async def test_a_turn_is_one_trace_through_the_three_processes(running: Running, world: World) -> None:
    person = await world.new_person("web")
    await Player(world, person).play([{"write": "will my doctor be offended"}])
    spans = running.collector.spans

    def of_one_turn() -> list[set[str]]:
        traces = {trace for _, trace, name, _ in spans if name == "action_inform"}
        return [{service for service, trace, *_ in spans if trace == each} for each in traces]

    async def whole() -> bool | None:
        return True if {f"waypoint-{one}" for one in PROCESSES} in of_one_turn() else None

    await until(whole, "a trace with spans of all three")


async def test_every_stage_of_a_turn_is_counted(running: Running, world: World) -> None:
    await Player(world, await world.new_person("telegram")).play([{"write": "will my doctor be offended"}])
    async with httpx.AsyncClient(base_url=running.address, trust_env=False) as http:
        metrics = (await http.get("/metrics")).text
    counts = {
        stage: float(line.rsplit(" ", 1)[1])
        for stage in STAGES
        for line in metrics.splitlines()
        if line.startswith(f'waypoint_stage_seconds_count{{stage="{stage}"}}')
    }
    assert set(counts) == set(STAGES)
    assert all(counts.values()), counts


async def test_each_line_of_the_log_is_one_json_object_with_ids(running: Running, world: World) -> None:
    await Player(world, await world.new_person("web")).play([{"write": "long " * 600}])

    async def logged() -> dict[str, str] | None:
        lines = [json.loads(line) for line in (running.logs / "bot.log").read_text().splitlines()]
        return next((line for line in lines if "is long" in line["message"]), None)

    line = await until(logged, "the line that says that a turn is long")
    assert line["turn"] in line["message"]
    assert len(line["case"]) == len(line["conversation"]) == len(line["turn"])
    assert line["level"] == "INFO"
