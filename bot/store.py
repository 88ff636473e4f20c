"""Every query. Takes a session, never commits: the use case in `casework` is the transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import batched
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    and_,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from bot import keyring
from bot.model import (
    Base,
    Button,
    Case,
    Consent,
    Conversation,
    DataKey,
    DeskEvent,
    Draft,
    Fact,
    File,
    Inbox,
    Link,
    Member,
    Mention,
    Message,
    Note,
    Outbox,
    Receipt,
    Relayed,
    Reminder,
    TopicMessage,
)

LANES_AT_ONCE = 32
SEARCHED, SEARCHED_AT_ONCE = 1_000, 25  # cases that /find opens
WORDS = 3  # the priority of words in the outbox; what is less pressing has a higher one (bot/casework/base.py)


def _count(result: Any) -> int:
    return cast("CursorResult[Any]", result).rowcount


async def case(session: AsyncSession, case_id: str, *, lock: bool = False) -> Case | None:
    """A case; with `lock`, held until the transaction ends, so that its turns follow one another."""
    # `key_share`: a message that comes in refers to its case, and must not wait for the turn that holds it. The two
    # would wait for each other, since the turn in the end needs the conversation that the message has counted up.
    return await session.get(
        Case, case_id, with_for_update={"key_share": True} if lock else None, populate_existing=lock
    )


async def case_by_topic(session: AsyncSession, topic_id: int) -> Case | None:
    """The case of a forum topic, locked."""
    return await session.scalar(select(Case).where(Case.topic_id == topic_id).with_for_update(key_share=True))


async def conversation(session: AsyncSession, conversation_id: str) -> Conversation | None:
    """A conversation by id."""
    return await session.get(Conversation, conversation_id)


async def conversation_at(session: AsyncSession, channel: str, address: str) -> Conversation | None:
    """The conversation at an address of a channel."""
    return await session.scalar(
        select(Conversation).where(Conversation.channel == channel, Conversation.address == address)
    )


async def conversations_of(session: AsyncSession, case_id: str) -> Sequence[Conversation]:
    """All conversations of a case, oldest first."""
    query = select(Conversation).where(Conversation.case_id == case_id).order_by(Conversation.created_at)
    return (await session.scalars(query)).all()


# On the table, since a session would first write all that waits in it, one thing at a time.
_conversations = Base.metadata.tables["conversations"]
_COUNT_UP = (
    update(_conversations)
    .where(_conversations.c.id == bindparam("conversation"))
    .values(last_seq=_conversations.c.last_seq + bindparam("by"))
    .returning(_conversations.c.last_seq)
)


async def next_seq(session: AsyncSession, conversation_id: str, count: int = 1) -> int:
    """Count a conversation's messages up; the row stays locked, so that numbers commit in order.

    Returns the first of `count` numbers.
    """
    seq: int | None = await session.scalar(_COUNT_UP, {"conversation": conversation_id, "by": count})
    if seq is None:
        raise LookupError(f"no conversation {conversation_id}")
    return seq - count + 1


async def inbox_by_external(session: AsyncSession, lane: str, external_id: str) -> Inbox | None:
    """What was received under a channel's own id, if it was."""
    return await session.scalar(select(Inbox).where(Inbox.lane == lane, Inbox.external_id == external_id))


async def inbox(session: AsyncSession, turn: str, *, lock: bool = False) -> Inbox | None:
    """A turn by its id; with `lock`, held until the transaction ends."""
    query = select(Inbox).where(Inbox.id == turn)
    return await session.scalar(query.with_for_update() if lock else query)


async def came_since(session: AsyncSession, lane: str, since: datetime) -> tuple[int, datetime | None]:
    """How much came in a lane since a moment, and when the oldest of it did."""
    query = select(func.count(), func.min(Inbox.received_at)).where(Inbox.lane == lane, Inbox.received_at > since)
    count, oldest = (await session.execute(query)).one()
    return count, oldest


async def was_said_since(session: AsyncSession, conversation_id: str, say: str, since: datetime) -> bool:
    """Whether somebody was told something since a moment."""
    query = select(Message.id).where(Message.conversation_id == conversation_id, Message.say == say, Message.at > since)
    return await session.scalar(query.limit(1)) is not None


_CASE_OF_TURN = (
    select(Conversation.case_id)
    .join(Inbox, Inbox.conversation_id == Conversation.id)
    .where(Inbox.id == bindparam("turn"))
)
_LOCKED_CASE_OF_TURN = (
    select(Case)
    .where(Case.id == _CASE_OF_TURN.scalar_subquery())
    .with_for_update(key_share=True)  # as in `case`
    .execution_options(populate_existing=True)
)
_TURN = (
    select(Inbox, Conversation)
    .join(Conversation, Inbox.conversation_id == Conversation.id)
    .where(Inbox.id == bindparam("turn"))
    .execution_options(populate_existing=True)
)
_TURN_AND_CASE = _TURN.add_columns(Case).join(Case, Case.id == Conversation.case_id)


async def case_of_turn(session: AsyncSession, turn: str) -> Case | None:
    """The case that a turn's conversation belongs to, locked; None for a turn that is no person's."""
    return await session.scalar(_LOCKED_CASE_OF_TURN, {"turn": turn})


async def turn(session: AsyncSession, turn: str) -> tuple[Inbox, Conversation] | None:
    """A person's turn with its conversation, as they are now."""
    row = (await session.execute(_TURN, {"turn": turn})).one_or_none()
    return None if row is None else (row[0], row[1])


async def turn_and_case(session: AsyncSession, turn: str) -> tuple[Inbox, Conversation, Case] | None:
    """A person's turn with its conversation and its case, to look at."""
    row = (await session.execute(_TURN_AND_CASE, {"turn": turn})).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


_earlier = aliased(Inbox)
_DUE_TURNS = (
    select(Inbox.lane, Inbox.id, Inbox.alarm)
    .where(
        Inbox.state == "new",
        or_(Inbox.not_before.is_(None), Inbox.not_before <= bindparam("now")),
        or_(
            Inbox.alarm != "",
            ~exists().where(_earlier.lane == Inbox.lane, _earlier.state == "new", _earlier.number < Inbox.number),
        ),
    )
    .order_by(Inbox.alarm == "", Inbox.number)
    .limit(bindparam("most"))
)


async def due_turns(session: AsyncSession, now: datetime, skip: set[str]) -> Sequence[tuple[str, str]]:
    """(key, turn) of the turns that may be taken now, except the keys in `skip`.

    Those that raised a red flag come first, and wait for nothing, not even for their own lane: each is its own key.
    Then the oldest of each lane, whose key is the lane.
    """
    rows = await session.execute(_DUE_TURNS, {"now": now, "most": LANES_AT_ONCE + len(skip)})
    keys = [(turn if alarm else lane, turn) for lane, turn, alarm in rows.all()]
    return [(key, turn) for key, turn in keys if key not in skip]


async def hurry_turns(session: AsyncSession, now: datetime) -> None:
    """End the pauses of people's turns that wait for another attempt."""
    await session.execute(
        update(Inbox)
        .where(Inbox.state == "new", Inbox.not_before > now, Inbox.conversation_id.is_not(None))
        .values(not_before=None)
    )


async def button(session: AsyncSession, conversation_id: str, token: str) -> Button | None:
    """A choice of this conversation; another conversation's is as good as none."""
    return await session.scalar(select(Button).where(Button.id == token, Button.conversation_id == conversation_id))


async def use_buttons(session: AsyncSession, conversation_id: str, seq: int, now: datetime) -> int:
    """Use up every choice under one message. Returns how many were still alive."""
    return _count(
        await session.execute(
            update(Button)
            .where(Button.conversation_id == conversation_id, Button.seq == seq, Button.used_at.is_(None))
            .values(used_at=now)
        )
    )


async def message(session: AsyncSession, conversation_id: str, seq: int) -> Message | None:
    """One message of a conversation."""
    return await session.scalar(select(Message).where(Message.conversation_id == conversation_id, Message.seq == seq))


_MESSAGES_AFTER = (
    select(Message)
    .where(Message.conversation_id == bindparam("conversation"), Message.seq > bindparam("seq"))
    .order_by(Message.seq)
    .limit(bindparam("most"))
)


async def messages_after(session: AsyncSession, conversation_id: str, seq: int, limit: int) -> Sequence[Message]:
    """Messages of a conversation after a number, in order."""
    after = {"conversation": conversation_id, "seq": seq, "most": limit}
    return (await session.scalars(_MESSAGES_AFTER, after)).all()


async def client_ids(session: AsyncSession, conversation_id: str, seqs: list[int]) -> dict[int, str]:
    """The ids that a channel gave to messages of a person, by their numbers."""
    query = select(Inbox.seq, Inbox.external_id).where(Inbox.conversation_id == conversation_id, Inbox.seq.in_(seqs))
    return dict((await session.execute(query)).all())


async def coordinators_words_since(session: AsyncSession, conversation_id: str, since: datetime) -> Sequence[Message]:
    """What coordinators said in a conversation from a moment on, in order."""
    query = (
        select(Message)
        .where(Message.conversation_id == conversation_id, Message.role == "coordinator", Message.at >= since)
        .order_by(Message.seq)
    )
    return (await session.scalars(query)).all()


async def live_buttons(session: AsyncSession, conversation_id: str, seqs: list[int]) -> set[str]:
    """The ids of the choices under these messages that can still be used."""
    query = select(Button.id).where(
        Button.conversation_id == conversation_id, Button.seq.in_(seqs), Button.used_at.is_(None)
    )
    return set((await session.scalars(query)).all())


async def recent_messages(session: AsyncSession, case_id: str, limit: int | None) -> Sequence[Message]:
    """The last messages of a case, oldest first; all of them without a limit."""
    query = select(Message).where(Message.case_id == case_id).order_by(Message.id.desc()).limit(limit)
    return list(reversed((await session.scalars(query)).all()))


async def files(session: AsyncSession, case_id: str) -> Sequence[File]:
    """Files of a case, oldest first."""
    return (await session.scalars(select(File).where(File.case_id == case_id).order_by(File.created_at, File.id))).all()


async def coalesced(session: AsyncSession, key: str) -> Outbox | None:
    """An outgoing row that says the same thing anew and has not been taken yet; locked, so that it stays so."""
    query = select(Outbox).where(Outbox.coalesce == key, Outbox.state == "due", Outbox.lease_until.is_(None))
    return await session.scalar(query.order_by(Outbox.id.desc()).limit(1).with_for_update())


_before = aliased(Outbox)
_MAY_GO = and_(
    Outbox.state == "due",
    Outbox.not_before <= bindparam("now"),
    or_(Outbox.lease_until.is_(None), Outbox.lease_until < bindparam("now")),
    ~exists().where(and_(_before.lane == Outbox.lane, _before.state == "due", _before.id < Outbox.id)),
)
_ANY_DUE = select(Outbox.id).where(_MAY_GO).limit(1)
_DUE_OUTBOX = (
    select(Outbox)
    .where(_MAY_GO)
    .order_by(Outbox.priority, Outbox.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)


async def any_due_outbox(session: AsyncSession, now: datetime) -> bool:
    """Whether anything may be sent now."""
    return await session.scalar(_ANY_DUE, {"now": now}) is not None


async def due_outbox(session: AsyncSession, now: datetime, limit: int) -> Sequence[Outbox]:
    """The first open row of each lane that may be sent now: most pressing first, then oldest."""
    return (await session.scalars(_DUE_OUTBOX, {"now": now, "most": limit})).all()


async def behind(session: AsyncSession, row: Outbox, limit: int) -> Sequence[Outbox]:
    """What waits behind a row in its lane and has not been taken, in order."""
    query = select(Outbox).where(
        Outbox.lane == row.lane, Outbox.state == "due", Outbox.id > row.id, Outbox.lease_until.is_(None)
    )
    return (await session.scalars(query.order_by(Outbox.id).limit(limit).with_for_update(skip_locked=True))).all()


async def undelivered(session: AsyncSession) -> int:
    """How many outgoing rows were given up."""
    return await session.scalar(select(func.count()).where(Outbox.state == "failed")) or 0


async def dead_letters(session: AsyncSession, limit: int) -> Sequence[tuple[Outbox, str | None]]:
    """Outgoing rows that were given up, each with its case's code, oldest first."""
    query = select(Outbox, Case.code).outerjoin(Case, Case.id == Outbox.case_id).where(Outbox.state == "failed")
    return [(row, code) for row, code in (await session.execute(query.order_by(Outbox.id).limit(limit))).all()]


async def dead(session: AsyncSession, numbers: Sequence[int]) -> Sequence[Outbox]:
    """Those of these outgoing rows that were given up, locked, oldest first."""
    query = select(Outbox).where(Outbox.id.in_(numbers), Outbox.state == "failed")
    return (await session.scalars(query.order_by(Outbox.id).with_for_update())).all()


async def waiting_outbox(session: AsyncSession) -> tuple[int, datetime | None]:
    """How many outgoing rows wait to be sent, and since when the oldest does."""
    query = select(func.count(), func.min(Outbox.created_at)).where(Outbox.state == "due")
    count, oldest = (await session.execute(query)).one()
    return count, oldest


async def delayed(session: AsyncSession, case_id: str, since: datetime) -> tuple[int, datetime | None]:
    """How many words of a case have waited to be sent since before a moment, and since when the oldest does."""
    query = select(func.count(), func.min(Outbox.created_at)).where(
        Outbox.case_id == case_id,
        Outbox.state == "due",
        Outbox.created_at < since,
        Outbox.priority <= WORDS,  # an edit of a card that waits delays nobody's words
    )
    count, oldest = (await session.execute(query)).one()
    return count, oldest


async def open_cases(session: AsyncSession) -> Sequence[Case]:
    """The cases that people hold or wait for."""
    held = Case.state.in_(("waiting", "claimed"))
    await keyring.learn(session, select(Case.id).where(held))
    return (await session.scalars(select(Case).where(held))).all()


async def case_states(session: AsyncSession) -> dict[str, int]:
    """How many cases stand in each state."""
    rows = await session.execute(select(Case.state, func.count()).group_by(Case.state))
    return dict(rows.all())


async def late_cases(session: AsyncSession, now: datetime) -> int:
    """How many open cases wait for an answer that is overdue."""
    query = select(func.count()).where(Case.due_at < now, Case.state.in_(("waiting", "claimed")))
    return await session.scalar(query) or 0


async def desk_events(session: AsyncSession, since: datetime) -> Sequence[DeskEvent]:
    """What happened at the desk since a moment, in order."""
    query = select(DeskEvent).where(DeskEvent.at >= since).order_by(DeskEvent.at, DeskEvent.id)
    return (await session.scalars(query)).all()


# The clock of the desk.


async def due_alerts(session: AsyncSession, now: datetime, limit: int, *, urgent_only: bool) -> Sequence[str]:
    """Cases whose person waits for longer than they should, and of which the group is to be told, oldest first."""
    late = Case.alert_at <= now, Case.waiting_since.is_not(None), Case.state.in_(("waiting", "claimed"))
    query = select(Case.id).where(*late).order_by(Case.alert_at).limit(limit)
    return (await session.scalars(query.where(Case.urgent) if urgent_only else query)).all()


async def due_reminders(session: AsyncSession, now: datetime, limit: int) -> Sequence[int]:
    """Reminders whose time has come, oldest first."""
    query = select(Reminder.id).where(Reminder.due_at <= now, ~Reminder.done).order_by(Reminder.due_at).limit(limit)
    return (await session.scalars(query)).all()


async def topic_message(session: AsyncSession, chat_id: int, message_id: int) -> TopicMessage | None:
    """What a message in the coordinators' group stands for."""
    return await session.get(TopicMessage, (chat_id, message_id))


async def fact(session: AsyncSession, key: str) -> str:
    """A small fact, or ""."""
    found = await session.get(Fact, key)
    return found.value if found else ""


async def set_fact(session: AsyncSession, key: str, value: str) -> None:
    """Remember a small fact."""
    await session.merge(Fact(key=key, value=value))


async def erase_transcript(session: AsyncSession, case_id: str) -> None:
    """Delete what was said, by everyone; the buttons that were shown stay good."""
    await session.execute(delete(Message).where(Message.case_id == case_id))


async def erase(session: AsyncSession, case_id: str, ids: Sequence[str], until: int, now: datetime) -> list[str]:
    """Delete all that a case and its conversations hold, themselves excepted, and destroy its keys, so that backups
    forget it too. Returns the paths of its files.

    Inbox rows up to the number `until` stay as empty shells, so that an update that Telegram sends again is still
    known; their words go. What came in later has not been read yet, and belongs to the time after.
    """
    paths = (await session.scalars(select(File.path).where(File.case_id == case_id, File.path != ""))).all()
    await erase_transcript(session, case_id)
    await session.execute(delete(Button).where(Button.conversation_id.in_(ids)))
    await session.execute(delete(File).where(File.case_id == case_id))
    await session.execute(delete(Link).where(Link.case_id == case_id))
    for table in (Consent, TopicMessage, Mention, Relayed, Reminder, Note, Draft):
        await session.execute(delete(table).where(table.case_id == case_id))
    # The desk's figures stay, without saying whose they were.
    await session.execute(update(DeskEvent).where(DeskEvent.case_id == case_id).values(case_id=None))
    await session.execute(delete(Outbox).where(or_(Outbox.case_id == case_id, Outbox.conversation_id.in_(ids))))
    await session.execute(
        update(Inbox)
        .where(Inbox.conversation_id.in_(ids), or_(Inbox.number <= until, Inbox.state != "new"))
        .values(payload={}, said=[], state="done", error="")
        .execution_options(synchronize_session="fetch")
    )
    # What belongs to the time after is sealed anew, by the key of the case that its conversation has now.
    unread = select(Inbox).where(Inbox.conversation_id.in_(ids), Inbox.state == "new")
    for row in (await session.scalars(unread)).all():
        keyring.seal_anew(row)
    await session.flush()
    destroyed = update(DataKey).where(DataKey.owner == case_id).values(wrapped=None, destroyed_at=now)
    await session.execute(destroyed, execution_options={"synchronize_session": False})
    keyring.lost(session, case_id)
    return list(paths)


async def in_group(session: AsyncSession, case_id: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """(chat, message) of all that the group holds of a case: in its topic, and elsewhere."""
    posted = select(TopicMessage.chat_id, TopicMessage.message_id).where(TopicMessage.case_id == case_id)
    relayed = select(Relayed.desk_chat_id, Relayed.desk_message_id).where(
        Relayed.case_id == case_id, Relayed.desk_chat_id.is_not(None), Relayed.desk_message_id.is_not(None)
    )
    mentions = select(Mention.chat_id, Mention.message_id).where(Mention.case_id == case_id)
    topic = [(chat, message) for chat, message in (await session.execute(posted.union(relayed))).all()]
    elsewhere = [(chat, message) for chat, message in (await session.execute(mentions)).all()]
    return sorted(topic), sorted(set(elsewhere) - set(topic))


async def unsay(session: AsyncSession, code: str, topic_id: int | None) -> None:
    """Take back what waits to be shown of a case to coordinators elsewhere, and what they wrote that failed."""
    showing = select(Outbox).where(Outbox.kind.in_(("group.post", "topic.post")), Outbox.state.in_(("due", "failed")))
    for row in (await session.scalars(showing)).all():
        if any(line[0] == code for line in row.payload.get("lines") or ()):
            row.state, row.payload = "dropped", {}
    if topic_id is not None:
        failed = update(Inbox).where(Inbox.lane == f"desk:{topic_id}", Inbox.state != "new")
        await session.execute(failed.values(payload={}).execution_options(synchronize_session=False))


async def receipt(session: AsyncSession, code: str) -> Receipt | None:
    """The receipt of an erasure, locked."""
    return await session.get(Receipt, code, with_for_update=True, populate_existing=True)


async def mention(session: AsyncSession, chat_id: int, message_id: int, case_id: str) -> None:
    """Remember that a message shows something of a case."""
    await session.merge(Mention(chat_id=chat_id, message_id=message_id, case_id=case_id))


async def forget_fact(session: AsyncSession, key: str) -> None:
    """Forget a small fact."""
    await session.execute(delete(Fact).where(Fact.key == key))


async def forget(session: AsyncSession, ids: Sequence[str]) -> None:
    """Delete conversations with all that is in them; what their cases hold must be gone."""
    for table in (Message, Button, Inbox):
        await session.execute(delete(table).where(table.conversation_id.in_(ids)))
    await session.execute(delete(Conversation).where(Conversation.id.in_(ids)))


# What has been kept long enough.


async def promises(session: AsyncSession) -> Sequence[tuple[int | None, int | None]]:
    """What people were told of how long things are kept: (days of a case, days of a closed one), each pair once."""
    rows = await session.execute(select(Case.keep_days, Case.keep_case_days).distinct())
    return [(days, case_days) for days, case_days in rows.all()]


async def forgettable(session: AsyncSession, over: ColumnElement[bool], limit: int) -> Sequence[str]:
    """Cases whose time is `over`, and of which no words wait to be answered."""
    waits = exists().where(
        Conversation.case_id == Case.id, Inbox.conversation_id == Conversation.id, Inbox.state == "new"
    )
    return (await session.scalars(select(Case.id).where(over, ~waits).order_by(Case.updated_at).limit(limit))).all()


def drafts_before(moment: datetime) -> ColumnElement[bool]:
    """Those of people who have not agreed, and were silent since."""
    return and_(Case.consent != "agreed", Case.state == "talking", Case.updated_at < moment)


def talks_before(moment: datetime, promised: int | None) -> ColumnElement[bool]:
    """Those that were never handed over, of people who agreed, and were silent since."""
    return and_(
        Case.consent == "agreed", Case.state == "talking", Case.updated_at < moment, _same(Case.keep_days, promised)
    )


def closed_before(moment: datetime, promised: int | None) -> ColumnElement[bool]:
    """Those that were closed before, with no words since."""
    return and_(
        Case.state == "closed",
        Case.updated_at < moment,
        or_(Case.closed_at.is_(None), Case.closed_at < moment),
        _same(Case.keep_case_days, promised),
    )


def _same(column: Any, value: int | None) -> Any:
    return column.is_(None) if value is None else column == value


async def lock_conversations(session: AsyncSession, case_id: str) -> bool:
    """Let nothing more come in for a case until the transaction ends. False when words wait to be answered already."""
    ids = (
        await session.scalars(select(Conversation.id).where(Conversation.case_id == case_id).with_for_update())
    ).all()
    waits = select(Inbox.number).where(Inbox.conversation_id.in_(ids), Inbox.state == "new").limit(1)
    return await session.scalar(waits) is None


async def clear_deliveries(session: AsyncSession, before: datetime) -> int:
    """Delete what came in and went out before a moment, and is done with. Returns how many rows that were."""
    came = delete(Inbox).where(Inbox.state != "new", Inbox.received_at < before)
    went = delete(Outbox).where(Outbox.state != "due", Outbox.created_at < before)
    options = {"synchronize_session": False}
    return _count(await session.execute(came, execution_options=options)) + _count(
        await session.execute(went, execution_options=options)
    )


async def clear_figures(session: AsyncSession, before: datetime) -> int:
    """Delete what happened at the desk before a moment. Returns how many rows that were."""
    return _count(await session.execute(delete(DeskEvent).where(DeskEvent.at < before)))


async def clear_expired(session: AsyncSession, links: datetime, drafts: datetime) -> int:
    """Delete links that ended, and drafts of coordinators that are too old to be confirmed. Returns how many."""
    ended = await session.execute(delete(Link).where(Link.expires_at < links))
    stale = await session.execute(delete(Draft).where(Draft.at < drafts))
    return _count(ended) + _count(stale)


async def file_paths(session: AsyncSession) -> set[str]:
    """Every file in our folder that something refers to."""
    return set((await session.scalars(select(File.path).where(File.path != ""))).all())


async def clear_files(session: AsyncSession, limit: int) -> Sequence[File]:
    """Files in our folder from before files were sealed."""
    return (await session.scalars(select(File).where(File.path != "", File.key == "").limit(limit))).all()


async def move(session: AsyncSession, conversation_id: str, from_case: str, to_case: str) -> None:
    """Give a conversation's transcript and files to another case."""
    await session.execute(update(Message).where(Message.conversation_id == conversation_id).values(case_id=to_case))
    await session.execute(update(File).where(File.case_id == from_case).values(case_id=to_case))
    await session.execute(update(Consent).where(Consent.case_id == from_case).values(case_id=to_case))
    await session.execute(delete(Link).where(Link.case_id == from_case))
    await session.execute(update(DataKey).where(DataKey.owner == from_case).values(owner=to_case))


async def consents(session: AsyncSession, case_id: str) -> Sequence[Consent]:
    """Every yes and no of a case, oldest first."""
    return (await session.scalars(select(Consent).where(Consent.case_id == case_id).order_by(Consent.id))).all()


# What coordinators do.


async def case_by_code(session: AsyncSession, code: str, *, lock: bool = False) -> Case | None:
    """The case of a code; with `lock`, held until the transaction ends."""
    query = select(Case).where(Case.code == code)
    return await session.scalar(query.with_for_update(key_share=True) if lock else query)


async def find_cases(session: AsyncSession, words: str, limit: int) -> Sequence[Case]:
    """Cases that were handed over and hold these words: in what is known of them, in a note, or in what was said.

    The newest come first. The database cannot look into what is sealed, so the newest `SEARCHED` cases are opened, a
    few at a time.
    """
    found: list[Case] = []
    over = Case.state != "talking"
    newest = select(Case.id).where(over).order_by(Case.updated_at.desc()).limit(SEARCHED)
    for ids in batched((await session.scalars(newest)).all(), SEARCHED_AT_ONCE):
        await keyring.learn(session, select(Case.id).where(Case.id.in_(ids)))
        cases = (await session.scalars(select(Case).where(Case.id.in_(ids)).order_by(Case.updated_at.desc()))).all()
        words_of: dict[str, list[str]] = {case.id: [case.progress, case.holder_name] for case in cases}
        for note in (await session.scalars(select(Note).where(Note.case_id.in_(ids)))).all():
            words_of[note.case_id].append(note.text)
        for message in (await session.scalars(select(Message).where(Message.case_id.in_(ids)))).all():
            words_of[message.case_id].append(json.dumps(message.blocks, ensure_ascii=False))
        looked_for = words.casefold()
        found += [case for case in cases if any(looked_for in text.casefold() for text in words_of[case.id])]
        if len(found) >= limit:
            break
    return found[:limit]


async def said_by(session: AsyncSession, case_id: str) -> dict[str, int]:
    """How many messages of a case are of each role, except those that were taken back."""
    rows = await session.scalars(select(Message).where(Message.case_id == case_id))
    return Counter(row.role for row in rows if row.blocks)


async def notes(session: AsyncSession, case_id: str, limit: int | None = None) -> Sequence[Note]:
    """The newest notes of a case, the oldest of them first."""
    query = select(Note).where(Note.case_id == case_id).order_by(Note.id.desc()).limit(limit)
    return list(reversed((await session.scalars(query)).all()))


async def reminders(session: AsyncSession, case_id: str) -> Sequence[Reminder]:
    """The reminders of a case that have not been given, the soonest first."""
    query = select(Reminder).where(Reminder.case_id == case_id, ~Reminder.done).order_by(Reminder.due_at)
    return (await session.scalars(query)).all()


async def held_by(session: AsyncSession, user_id: int) -> Sequence[Case]:
    """The cases that a coordinator holds, locked."""
    query = select(Case).where(Case.state == "claimed", Case.holder_id == user_id).order_by(Case.id)
    return (await session.scalars(query.with_for_update(key_share=True))).all()


async def members(session: AsyncSession) -> Sequence[Member]:
    """The coordinators who are known, by name."""
    return (await session.scalars(select(Member).order_by(Member.name, Member.user_id))).all()


async def member(session: AsyncSession, user_id: int) -> Member | None:
    """A coordinator who is known."""
    return await session.get(Member, user_id)


# What is the same on both sides of the desk.


async def relayed(session: AsyncSession, number: int) -> Relayed | None:
    """One copy, by its number."""
    return await session.get(Relayed, number)


async def copies_of(session: AsyncSession, chat_id: int, message_id: int) -> Sequence[Relayed]:
    """The copies that people have of a coordinator's message, oldest first, except those that were taken back."""
    query = select(Relayed).where(
        Relayed.desk_chat_id == chat_id,
        Relayed.desk_message_id == message_id,
        ~Relayed.from_person,
        Relayed.state != "undone",
    )
    return (await session.scalars(query.order_by(Relayed.id))).all()


async def original_of(session: AsyncSession, chat_id: int, message_id: int) -> Sequence[Relayed]:
    """What a person said that stands in a topic as this message: the newest first, when they changed it."""
    query = select(Relayed).where(
        Relayed.desk_chat_id == chat_id, Relayed.desk_message_id == message_id, Relayed.from_person
    )
    return (await session.scalars(query.order_by(Relayed.id.desc()))).all()


async def reached_desk(session: AsyncSession, conversation_id: str, answered: datetime | None) -> tuple[int, int, int]:
    """Of the numbers of a person's messages that went to the topic: the first, the last that arrived there, and the
    last before a coordinator's newest answer; 0 where there is none."""
    numbers = select(func.min(Relayed.seq)).where(Relayed.conversation_id == conversation_id, Relayed.from_person)
    last = select(func.max(Relayed.seq)).where(Relayed.conversation_id == conversation_id, Relayed.from_person)
    first = await session.scalar(numbers)
    if first is None:
        return 0, 0, 0
    arrived = await session.scalar(last.where(Relayed.state == "delivered"))
    seen = await session.scalar(last.where(Relayed.at <= answered)) if answered is not None else None
    return first, arrived or 0, seen or 0


async def relayed_in_chat(session: AsyncSession, conversation_id: str, message_id: int) -> Relayed | None:
    """What a message in a person's own chat on Telegram is in the topic; the newest, when they changed it."""
    query = select(Relayed).where(Relayed.conversation_id == conversation_id, Relayed.message_id == message_id)
    return await session.scalar(query.order_by(Relayed.id.desc()).limit(1))


async def album_goes_out(session: AsyncSession, case_id: str, album: str, user_id: int) -> bool:
    """Whether another part of a coordinator's album was for the person."""
    query = select(Relayed.id).where(
        Relayed.case_id == case_id, Relayed.album == album, Relayed.user_id == user_id, ~Relayed.from_person
    )
    return await session.scalar(query.limit(1)) is not None


async def unsent_to(session: AsyncSession, conversation_id: str) -> Sequence[Outbox]:
    """What waits to go to a person and has not been taken by a dispatcher."""
    query = select(Outbox).where(
        Outbox.conversation_id == conversation_id, Outbox.state == "due", Outbox.lease_until.is_(None)
    )
    return (await session.scalars(query.order_by(Outbox.id).with_for_update())).all()


async def unread_of_desk(session: AsyncSession) -> Sequence[Inbox]:
    """Updates of the coordinators' group that have not been taken yet."""
    query = select(Inbox).where(Inbox.lane.startswith("desk:"), Inbox.state == "new")
    return (await session.scalars(query.order_by(Inbox.number).with_for_update())).all()


async def said_last(session: AsyncSession, case_id: str) -> Message | None:
    """The newest words of the person or of a coordinator that were not taken back."""
    query = select(Message).where(Message.case_id == case_id, Message.role.in_(("patient", "coordinator")))
    rows = await session.scalars(query.order_by(Message.id.desc()).limit(20))
    return next((row for row in rows if row.blocks), None)


async def file_of_case(session: AsyncSession, case_id: str, file_id: str) -> File | None:
    """A file of a case."""
    return await session.scalar(select(File).where(File.id == file_id, File.case_id == case_id))


async def messages_of_copy(session: AsyncSession, copy: Relayed) -> list[int]:
    """The messages in the person's own chat that one coordinator's message became, in order."""
    query = select(Relayed.message_id).where(
        Relayed.desk_chat_id == copy.desk_chat_id,
        Relayed.desk_message_id == copy.desk_message_id,
        Relayed.conversation_id == copy.conversation_id,
        Relayed.message_id.is_not(None),
    )
    return [
        number for number in (await session.scalars(query.order_by(Relayed.message_id))).all() if number is not None
    ]
