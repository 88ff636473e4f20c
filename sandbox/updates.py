"""Updates on their way to the bot: kept until confirmed, in order, for at most a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.clock import Bell, Clock

UPDATE_TYPES = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
)
NOT_BY_DEFAULT = ("chat_member", "message_reaction", "message_reaction_count")
DEFAULT = tuple(kind for kind in UPDATE_TYPES if kind not in NOT_BY_DEFAULT)
DAY = 24 * 3600.0


@dataclass(frozen=True)
class Pending:
    """An update that the bot has not confirmed."""

    id: int
    chat_id: int
    at: float
    body: dict[str, Any]


class UpdateQueue:
    """The bot's queue. `webhook` is None while updates are polled for."""

    def __init__(self, clock: Clock, bell: Bell, ids: Iterator[int]) -> None:
        self._clock = clock
        self._bell = bell
        self._ids = ids
        self._pending: list[Pending] = []
        self.allowed: tuple[str, ...] = DEFAULT
        self.allowed_as_set: list[str] | None = None
        self.poll = 0
        """The number of the getUpdates call that holds the queue; a later one ends it."""

    def allow(self, kinds: list[Any] | None) -> None:
        """Set which kinds are queued from now on: None leaves it, an empty list means the default."""
        if kinds is None:
            return
        known = [kind for kind in kinds if kind in UPDATE_TYPES]
        self.allowed = tuple(known) or DEFAULT
        self.allowed_as_set = known or None

    def add(self, kind: str, body: dict[str, Any], chat_id: int) -> None:
        """Queue an update, if the bot wants its kind."""
        if kind in self.allowed:
            number = next(self._ids)
            self._pending.append(Pending(number, chat_id, self._clock.now(), {"update_id": number, kind: body}))
            self._bell.ring()

    def pending(self) -> list[Pending]:
        """What waits, oldest first; what is older than a day is gone."""
        oldest = self._clock.now() - DAY
        self._pending = [update for update in self._pending if update.at >= oldest]
        return self._pending

    def confirm(self, offset: int) -> None:
        """Forget all updates below `offset`; a negative one keeps only the last -offset updates."""
        if offset > 0:
            self._pending = [update for update in self._pending if update.id >= offset]
        elif offset < 0:
            self._pending = self._pending[offset:]

    def remove(self, update: Pending) -> None:
        """Forget one update: a webhook took it."""
        self._pending = [other for other in self._pending if other.id != update.id]
        self._bell.ring()

    def drop(self) -> None:
        """Forget everything that waits."""
        self._pending = []
