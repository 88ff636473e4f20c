"""What somebody said about keeping what they tell: each yes and no with its time, channel, wording and limits."""

from __future__ import annotations

from datetime import datetime

from bot.keep import Keep
from bot.model import Case, Consent, Conversation

# The wording that is agreed to; tests/guide/test_consent.py holds its fingerprint, and asks for a new version with it.
CONSENT_VERSION = "2026-11.2"


def agreed(case: Case, conversation: Conversation, at: datetime, keep: Keep) -> Consent:
    """They agreed, and were told for how long it is kept."""
    case.consent, case.keep_days, case.keep_case_days = "agreed", keep.days, keep.case_days
    return _noted(case, conversation, at, "agreed")


def declined(case: Case, conversation: Conversation, at: datetime, *, withdrawn: bool = False) -> Consent:
    """They did not agree, or took back what they had agreed to."""
    case.consent, case.keep_days, case.keep_case_days = "declined", None, None
    return _noted(case, conversation, at, "withdrawn" if withdrawn else "declined")


def sent(case: Case, conversation: Conversation, at: datetime) -> Consent:
    """The separate yes, before people see the case: they saw what would be sent, and sent it."""
    return _row(case, conversation, at, "sent")


def _noted(case: Case, conversation: Conversation, at: datetime, what: str) -> Consent:
    case.consent_version, case.consent_at, case.consent_channel = CONSENT_VERSION, at, conversation.channel
    return _row(case, conversation, at, what)


def _row(case: Case, conversation: Conversation, at: datetime, what: str) -> Consent:
    return Consent(
        case_id=case.id,
        at=at,
        what=what,
        version=CONSENT_VERSION,
        channel=conversation.channel,
        lang=conversation.lang,
        keep_days=case.keep_days,
        keep_case_days=case.keep_case_days,
    )
