"""The coordinators of the journeys, in the simulated group."""

from __future__ import annotations

from typing import Any

from tests.journeys.people import DEADLINE, Telegram, until


class DeskPlayer:
    """Acts as the coordinators, in the topic of one case and in General."""

    def __init__(self, telegram: Telegram, coordinators: dict[str, int]) -> None:
        self._telegram = telegram
        self._coordinators = coordinators

    # The topic.

    async def topic(self, code: str) -> dict[str, Any]:
        """The topic of a case; its title is the code alone."""

        async def look() -> dict[str, Any] | None:
            return next((t for t in await self._telegram.topics() if t["name"] == code and not t["deleted"]), None)

        return await until(look, f"a topic named {code}")

    async def state_of_topic(self, code: str) -> str:
        """Whether a case's topic is open, closed, or gone."""
        standing = [t for t in await self._telegram.topics() if t["name"] == code and not t["deleted"]]
        return ("closed" if standing[0]["closed"] else "open") if standing else "gone"

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

    async def newest_file(self, code: str) -> str:
        """What the newest file of the topic says; waits for one."""

        async def look() -> str | None:
            return next((m["document"]["file_id"] for m in reversed(await self.texts(code)) if "document" in m), None)

        return await self._telegram.download(await until(look, f"a file in the topic {code}"))

    # What they do there.

    async def press(self, code: str, who: str, label: str) -> str:
        """Press a button in the topic; waits for it to be there. Returns what the press was answered with."""

        async def look() -> tuple[int, str] | None:
            for message in reversed(await self.texts(code)):
                for row in message.get("reply_markup", {}).get("inline_keyboard", []):
                    for button in row:
                        if button["text"] == label:
                            return message["message_id"], button["callback_data"]
            return None

        message_id, data = await until(look, f"a button {label!r} in the topic {code}")
        pressed = await self._post("presses", who, message_id=message_id, data=data, force=True, wait=DEADLINE)
        assert pressed["answer"] is not None, f"the press of {label!r} was not answered"
        return str(pressed["answer"].get("text", ""))

    async def write(self, code: str, who: str, text: str, reply_to: int | None = None) -> None:
        """Write into the topic, as a reply when a message is named."""
        topic = await self.topic(code)
        await self._post("messages", who, thread=topic["id"], text=text, **({"reply_to": reply_to} if reply_to else {}))

    async def edit(self, code: str, who: str, words: str, into: str) -> None:
        """Change a message of their own that holds these words."""
        message = await self.find(code, words)
        await self._post("edits", who, message_id=message["message_id"], text=into)

    async def react(self, code: str, who: str, words: str, emoji: str) -> None:
        """React to the message that holds these words."""
        message = await self.find(code, words)
        await self._post("reactions", who, message_id=message["message_id"], emoji=emoji)

    async def manage_topic(self, code: str, who: str, verb: str) -> None:
        """Close or delete the topic by hand."""
        topic = await self.topic(code)
        await self._post(f"topics/{verb}", who, thread=topic["id"])

    # General.

    async def newest(self) -> int:
        """The number of the group's newest message."""
        return max((m["message_id"] for m in await self._telegram.messages(self._telegram.group)), default=0)

    async def write_in_general(self, who: str, text: str) -> None:
        """Write into General."""
        await self._post("messages", who, text=text)

    async def find_in_general(self, words: str, after: int) -> dict[str, Any]:
        """A message of the bot in General, newer than this number, that holds these words; waits for it."""

        async def look() -> dict[str, Any] | None:
            messages = await self._telegram.messages(self._telegram.group, 0)
            said = [m for m in messages if m["message_id"] > after and m["from"]["id"] == self._telegram.bot]
            return next((m for m in said if words in m.get("text", "")), None)

        return await until(look, f"{words!r} in General")

    async def _post(self, path: str, who: str, **body: Any) -> dict[str, Any]:
        place = {"from": self._coordinators[who], "chat": self._telegram.group}
        return await self._telegram.post(path, **place, **body)
