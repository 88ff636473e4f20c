"""Client of the action server: the SDK's protocol, with only what an action needs, over a kept-alive connection.

Rasa's own client sends the whole domain and every event, opens a connection a call, and checks the answer against a
JSON schema that it compiles anew each time, which was most of a turn (docs/performance.md).
"""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import rasa

from observe.traces import outgoing_headers

TIMEOUT_SECONDS = 15


class ActionFailed(Exception):
    """The action server is away, or the action failed; the turn can be tried again."""


class Actions:
    """Runs custom actions by name."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = f"{url.rstrip('/')}/webhook"
        self._health = f"{url.rstrip('/')}/health"
        self._headers = {"Authorization": f"Bearer {secret}"}
        self._session: aiohttp.ClientSession | None = None

    async def run(
        self, action: str, case: str, parsed: dict[str, Any], metadata: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Run one action. Returns what it said, as ids. Raises ActionFailed."""
        call = {
            "version": rasa.__version__,
            "next_action": action,
            "sender_id": case,
            "tracker": {
                "sender_id": case,
                "slots": {},
                "latest_message": parsed,
                "events": [{"event": "user", "metadata": metadata}],
                "paused": False,
                "followup_action": None,
                "active_loop": {},
                "latest_action_name": None,
                "latest_event_time": None,
            },
            "domain": {},
        }
        try:
            body, headers = json.dumps(call, default=float), outgoing_headers()
            async with self._client().post(self._url, data=body, headers=headers) as response:
                if response.status != 200:
                    raise ActionFailed(f"the action server answered {response.status}")
                answer = await response.json()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ActionFailed(type(error).__name__) from None
        return [said["custom"] for said in answer["responses"] if said.get("custom")]

    async def reachable(self) -> bool:
        """Whether the action server answers."""
        try:
            async with self._client().get(self._health) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            headers = {**self._headers, "Content-Type": "application/json"}
            self._session = aiohttp.ClientSession(timeout=timeout, headers=headers)
        return self._session

    async def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()
