"""`make chat`: talk to a running Waypoint in the terminal, over the same interface that the widget uses."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
from rich.console import Console

RECONNECT_SECONDS = 1


class Chat:
    """One conversation: a thread shows what is said, the main thread reads what is typed."""

    def __init__(self, http: httpx.Client, console: Console, *, ids: bool) -> None:
        self._http = http
        self._console = console
        self._ids = ids
        session = http.post("/api/sessions", json={}).raise_for_status().json()
        self._headers = {"Authorization": f"Bearer {session['token']}"}
        self._choices: list[str] = []

    def listen(self) -> None:
        """Show what is said, for ever; a stream that breaks is opened again where it stopped."""
        seen = "0"
        while True:
            try:
                for event in self._stream(seen):
                    seen = str(event["seq"])
                    if event["role"] != "patient":
                        self._show(event)
            except httpx.HTTPError:
                time.sleep(RECONNECT_SECONDS)

    def _stream(self, after: str) -> Iterator[dict[str, Any]]:
        headers = {**self._headers, "Last-Event-ID": after, "Accept": "text/event-stream"}
        with self._http.stream("GET", "/api/events", headers=headers, timeout=None) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))

    def _show(self, event: dict[str, Any]) -> None:
        who = event["name"] or "Waypoint"
        self._print(f"\n{who}{'  ' + event['say'] if self._ids else ''}", style="bold cyan")
        for block in event["blocks"]:
            if block["type"] == "text":
                self._print(block["text"])
            elif block["type"] == "checklist":
                self._print(f"{block['title']}: {block['done']} of {block['total']}")
                for item in block["items"]:
                    self._print(f"  {item['label']}: {item['state_label']}")
            elif block["type"] == "file":
                self._print(f"[{block['name']}]")
            elif block["type"] == "choices" and not block.get("used"):
                self._choices = [choice["id"] for choice in block["choices"]]
                for number, choice in enumerate(block["choices"], 1):
                    self._print(f"  {number}  {choice['label']}", style="green")

    def _print(self, text: str, style: str | None = None) -> None:
        self._console.print(text, markup=False, highlight=False, style=style)

    def say(self, text: str) -> None:
        """Send a line: a number presses that choice, anything else is typed."""
        chosen = int(text) - 1 if text.isascii() and text.isdigit() else -1
        body = {"choice": self._choices[chosen]} if 0 <= chosen < len(self._choices) else {"text": text}
        answer = self._http.post("/api/messages", json={"id": str(uuid.uuid4()), **body}, headers=self._headers)
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            self._print(answer.json()["error"]["message"], style="red")


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="chat", description="Talk to a running Waypoint (make run) in the terminal.")
    default = f"http://127.0.0.1:{os.environ.get('PORT') or 8080}"
    parser.add_argument("--address", default=default, help=f"where it runs ({default})")
    parser.add_argument("--ids", action="store_true", help="show the guide's ids beside the words")
    options = parser.parse_args()
    console = Console(soft_wrap=True)
    with httpx.Client(base_url=options.address, trust_env=False, timeout=30) as http:
        try:
            chat = Chat(http, console, ids=options.ids)
        except httpx.HTTPError:
            console.print(f"Nothing answers at {options.address}. Start Waypoint first: make run", style="red")
            return 1
        threading.Thread(target=chat.listen, daemon=True).start()
        console.print("Type a message, or the number of a choice. Ctrl-D ends.", style="dim")
        chat.say("/start")
        for line in sys.stdin:
            if line.strip():
                chat.say(line.strip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
