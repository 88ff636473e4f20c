"""One trial: people talk, things break; then all is well again, and what was said is compared with what arrived."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from bot.channels.telegram_text import parts, text_of
from bot.guide import Guide
from bot.model import Conversation, Inbox, Message
from chaos.faults import Faults
from chaos.judge import Verdict, Way
from chaos.people import Person, TelegramPerson, WebPerson, first_words, numbers_in
from chaos.world import World

SETTLED_WITHIN = 300.0
FIRST_FAULT = 1.0  # seconds in which people have arrived


@dataclass(frozen=True)
class Plan:
    """How much is done."""

    kind: str = "sqlite"
    kills: int = 500
    seed: int = 1
    people: int = 6  # at a time
    without: tuple[str, ...] = ()  # processes that are not killed


@dataclass
class Outcome:
    """What was done, and what became of it."""

    plan: Plan
    kills: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    people: int = 0
    restarts: int = 0
    verdict: Verdict = field(default_factory=lambda: Verdict([]))


class Trial:
    """A trial in a folder of its own, where its logs stay."""

    def __init__(self, plan: Plan, folder: Path, tell: Callable[[str], None]) -> None:
        self.plan, self._tell = plan, tell
        self.world = World(folder, plan.kind)
        self._guide = Guide.load()
        self._people: list[Person] = []
        self._over = False

    async def run(self) -> Outcome:
        """All of it. Raises ChaosError, ServiceError and PostgresMissing where the trial itself fails."""
        try:
            await self.world.start(self._tell)
            faults = Faults(self.world, random.Random(self.plan.seed), self.plan.without)  # noqa: S311
            await self._talk_and_break(faults)
            self._tell(f"{faults.kills} kills are done; waiting until all that was said has arrived")
            late = await self._settle()
            verdict = await self._judge()
            verdict.note("not settled in time", late)
            return Outcome(self.plan, faults.kills, faults.done, len(self._people), self.world.restarts, verdict)
        finally:
            for person in self._people:
                await person.close()
            await self.world.stop()

    async def _talk_and_break(self, faults: Faults) -> None:
        async with asyncio.TaskGroup() as group:
            for place in range(self.plan.people):
                group.create_task(self._keep_talking(place))
            await asyncio.sleep(FIRST_FAULT)
            while faults.kills < self.plan.kills:
                before = faults.kills
                await faults.one()
                if faults.kills // 10 > before // 10 or self.plan.kills <= 20:
                    said = sum(len(person.said) + len(person.from_desk) for person in self._people)
                    self._tell(
                        f"{faults.kills:>4} of {self.plan.kills} kills · {len(self._people)} people, "
                        f"{said} words that are followed · {faults.last}"
                    )
            self._over = True
            await self.world.clear()

    async def _keep_talking(self, place: int) -> None:
        """One after the other; whoever is in the middle of it when all faults are done talks to the end."""
        turn = 0
        while not self._over:
            dice = random.Random(f"{self.plan.seed}:{place}:{turn}")  # noqa: S311
            turn += 1
            kind = WebPerson if (place + turn) % 2 else TelegramPerson
            person = kind(self.world, self._guide, dice)
            self._people.append(person)
            await person.live()
            if person.stuck:
                self._tell(f"stuck: {person.stuck}")

    async def _settle(self) -> list[str]:
        """Wait until nothing is on its way. Returns what still is after a long while."""

        async def at_rest() -> bool:
            left = await self._on_its_way()
            return not any(left.values())

        try:
            await self.world.until(at_rest, "nothing was on its way", SETTLED_WITHIN)
        except Exception:
            return [f"{count} {what}" for what, count in (await self._on_its_way()).items() if count]
        return []

    async def _on_its_way(self) -> dict[str, int]:
        ((turns,),) = await self.world.query("SELECT count(*) FROM inbox WHERE state = 'new'")
        ((rows,),) = await self.world.query("SELECT count(*) FROM outbox WHERE state = 'due'")
        unread = 0
        for person in self._people:
            if isinstance(person, WebPerson) and person.address:
                ((last,),) = await self.world.query(
                    "SELECT last_seq FROM conversations WHERE id = :me", me=person.address
                )
                unread += last > max((event["seq"] for event in person.events), default=0)
        return {"turns": turns, "outgoing": rows, "pages that have not shown all": unread}

    # The judgement.

    async def _judge(self) -> Verdict:
        kept = Way("a person's words, in the record")
        topic = Way("a person's words, at the desk", may_double=True)
        desk_web = Way("a coordinator's words, on the website")
        desk_telegram = Way("a coordinator's words, on Telegram", may_double=True)
        said_web = Way("all that is said, on the website")
        said_telegram = Way("all that is said, on Telegram", may_double=True)
        verdict = Verdict([kept, topic, desk_web, desk_telegram, said_web, said_telegram])
        topics = await self.world.topics()
        mark = self._guide.entry("desk.person_said").variants[0].partition("{")[0]
        for person in (person for person in self._people if person.address):
            whose = f"{person.channel} {person.address}"
            said = select(Message).join(Conversation, Conversation.id == Message.conversation_id)
            rows = await self.world.read(said.where(_of(person)).order_by(Message.seq))
            record = [(row.seq, row.role, row.blocks) for row in rows]
            own = [text_of(blocks) for _, role, blocks in record if role == "patient"]
            kept.compare(whose, person.said, numbers_in(own))
            shown = await person.texts()
            heard = [number for number in numbers_in(shown) if number not in person.said]  # their own may be quoted
            others = [(seq, blocks) for seq, role, blocks in record if role != "patient"]
            if isinstance(person, WebPerson):
                desk_web.compare(whose, person.from_desk, heard)
                said_web.compare(whose, [seq for seq, _, _ in record], [event["seq"] for event in person.events])
            else:
                desk_telegram.compare(whose, person.from_desk, heard)
                spoken = [piece for _, blocks in others if _is_words(blocks) for piece in parts(text_of(blocks))]
                said_telegram.compare(whose, spoken, [_without_name(text, spoken) for text in shown if _is_said(text)])
            mine = [each["id"] for each in topics if each["name"] == person.code] if person.code else []
            texts = [
                first_words(message)
                for each in mine
                for message in await self.world.chat(self.world.group, each)
                if message["sandbox"]["from_bot"]
            ]
            read = numbers_in(texts)
            # The card quotes them, too, and comes and goes as it likes.
            spoken_there = numbers_in([line for text in texts for line in text.splitlines() if line.startswith(mark)])
            topic.compare(whose, person.to_topic, spoken_there)
            strangers = {*heard, *read} - {*person.said, *person.from_desk}
            verdict.note("words that reached somebody else", [f"{whose}: {number}" for number in strangers])
            await self._judge_hand_off(verdict, person, len(mine))
            await self._judge_turns(verdict, person)
            verdict.note("people who could not go on", [person.stuck] if person.stuck else [])
        await self._judge_outgoing(verdict)
        return verdict

    async def _judge_hand_off(self, verdict: Verdict, person: Person, topics: int) -> None:
        if not person.pressed_send:
            return
        rows = await self.world.query(
            "SELECT k.state, (SELECT count(*) FROM desk_events e WHERE e.case_id = k.id AND e.kind = 'handed_off')"
            " FROM cases k WHERE k.code = :code",
            code=person.code,
        )
        handed = sum(count for state, count in rows if state in ("waiting", "claimed"))
        verdict.note("hand-offs missing", [person.code] if handed == 0 or topics == 0 else [])
        verdict.note("hand-offs doubled", [person.code] if handed > 1 else [])
        verdict.twice["topics"] += max(0, topics - 1)

    async def _judge_turns(self, verdict: Verdict, person: Person) -> None:
        """Each act was taken once, and said what it says it said, once."""
        came = select(Inbox).join(Conversation, Conversation.id == Inbox.conversation_id)
        found = await self.world.read(came.where(_of(person)).order_by(Inbox.number))
        rows = [(row.seq, row.state, row.said, row.error) for row in found]
        whose = f"{person.channel} {person.address}"
        if len(rows) != person.acts and not person.stuck:
            verdict.note("messages kept more or less than once", [f"{whose}: {person.acts} acts, {len(rows)} rows"])
        replies = await self.world.query(
            "SELECT m.in_reply_to, m.say FROM messages m JOIN conversations c ON c.id = m.conversation_id "
            "WHERE (c.id = :me OR c.address = :me) AND m.role = 'assistant' AND m.say != 'engine.away' ORDER BY m.seq",
            me=person.address,
        )
        for seq, state, said, error in rows:
            if state != "done":
                verdict.note("turns given up", [f"{whose}: {error}"])
                continue
            ids = [each["say"] for each in said or []]
            spoken = [say for reply, say in replies if reply == seq]
            if ids != spoken:
                verdict.note("turns that said more or less than once", [f"{whose}, {seq}: {ids} became {spoken}"])

    async def _judge_outgoing(self, verdict: Verdict) -> None:
        failed = await self.world.query("SELECT kind, error FROM outbox WHERE state = 'failed'")
        verdict.note("dead letters", [f"{kind}: {error}" for kind, error in failed])
        desk = await self.world.query("SELECT error FROM inbox WHERE conversation_id IS NULL AND state != 'done'")
        verdict.note("coordinators' acts given up", [error for (error,) in desk])


def _of(person: Person) -> ColumnElement[bool]:
    """Whether a conversation is this person's."""
    return or_(Conversation.id == person.address, Conversation.address == person.address)


def _is_words(blocks: list[dict[str, Any]]) -> bool:
    return bool(text_of(blocks)) and not any(block["type"] == "checklist" for block in blocks)


def _is_said(text: str) -> bool:
    """Whether it was said, rather than being the checklist, which is edited in place."""
    return "▰" not in text and "▱" not in text


def _without_name(text: str, spoken: list[str]) -> str:
    """A coordinator's words without the name above them."""
    rest = text.partition("\n")[2]
    return rest if text not in spoken and rest in spoken else text
