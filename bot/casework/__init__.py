"""Casework: one use case, one function, one transaction; state and outgoing words together."""

from bot.casework.base import utc_now
from bot.casework.board import BoardText
from bot.casework.card import Card
from bot.casework.claims import DeskInbound
from bot.casework.inbound import EVENTS_AT_ONCE, FileRef, Inbound, NoSuchConversation, Receipt, StoredFile, TooFast
from bot.casework.keeping import Keeping, Swept
from bot.casework.lease import Lease
from bot.casework.letters import Letters
from bot.casework.outbound import Outgoing, Sending
from bot.casework.turns import Pending

__all__ = [
    "EVENTS_AT_ONCE",
    "BoardText",
    "Card",
    "Casework",
    "DeskInbound",
    "FileRef",
    "Inbound",
    "NoSuchConversation",
    "Outgoing",
    "Pending",
    "Receipt",
    "StoredFile",
    "Swept",
    "TooFast",
    "utc_now",
]


class Casework(Sending, Letters, Lease, Keeping):
    """All use cases."""
