"""Scripted people: somebody in the widget, somebody on Telegram, and the coordinator who takes their case.

Each word that has to arrive somewhere bears a number. They use only what outsiders use: the web interface, and the
simulated Telegram.
"""

from __future__ import annotations

import asyncio
import random
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from bot.guide import Guide
from chaos.world import LOOK, ChaosError, World

ANSWER_PATIENCE = 240.0  # within which the assistant has answered, whatever was done to it
TOKEN = re.compile(r"\bm(\d{6})\b")
NUMBERS = count(1)
QUESTIONS = (
    "what does it cost?",
    "will my doctor be offended?",
    "is it normal to want this?",
    "how long does it take?",
    "is it confidential?",
    "do I have to travel?",
)


def marked(words: str) -> tuple[int, str]:
    """Words with a number of their own."""
    number = next(NUMBERS)
    return number, f"m{number:06} {words}"


def numbers_in(texts: Sequence[str]) -> list[int]:
    """The numbers in texts, in order."""
    return [int(number) for text in texts for number in TOKEN.findall(text)]


@dataclass
class Person:
    """What every person does. A subclass says how it is done on a channel."""

    world: World
    guide: Guide
    dice: random.Random
    acts: int = 0  # messages and presses that were taken
    said: list[int] = field(default_factory=list)  # numbers of words, in order
    to_topic: list[int] = field(default_factory=list)  # of them, those that a coordinator has to read
    from_desk: list[int] = field(default_factory=list)  # numbers that a coordinator wrote to them, in order
    pressed_send: bool = False
    code: str = ""
    stuck: str = ""  # why they could not go on

    channel = ""
    address = ""

    async def open(self) -> None:
        """Arrive."""
        raise NotImplementedError

    async def write(self, text: str) -> None:
        """Type a message; it was taken when this returns."""
        raise NotImplementedError

    async def press(self, label: str) -> None:
        """Press the newest button with this label, once it is there."""
        raise NotImplementedError

    async def answered(self) -> bool:
        """Whether something was said after the last thing that they did."""
        raise NotImplementedError

    async def texts(self) -> list[str]:
        """What they have before their eyes, in order, without their own words."""
        raise NotImplementedError

    async def close(self) -> None:
        """Leave."""

    # The script.

    async def live(self) -> None:
        """The whole way: consent, questions, the hand-over, and a talk with a coordinator."""
        try:
            await self.open()
            await self._say("/start")
            for choice in ("choice.agree", "choice.self"):
                await self._press(choice)
            for _ in range(self.dice.randint(1, 3)):
                await self._ask(wait=self.dice.random() < 0.6)
            await self._settled()
            for words in ("/human", "Noor", "English", "Egypt"):
                await self._say(words)
            await self._press("choice.send")
            self.pressed_send = True
            ((self.code,),) = await self.world.query(
                "SELECT k.code FROM cases k JOIN conversations c ON c.case_id = k.id "
                "WHERE c.id = :me OR c.address = :me",
                me=self.address,
            )
            for _ in range(self.dice.randint(1, 3)):
                self.to_topic.append(await self._ask(wait=self.dice.random() < 0.5))
            coordinator = Coordinator(self)
            await coordinator.claim()
            for _ in range(self.dice.randint(2, 5)):
                if self.dice.random() < 0.5:
                    self.to_topic.append(await self._ask(wait=False))
                else:
                    await coordinator.say()
        except ChaosError as error:
            self.stuck = f"{self.channel} {self.address or 'somebody new'}: {error}"

    async def _say(self, text: str) -> None:
        await self._think()
        await self.write(text)
        self.acts += 1
        await self._settled()

    async def _press(self, choice: str) -> None:
        await self._think()
        await self.press(self.guide.entry(choice).variants[0])
        self.acts += 1
        await self._settled()

    async def _ask(self, *, wait: bool) -> int:
        await self._think()
        number, text = marked(self.dice.choice(QUESTIONS))
        await self.write(text)
        self.acts += 1
        self.said.append(number)
        if wait:
            await self._settled()
        return number

    async def _settled(self) -> None:
        await self.world.until(self.answered, "the assistant answered", ANSWER_PATIENCE)

    async def _think(self) -> None:
        await asyncio.sleep(self.dice.uniform(0, 0.3))


@dataclass
class WebPerson(Person):
    """Somebody in the widget: sends again what was not acknowledged, and reads on from where the stream broke off."""

    events: list[dict[str, Any]] = field(default_factory=list)  # as they came
    channel = "web"
    _headers: dict[str, str] = field(default_factory=dict)
    _last: int = 0  # the number of their own last message

    async def open(self) -> None:
        """Open the widget."""

        async def opened() -> bool:
            answer = await self.world.http.post(f"{self.world.address}/api/sessions", json={})
            if answer.is_success:
                session = answer.json()
                self.address = session["conversation"]
                self._headers = {"Authorization": f"Bearer {session['token']}"}
            return answer.is_success

        await self.world.until(opened, "a conversation opened")
        self._reading = asyncio.create_task(self._read())

    async def close(self) -> None:
        """Close the page."""
        if hasattr(self, "_reading"):
            self._reading.cancel()
            await asyncio.wait([self._reading])

    async def write(self, text: str) -> None:
        """Type a message."""
        await self._post({"text": text})

    async def press(self, label: str) -> None:
        """Press a choice."""

        async def shown() -> bool:
            return self._choice(label) is not None

        await self.world.until(shown, f"a button {label!r} was shown", ANSWER_PATIENCE)
        await self._post({"choice": str(self._choice(label))})

    def _choice(self, label: str) -> str | None:
        for event in reversed(self.events):
            for block in event["blocks"]:
                for choice in block.get("choices", ()):
                    if choice["label"] == label:
                        return str(choice["id"])
        return None

    async def _post(self, body: dict[str, str]) -> None:
        message = {"id": str(uuid.uuid4()), **body}  # the same however often it is sent

        async def taken() -> bool:
            url = f"{self.world.address}/api/messages"
            answer = await self.world.http.post(url, json=message, headers=self._headers, timeout=10)
            if answer.is_client_error:
                raise ChaosError(f"a message was refused: {answer.status_code} {answer.text}")
            if answer.is_success:
                self._last = int(answer.json()["seq"])
            return answer.is_success

        await self.world.until(taken, "a message was taken")

    async def answered(self) -> bool:
        """Something answers their last message."""
        return any(event["in_reply_to"] == self._last for event in self.events)

    async def texts(self) -> list[str]:
        """The words of all that was not said by themselves."""
        others = [event for event in self.events if event["role"] != "patient"]
        return [" ".join(block.get("text", "") for block in event["blocks"]) for event in others]

    async def _read(self) -> None:
        while True:
            after = max((event["seq"] for event in self.events), default=0)
            headers = {**self._headers, "Accept": "application/json"}
            try:
                url = f"{self.world.address}/api/events?after={after}&wait=10"
                answer = await self.world.http.get(url, headers=headers, timeout=15)
                self.events += answer.raise_for_status().json()["events"]
            except httpx.HTTPError:
                await asyncio.sleep(LOOK)


@dataclass
class TelegramPerson(Person):
    """Somebody in a private chat with the bot."""

    channel = "telegram"
    _id: int = 0
    _seen: int = 0  # how much stood in the chat when they did their last thing

    async def open(self) -> None:
        """Somebody new on Telegram."""
        self._id = int((await self.world.order("people", first_name=f"Noor {self.world.token()}"))["id"])
        self.address = str(self._id)

    async def write(self, text: str) -> None:
        """Type a message."""
        self._seen = len(await self._from_bot())
        await self.world.order("messages", **{"from": self._id, "chat": self._id, "text": text})

    async def press(self, label: str) -> None:
        """Press a button."""
        place: dict[str, Any] = {}

        async def shown() -> bool:
            place.update(find_button(await self._from_bot(), label))
            return bool(place)

        await self.world.until(shown, f"a button {label!r} was shown", ANSWER_PATIENCE)
        self._seen = len(await self._from_bot())
        await self.world.order("presses", **{"from": self._id, "chat": self._id, "force": True, **place})

    async def answered(self) -> bool:
        """Something stands in the chat that was not there."""
        return len(await self._from_bot()) > self._seen

    async def texts(self) -> list[str]:
        """The words of all that the bot has sent, as they stood first."""
        return [first_words(message) for message in await self._from_bot()]

    async def _from_bot(self) -> list[dict[str, Any]]:
        return [message for message in await self.world.chat(self._id) if message["sandbox"]["from_bot"]]


@dataclass
class Coordinator:
    """Whoever takes the case of one person."""

    person: Person
    _topic: int = 0
    _user: int = 0

    async def claim(self) -> None:
        """Press the button below the card, and wait until the case is theirs."""
        world, label = self.person.world, self.person.guide.entry("desk.button.claim").variants[0]
        self._user = self.person.dice.choice(world.coordinators)
        place: dict[str, Any] = {}

        async def shown() -> bool:
            for topic in await world.topics():
                if topic["name"] == self.person.code:
                    place.update(find_button(await world.chat(world.group, topic["id"]), label))
                    self._topic = topic["id"]
            return bool(place)

        await world.until(shown, f"the card of {self.person.code} stood in its topic", ANSWER_PATIENCE)
        await world.order("presses", **{"from": self._user, "chat": world.group, "force": True, **place})

        async def claimed() -> bool:
            rows = await world.query("SELECT state FROM cases WHERE code = :code", code=self.person.code)
            return [row[0] for row in rows] == ["claimed"]

        await world.until(claimed, f"{self.person.code} was claimed", ANSWER_PATIENCE)

    async def say(self) -> None:
        """Write to the person."""
        number, text = marked("is my answer")
        message = {"from": self._user, "chat": self.person.world.group, "thread": self._topic, "text": f"/say {text}"}
        await self.person.world.order("messages", **message)
        self.person.from_desk.append(number)


def find_button(messages: Sequence[dict[str, Any]], label: str) -> dict[str, Any]:
    """Where the newest button with a label is, and what pressing it needs; nothing when there is none."""
    for message in reversed(messages):
        for row in message.get("reply_markup", {}).get("inline_keyboard", []):
            for button in row:
                if button["text"] == label:
                    return {"message_id": message["message_id"], "data": button["callback_data"]}
    return {}


def first_words(message: dict[str, Any]) -> str:
    """The words of a message before it was edited."""
    first = message["sandbox"]["versions"][0] if message["sandbox"]["versions"] else message
    return str(first.get("text") or first.get("caption") or "")
