"""Pressed buttons and deep links: what comes back from a button may be anything."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from telegram import CallbackQuery, Message

from bot.channels import desk, telegram
from fuzz.finding import Findings, Tick, examine
from fuzz.values import SHORT, TEXT

ADA = {"id": 1_000, "is_bot": False, "first_name": "Ada (sample)"}
CHAT = {"id": 1_000, "type": "private", "first_name": "Ada (sample)"}


def of_choices(cases: int, start: int, tick: Tick) -> Findings:
    """Presses of people and of coordinators, and what people start the bot with."""

    def check(value: tuple[str, str]) -> None:
        data, payload = value
        message: dict[str, Any] = {"message_id": 1, "date": 1_800_000_000, "chat": CHAT, "from": ADA, "text": "?"}
        press = {"id": data[:60], "from": ADA, "chat_instance": "1", "data": data, "message": message}
        query = CallbackQuery.de_json(press)
        inbound = telegram.from_press(query)
        assert inbound is None or inbound.choice.isascii(), "a choice that no button has"
        said = desk.from_press(query)
        assert said is None or len(said.data) <= desk.MAX_DATA, "unbounded"
        started = telegram.from_message(Message.de_json(message | {"text": f"/start {payload}"}))
        assert started is None or len(started.start) <= 64, "an unbounded payload"

    return examine(st.tuples(SHORT, TEXT), check, cases, start, tick)
