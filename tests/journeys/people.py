"""People of the journeys: somebody in the widget, somebody on Telegram, and the coordinators' group.

They use only what outsiders use: the web interface, and the sandbox's control of a simulated Telegram.
"""

from __future__ import annotations

import asyncio
import base64
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

DEADLINE = 30.0
STEP = 0.05


async def until[T](look: Callable[[], Awaitable[T | None]], what: str, deadline: float = DEADLINE) -> T:
    """Look until something is there. Fails, saying what was waited for, after the deadline."""
    end = time.monotonic() + deadline
    while True:
        found = await look()
        if found is not None:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for {what}")
        await asyncio.sleep(STEP)  # between two looks at a condition, never instead of one


@dataclass
class Seen:
    """One message as the person has it before their eyes."""

    text: str
    choices: dict[str, str] = field(default_factory=dict)  # label -> what pressing needs
    say: str = ""
    role: str = "assistant"
    name: str = ""
    number: int = 0
    files: list[str] = field(default_factory=list)


class Person(Protocol):
    """Somebody who writes, presses, sends and reads."""

    channel: str

    async def write(self, text: str) -> None: ...

    async def press(self, label: str) -> None: ...

    async def send(self, name: str, content: bytes, caption: str) -> None: ...

    async def read(self) -> list[Seen]: ...

    async def read_again(self) -> list[Seen]: ...

    @property
    def address(self) -> str: ...


class WebPerson:
    """Somebody in the widget."""

    channel = "web"

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._headers: dict[str, str] = {}
        self._conversation = ""
        self._seq = 0
        self._shown: list[Seen] = []

    async def open(self) -> None:
        """Open the widget for the first time."""
        session = (await self._http.post("/api/sessions", json={})).raise_for_status().json()
        self._headers = {"Authorization": f"Bearer {session['token']}"}
        self._conversation = session["conversation"]

    @property
    def address(self) -> str:
        """The conversation's id."""
        return self._conversation

    async def write(self, text: str) -> None:
        """Type a message."""
        await self._post({"text": text})

    async def press(self, label: str) -> None:
        """Press a choice by its label, the newest that has it."""
        seen = next((seen for seen in reversed(self._shown) if label in seen.choices), None)
        assert seen is not None, f"no choice {label!r} is shown; there are {_labels(self._shown)}"
        await self._post({"choice": seen.choices[label]})

    async def _post(self, body: dict[str, str]) -> None:
        answer = await self._http.post("/api/messages", json={"id": str(uuid.uuid4()), **body}, headers=self._headers)
        assert answer.status_code == 202, answer.text

    async def send(self, name: str, content: bytes, caption: str) -> None:
        """Send a file."""
        answer = await self._http.post(
            "/api/files",
            data={"id": str(uuid.uuid4()), **({"caption": caption} if caption else {})},
            files={"file": (name, content)},
            headers=self._headers,
        )
        assert answer.status_code == 202, answer.text

    async def read(self) -> list[Seen]:
        """What is new, apart from their own words."""
        new = await self._events(self._seq)
        self._seq = max([self._seq, *(seen.number for seen in new)])
        self._shown += new
        return [seen for seen in new if seen.role != "patient"]

    async def read_again(self) -> list[Seen]:
        """All that the page shows when it is opened anew, apart from their own words."""
        return [seen for seen in await self._events(0) if seen.role != "patient"]

    async def _events(self, after: int) -> list[Seen]:
        answer = await self._http.get(
            f"/api/events?after={after}", headers={**self._headers, "Accept": "application/json"}
        )
        return [_of_event(event) for event in answer.raise_for_status().json()["events"]]


def _of_event(event: dict[str, Any]) -> Seen:
    seen = Seen("", say=event["say"], role=event["role"], name=event["name"] or "", number=event["seq"])
    parts = []
    for block in event["blocks"]:
        if block["type"] == "text":
            parts.append(block["text"])
        elif block["type"] == "choices" and not block.get("used"):
            seen.choices |= {choice["label"]: choice["id"] for choice in block["choices"]}
        elif block["type"] == "checklist":
            parts.append(f"{block['done']}/{block['total']} {block['title']}")
        elif block["type"] == "file":
            seen.files.append(block["name"])
    seen.text = "\n\n".join(parts)
    return seen


def _labels(shown: list[Seen]) -> list[str]:
    return [label for seen in shown for label in seen.choices]


class Telegram:
    """The simulated Telegram."""

    def __init__(self, http: httpx.AsyncClient, group: int, bot: int, token: str) -> None:
        self.http, self.group, self.bot, self.token = http, group, bot, token

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        """One act of a person."""
        answer = await self.http.post(f"/sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    async def messages(self, chat: int, thread: int | None = None) -> list[dict[str, Any]]:
        """What stands in a chat, or in one topic."""
        query = f"?thread={thread}" if thread is not None else ""
        answer = (await self.http.get(f"/sandbox/chats/{chat}/messages{query}")).raise_for_status().json()
        return [message for message in answer if not message["sandbox"]["deleted"]]

    async def download(self, file_id: str) -> str:
        """What a file says."""
        file = (await self.http.get(f"/bot{self.token}/getFile?file_id={file_id}")).raise_for_status().json()["result"]
        return (await self.http.get(f"/file/bot{self.token}/{file['file_path']}")).raise_for_status().text

    async def topics(self) -> list[dict[str, Any]]:
        """The group's topics."""
        answer = (await self.http.get(f"/sandbox/chats/{self.group}/topics")).raise_for_status().json()
        return list(answer)


class TelegramPerson:
    """Somebody in a private chat with the bot."""

    channel = "telegram"

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram
        self._id = 0
        self._read: dict[int, str] = {}

    async def open(self, first_name: str = "Noor (sample)") -> None:
        """Make a person."""
        self._id = (await self._telegram.post("people", first_name=first_name))["id"]

    @property
    def address(self) -> str:
        """The chat's id."""
        return str(self._id)

    async def write(self, text: str) -> None:
        """Type a message."""
        await self._telegram.post("messages", **{"from": self._id, "chat": self._id, "text": text})

    async def press(self, label: str) -> None:
        """Press a button by its label, the newest that has it."""
        for message in reversed(await self._telegram.messages(self._id)):
            for row in message.get("reply_markup", {}).get("inline_keyboard", []):
                for button in row:
                    if button["text"] == label:
                        await self._telegram.post(
                            "presses",
                            **{
                                "from": self._id,
                                "chat": self._id,
                                "message_id": message["message_id"],
                                "data": button["callback_data"],
                            },
                        )
                        return
        raise AssertionError(f"no button {label!r} is shown")

    async def send(self, name: str, content: bytes, caption: str) -> None:
        """Send a document."""
        document = {"name": name, "content": base64.b64encode(content).decode()}
        body = {"from": self._id, "chat": self._id, "document": document}
        await self._telegram.post("messages", **body, **({"caption": caption} if caption else {}))

    async def read_again(self) -> list[Seen]:
        """All of the bot's words that stand in the chat."""
        standing = [m for m in await self._telegram.messages(self._id) if m["from"]["id"] == self._telegram.bot]
        return [Seen(message.get("text") or message.get("caption") or "") for message in standing]

    async def read(self) -> list[Seen]:
        """What the bot said or edited since the last look."""
        new = []
        for message in await self._telegram.messages(self._id):
            if message["from"]["id"] != self._telegram.bot:
                continue
            text = message.get("text") or message.get("caption") or ""
            if self._read.get(message["message_id"]) != text:
                self._read[message["message_id"]] = text
                keys = [key for row in message.get("reply_markup", {}).get("inline_keyboard", []) for key in row]
                files = [message["document"]["file_name"]] if "document" in message else []
                new.append(
                    Seen(
                        text,
                        {key["text"]: key["callback_data"] for key in keys},
                        number=message["message_id"],
                        files=files,
                    )
                )
        return new
