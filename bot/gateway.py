"""One inbound turn: a dead button? an emergency? held by a human? else the engine. Lanes in order, side by side.

Who holds the case is decided here, before the engine; the safety net runs before everything, and needs no engine.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

from bot import safety
from bot.casework import Casework, Pending
from bot.casework.inbound import COMMANDS
from bot.casework.trouble import passes
from bot.engine import TEXT_LIMIT, Engine, EngineAway, EngineFault
from bot.peers import Alone, Peers
from bot.render import Say
from bot.telemetry import stage, took
from bot.wake import Wake
from observe.logs import about

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # whether an engine that was away is back
POLL_SECONDS = 0.5  # turns that another process stored, or whose pause is over
_SAYS_SOMETHING = re.compile(r"\w", re.UNICODE)
_AGREES = re.compile(r"[\s\u200b-\u200f\ufe0f]*(?:(?:👍|👌|✅|🆗)[\s\ufe0f\U0001f3fb-\U0001f3ff]*)+")
_DELETE = re.compile(
    r"\W*(?:please )?(?:delete|erase|remove) (?:all (?:of )?)?my (?:data|information)\W*", re.IGNORECASE
)
_WITHDRAW = re.compile(
    r"\W*(?:please )?(?:i (?:want to |would like to )?)?(?:withdraw|revoke|take back)"
    r" (?:my |the )?(?:consent|agreement|yes)\W*",
    re.IGNORECASE,
)
_SHOW = re.compile(
    r"\W*(?:please )?(?:(?:can|could|may) (?:i|you) )?(?:show|see|give|send|export|download)(?: me)?"
    r" (?:all (?:of )?)?my (?:data|information)\W*(?:please)?\W*",
    re.IGNORECASE,
)


class Gateway:
    """Takes turns from the inbox. `run_once` is one look; `run` looks until it is cancelled."""

    def __init__(self, casework: Casework, engine: Engine, wake: Wake, peers: Peers | None = None) -> None:
        self._casework = casework
        self._engine = engine
        self._wake = wake
        self._peers = peers or Alone()
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._away = self._down = False  # a turn found no engine; we have looked ourselves, and there was none

    async def run(self) -> None:
        """Look for turns whenever woken, and every half second."""
        with self._wake.watch("inbox") as watch:
            while True:
                try:
                    await self.run_once()
                except Exception:  # the database may be away for a moment; the turns are safe in it
                    log.exception("looking for turns failed")
                await watch.wait(POLL_SECONDS)

    async def run_once(self) -> int:
        """Start what is due and no other process has taken: red flags at once, beside everything else; then one turn a
        lane. Returns how many.
        """
        due = await self._casework.due_turns(set(self._busy))
        ours = [(lane, turn) for lane, turn in due if await self._peers.claim(lane)]
        for lane, turn in ours:
            self._busy[lane] = asyncio.create_task(self._guarded(lane, turn))
        return len(ours)

    async def attend(self) -> None:
        """Look every second after an engine that was away."""
        while True:
            try:
                await self.look_after_engine()
            except Exception:
                log.exception("looking after the engine failed")
            await asyncio.sleep(LOOK_SECONDS)

    async def look_after_engine(self) -> bool:
        """Once an engine is back that was away, nobody waits to the end of their pause. True when it came back.

        One that answers, and yet cannot take turns, was not seen to be away: trying faster would not help.
        """
        if not self._away:
            return False
        if not await self._engine.acts():
            self._down = True
            return False
        came_back, self._away, self._down = self._down, False, False
        if came_back:
            await self._casework.hurry()
            self._wake.notify("inbox")
        return came_back

    async def idle(self) -> None:
        """Wait until the turns in hand are done."""
        while self._busy:
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _guarded(self, lane: str, turn: str) -> None:
        with about(turn=turn):
            try:
                await self._desk(turn) if lane.startswith("desk:") else await self.take(turn)
            except Exception as error:  # a fault in one turn must not stop the others; it is tried again
                log.exception("turn %s failed", turn)
                await self._put_off(turn, error)
            finally:
                await self._peers.release(lane)
                self._busy.pop(lane, None)
                self._wake.notify("inbox")
                self._wake.notify("outbox")

    async def _put_off(self, turn: str, error: Exception) -> None:
        try:  # that the database was away, however often, is no fault of the turn, and must cost nobody their words
            await self._casework.delay(turn, type(error).__name__, fault=not passes(error))
        except Exception:  # the database is away too; the turn is safe in it, and is looked at again
            log.exception("turn %s could not be put off", turn)

    async def _desk(self, turn: str) -> None:
        for conversation in await self._casework.desk_turn(turn):
            self._wake.notify(conversation)

    async def take(self, turn: str) -> None:
        """Handle one turn of a person."""
        pending = await self._casework.pending(turn)
        if pending is None or pending.done:
            return
        took("inbox_wait", pending.waited)
        with (
            about(case=pending.case_id, conversation=pending.conversation_id),
            stage("turn", turn=turn, case=pending.case_id, conversation=pending.conversation_id),
        ):
            await self._answer(pending)

    async def _answer(self, pending: Pending) -> None:
        turn = pending.turn
        try:
            await self._decide(pending)
        except EngineAway as away:
            if tier := safety.screen(pending.inbound.text, wary=True):  # danger does not wait for the engine
                await self._casework.alarm(turn, tier)
                return
            log.warning("turn %s waits: %s", turn, away)
            self._away = True
            await self._casework.delay(turn, str(away), fault=isinstance(away, EngineFault))
        finally:
            self._wake.notify(pending.conversation_id)

    async def _decide(self, pending: Pending) -> None:
        inbound, turn, case = pending.inbound, pending.turn, pending.case_id
        if pending.alarm:  # recognised when it was received, by bot.safety, which needs no engine
            await self._casework.alarm(turn, pending.alarm)
        elif inbound.kind == "start" and inbound.start:
            await self._link(turn, inbound.start)
        elif inbound.kind == "choice" and pending.pressed is None:
            await self._casework.speak(turn, Say("choice.stale"))
        elif inbound.kind == "choice":
            await self._choice(pending)
        elif inbound.is_command or (inbound.looks_like_command and pending.state != "claimed"):
            await self._command(pending)
        elif pending.state == "claimed" and _DELETE.fullmatch(inbound.text):  # the words that the consent names
            await self._engine.turn(case, turn, parse=COMMANDS["/delete"])
        elif inbound.kind == "text" and _WITHDRAW.fullmatch(inbound.text):
            await self._engine.turn(case, turn, parse=COMMANDS["/withdraw"])
        elif inbound.kind == "text" and _SHOW.fullmatch(inbound.text):
            await self._engine.turn(case, turn, parse=COMMANDS["/mydata"])
        elif pending.state == "claimed" and pending.step != "erase" and await self._relay(pending):
            return
        elif inbound.kind == "start":
            await self._engine.turn(case, turn, parse=COMMANDS["/start"])
        elif inbound.kind == "file" and all(ref.kind in ("voice", "audio") for ref in inbound.files):
            await self._casework.speak(turn, Say("input.unsupported.voice"))
        elif inbound.kind == "file":
            await self._file(pending)
        elif inbound.kind == "text" and _AGREES.fullmatch(inbound.text):
            await self._engine.turn(case, turn, parse={"intent": "control.yes", "entities": []})
        elif inbound.kind == "text" and not _SAYS_SOMETHING.search(inbound.text):
            await self._casework.speak(turn, Say("input.emoji"))
        elif inbound.kind == "text":
            if len(inbound.text) > TEXT_LIMIT:
                log.info("turn %s is long: %d characters", turn, len(inbound.text))
            await self._engine.turn(case, turn, text=inbound.text, expects=pending.expects)
        else:
            say = f"input.unsupported.{inbound.note}"
            await self._casework.speak(turn, Say(say if say in self._casework.guide.ids else "input.unsupported.other"))

    async def _relay(self, pending: Pending) -> bool:
        """To the coordinator who holds the case; danger is answered, too. False when nobody holds it any more."""
        text = pending.inbound.text
        try:
            tier = safety.read((await self._engine.parse(pending.case_id, text)).intent) if text else None
        except EngineAway:  # the words reach the coordinator without it
            tier = safety.screen(text, wary=True)
        if tier:
            await self._casework.alarm(pending.turn, tier)
            return True
        return await self._casework.relay(pending.turn)

    async def _link(self, turn: str, code: str) -> None:
        joined = await self._casework.use_link(turn, code)
        for conversation in joined:  # on the other device, too
            self._wake.notify(conversation)
        if not joined:
            await self._casework.speak(turn, Say("link.invalid"))

    async def _choice(self, pending: Pending) -> None:
        try:
            await self._engine.turn(pending.case_id, pending.turn, parse=pending.pressed)
        except EngineFault:  # a button of an older version, whose intent is gone
            await self._casework.speak(pending.turn, Say("choice.stale"))

    async def _command(self, pending: Pending) -> None:
        command, rest = pending.inbound.command
        if command == "/start" and rest and len(rest) <= 64:
            await self._link(pending.turn, rest)
        elif command in COMMANDS:
            await self._engine.turn(pending.case_id, pending.turn, parse=COMMANDS[command])
        else:
            await self._casework.speak(pending.turn, Say("steer.help"))

    async def _file(self, pending: Pending) -> None:
        """A file with its caption: what the caption says of records tells where the file belongs."""
        entities: list[dict[str, Any]] = [{"entity": "file", "value": file} for file in pending.file_ids]
        if pending.inbound.text:
            parsed = await self._engine.parse(pending.case_id, pending.inbound.text)
            if tier := safety.read(parsed.intent):
                await self._casework.alarm(pending.turn, tier)
                return
            entities += [found for found in parsed.entities if found["entity"] == "record"]
            entities.append({"entity": "caption", "value": pending.inbound.text[:TEXT_LIMIT]})
        await self._engine.turn(pending.case_id, pending.turn, parse={"intent": "file", "entities": entities})
