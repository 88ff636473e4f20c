"""deploy/: what it describes is run as processes: two of each behind nginx, on one PostgreSQL."""

from __future__ import annotations

import json
import ssl
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from scripts.stack import Stack, StackMissing

TURNS = ("how do I get a second opinion?", "will my doctor be offended?", "what does it cost?", "is it confidential?")


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    """Everything that the compose file names, running."""
    try:
        stack = Stack(tmp_path / "stack", print)
    except StackMissing as missing:
        pytest.skip(str(missing))
    try:
        await stack.start()
        yield stack
    finally:
        await stack.stop()


async def test_two_of_each_behind_the_proxy_answer_one_person_in_order_and_show_figures_to_nobody_outside(
    stack: Stack,
) -> None:
    trusted = ssl.create_default_context(cafile=stack.folder / "tls" / "fullchain.pem")
    async with httpx.AsyncClient(base_url=stack.address, verify=trusted, trust_env=False, timeout=30) as http:
        for path in ("/metrics", "/readyz", "/healthz"):
            assert (await http.get(path)).status_code == 404
        session = (await http.post("/api/sessions", json={})).raise_for_status().json()
        http.headers["Authorization"] = f"Bearer {session['token']}"
        answered: list[int] = []
        async with http.stream("GET", "/api/events") as stream:
            lines = stream.aiter_lines()
            for words in TURNS:
                message = {"id": str(uuid.uuid4()), "text": words}
                seq = (await http.post("/api/messages", json=message)).raise_for_status().json()["seq"]
                async for line in lines:  # as it comes: a proxy that held it back would keep us here
                    event = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                    if event.get("in_reply_to") == seq and event["role"] == "assistant":
                        answered.append(seq)
                        break
    assert answered == sorted(answered)
    assert len(answered) == len(TURNS)
    async with httpx.AsyncClient(trust_env=False) as inside:
        figures = [(await inside.get(f"{stack.bot(name)}/metrics")).text for name in ("bot-1", "bot-2")]
        outside = {"X-Forwarded-For": "203.0.113.7"}
        assert (await inside.get(f"{stack.bot('bot-1')}/metrics", headers=outside)).status_code == 404
    turns = 'waypoint_stage_seconds_count{stage="turn"} '
    counts = [
        float(line.removeprefix(turns)) for text in figures for line in text.splitlines() if line.startswith(turns)
    ]
    assert sum(counts) == len(TURNS)  # each taken once, by one of the two
