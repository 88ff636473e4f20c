"""The live page and its stream."""

import asyncio
import json
import re
from pathlib import Path

import httpx

import sandbox
from sandbox.testing import ADA

STATIC = Path(sandbox.__file__).parent / "static"


async def test_the_stream_tells_each_change_and_goes_on_where_it_stopped(box):
    state = await box.get("state")
    async with httpx.AsyncClient() as http:

        async def events(after, count):
            found = []
            async with (
                asyncio.timeout(10),
                http.stream("GET", f"{box.url}/sandbox/stream", headers={"last-event-id": str(after)}) as stream,
            ):
                async for line in stream.aiter_lines():
                    if line.startswith("data: "):
                        found.append(json.loads(line.removeprefix("data: ")))
                    if len(found) == count:
                        break
            return found

        reading = asyncio.create_task(events(state["changes"], 1))
        said = await box.say(ADA, "hello")
        (event,) = await reading
        assert (event["kind"], event["message"]["text"]) == ("message", "hello")
        await box.edit(ADA, said, text="hello!")
        (event,) = await events(event["n"], 1)
        assert (event["kind"], event["message"]["text"]) == ("edited", "hello!")


async def test_the_page_loads_only_what_the_sandbox_serves(box):
    async with httpx.AsyncClient() as http:
        page = await http.get(f"{box.url}/sandbox")
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        links = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
        assert links
        for link in links:
            assert link.startswith("/sandbox/static/"), link
            assert (await http.get(f"{box.url}{link}")).status_code == 200


def test_the_page_never_treats_words_as_markup():
    scripts = list(STATIC.glob("*.js"))
    assert scripts
    for script in scripts:
        found = re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script.read_text())
        assert not found, script
