"""What is measured: real processes, and the running assistant over its web interface."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import psutil
import pytest

from bench.nothing import SAID
from bench.phrases import phrases
from bench.subjects import Assistant, BenchError, Conversation, Engine, Listener, Subject
from scripts.supervise import Service, ServiceError
from tests.conftest import Running


class Nothing(Subject):
    """The action server that does nothing, as a subject of its own."""

    name = title = "nothing"

    def _services(self, port: int) -> Sequence[Service]:
        command = (sys.executable, "-m", "bench.nothing", str(port))
        return [Service("nothing", command, {}, f"http://127.0.0.1:{port}/health")]

    async def turn(self, conversation: Conversation, text: str) -> float:
        answer = await self._http.post("/webhook", json={"next_action": text})
        assert answer.json() == SAID
        return 0.0


@pytest.fixture
async def nothing(tmp_path: Path) -> AsyncIterator[Nothing]:
    subject = Nothing(tmp_path)
    yield subject
    await subject.stop()


async def test_it_measures_the_memory_and_the_processor_time_of_its_processes(nothing: Nothing) -> None:
    await nothing.start()
    await nothing.turn(await nothing.open(), "action_inform")

    memory = nothing.memory()
    assert list(memory.processes) == ["nothing"]
    assert 5 < memory.total < 500
    assert nothing.cpu() > 0


async def test_no_process_is_left_when_it_stops(nothing: Nothing) -> None:
    await nothing.start()
    (trees,) = nothing._trees().values()

    await nothing.stop()

    assert not [process for process in trees if process.is_running()]
    assert nothing.memory().total == 0


async def test_it_starts_again_after_a_stop(nothing: Nothing) -> None:
    await nothing.start()
    await nothing.stop()

    assert await nothing.start() > 0
    await nothing.turn(await nothing.open(), "action_inform")


async def test_nothing_is_left_when_the_engine_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.subjects.ENGINE_PYTHON", Path("/bin/false"))
    engine = Engine(tmp_path)
    try:
        with pytest.raises(ServiceError, match="engine stopped"):
            await engine.start()
    finally:
        await engine.stop()

    ours = [child for child in psutil.Process().children(recursive=True) if "bench.nothing" in child.cmdline()]
    assert ours == []


async def test_it_times_turns_of_the_running_assistant(waypoint: Running, tmp_path: Path) -> None:
    assistant = Assistant(tmp_path)
    assistant.connect(waypoint.address)
    conversation = await assistant.open()
    try:
        for text, _ in zip(phrases(), range(3), strict=False):
            assert await assistant.turn(conversation, text) > 0
    finally:
        await assistant.close(conversation)
        await assistant.stop()

    assert conversation.turns == 3
    assert sum(assistant.answers.values()) == 3
    assert "" not in assistant.answers


async def test_it_says_so_when_the_stream_breaks_off(waypoint: Running) -> None:
    async with httpx.AsyncClient(base_url=waypoint.address, trust_env=False) as http:
        listener = Listener(http, "no token")

        with pytest.raises(BenchError, match="broke off"):
            await listener.answer(1)
