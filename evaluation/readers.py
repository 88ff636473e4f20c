"""What reads the messages: our engine, a stock Rasa and nlp.js, each as a real process, one message at a time."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench import stock
from bench.subjects import Engine, StockRasa
from bot.engine import TEXT_LIMIT
from evaluation.topics import Parse, parse
from scripts.supervise import Service

NLPJS = Path(__file__).parent / "nlpjs"
OLDEST_NODE = 20
LONGEST_LINE = 1 << 20  # bytes that nlp.js may answer
Tick = Callable[[], object]  # called after each message


class ReadingError(Exception):
    """The messages cannot be read; the message says why and what to do."""


class OurEngine(Engine):
    """Waypoint's engine over /parse."""

    async def read(self, text: str) -> Parse:
        """What it makes of a text. Raises ReadingError."""
        return await _post(self._http, "/parse", text)


class StockEngine(StockRasa):
    """A stock Rasa over /model/parse."""

    def _services(self, port: int) -> Sequence[Service]:
        return [replace(one, command=(*one.command, "--enable-api")) for one in super()._services(port)]

    async def read(self, text: str) -> Parse:
        """What it makes of a text. Raises ReadingError."""
        return await _post(self._http, "/model/parse", text)


async def ours(texts: Sequence[str], tick: Tick) -> list[Parse]:
    """What our engine makes of texts. Raises ReadingError and scripts.supervise.ServiceError."""
    with TemporaryDirectory(prefix="waypoint-evaluation-") as folder:
        return await _all(OurEngine(Path(folder)), texts, tick)


async def stock_rasa(texts: Sequence[str], tick: Tick, trained: stock.Stock) -> list[Parse]:
    """What a trained stock Rasa makes of texts. Raises ReadingError and scripts.supervise.ServiceError."""
    with TemporaryDirectory(prefix="waypoint-evaluation-") as folder:
        return await _all(StockEngine(Path(folder), trained), texts, tick)


async def nlpjs(texts: Sequence[str], tick: Tick, examples: Sequence[tuple[str, str]]) -> list[Parse]:
    """What nlp.js makes of texts once it has learned the examples. Raises ReadingError."""
    with TemporaryDirectory(prefix="waypoint-evaluation-") as folder:
        learned, log = Path(folder) / "examples.json", Path(folder) / "log"
        learned.write_text(json.dumps(examples), encoding="utf-8")
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                "node",
                str(NLPJS / "read.mjs"),
                str(learned),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                limit=LONGEST_LINE,
            )
        try:
            await _answer(process)  # it has learned
            found = []
            for text in texts:
                process.stdin.write(json.dumps(text[:TEXT_LIMIT]).encode() + b"\n")  # type: ignore[union-attr]
                found.append(await _answer(process))
                tick()
            return found
        except (OSError, ValueError) as error:
            raise ReadingError(f"nlp.js stopped ({error}): {log.read_text('utf-8', 'replace')[-500:]}") from None
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


def install_nlpjs() -> None:
    """Install nlp.js beside its script, once. Raises ReadingError when Node.js is missing or too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout if node else ""  # noqa: S603
    if not npm or int((re.match(r"v(\d+)", version) or ["", "0"])[1]) < OLDEST_NODE:
        raise ReadingError(f"nlp.js is left out: it needs Node.js {OLDEST_NODE} or newer and npm. Install them for it.")
    if (NLPJS / "node_modules/.package-lock.json").exists():
        return
    installed = subprocess.run([npm, "--prefix", str(NLPJS), "ci", "--silent"], check=False)  # noqa: S603
    if installed.returncode:
        raise ReadingError(f"nlp.js is left out: `npm --prefix {NLPJS} ci` failed. Run it to see why.")


async def _all(subject: OurEngine | StockEngine, texts: Sequence[str], tick: Tick) -> list[Parse]:
    found = []
    try:
        await subject.start()
        for text in texts:
            found.append(await subject.read(text[:TEXT_LIMIT]) if text else Parse("nlu_fallback"))
            tick()
    except httpx.HTTPError as error:
        raise ReadingError(f"{subject.title} did not answer: {type(error).__name__}.") from None
    finally:
        await subject.stop()
    return found


async def _post(http: httpx.AsyncClient, address: str, text: str) -> Parse:
    began = time.perf_counter()
    answer = await http.post(address, json={"text": text})
    took = time.perf_counter() - began
    if answer.status_code != httpx.codes.OK:
        raise ReadingError(f"{address} answered {answer.status_code}: {answer.text[:200]}")
    return parse(answer.json(), took)


async def _answer(process: asyncio.subprocess.Process) -> Parse:
    """The next line of JSON; what nlp.js logs between them is passed over."""
    while line := await process.stdout.readline():  # type: ignore[union-attr]
        if line.startswith(b"{"):
            answer = json.loads(line)
            return parse(answer, answer.get("seconds", 0.0))
    raise ValueError("no answer")
