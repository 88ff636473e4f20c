"""The coordinators of the journeys, in the simulated group."""

from __future__ import annotations

from typing import Any

from tests.journeys.people import Telegram, until


class DeskPlayer:
    """Acts as the coordinators, in the topic of one case."""

    def __init__(self, telegram: Telegram, coordinators: dict[str, int]) -> None:
        self._telegram = telegram
        self._coordinators = coordinators

    async def topic(self, code: str) -> dict[str, Any]:
        """The topic of a case; its title is the code alone."""

        async def look() -> dict[str, Any] | None:
            return next((topic for topic in await self._telegram.topics() if topic["name"] == code), None)

        return await until(look, f"a topic named {code}")

    async def texts(self, code: str) -> list[dict[str, Any]]:
        """The messages of a case's topic."""
        topic = await self.topic(code)
        return await self._telegram.messages(self._telegram.group, topic["id"])

    async def find(self, code: str, words: str) -> dict[str, Any]:
        """The newest message of the topic that holds these words; waits for it."""

        async def look() -> dict[str, Any] | None:
            messages = reversed(await self.texts(code))
            return next((m for m in messages if words in (m.get("text") or m.get("caption") or "")), None)

        return await until(look, f"{words!r} in the topic {code}")

    async def press(self, code: str, who: str, label: str) -> None:
        """Press a button in the topic; waits for it to be there."""

        async def look() -> tuple[int, str] | None:
            for message in reversed(await self.texts(code)):
                for row in message.get("reply_markup", {}).get("inline_keyboard", []):
                    for button in row:
                        if button["text"] == label:
                            return message["message_id"], button["callback_data"]
            return None

        message_id, data = await until(look, f"a button {label!r} in the topic {code}")
        await self._telegram.post(
            "presses",
            **{"from": self._coordinators[who], "chat": self._telegram.group, "message_id": message_id, "data": data},
        )

    async def write(self, code: str, who: str, text: str, reply_to: int | None = None) -> None:
        """Write into the topic, as a reply when a message is named."""
        topic = await self.topic(code)
        body: dict[str, Any] = {
            "from": self._coordinators[who],
            "chat": self._telegram.group,
            "thread": topic["id"],
            "text": text,
        }
        await self._telegram.post("messages", **body, **({"reply_to": reply_to} if reply_to else {}))
