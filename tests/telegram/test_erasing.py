"""Erased: a word planted in every place where words can rest is found in none of them afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from bot.casework import Inbound
from bot.journey import Heard
from bot.model import File, Mention, Receipt
from sandbox.testing import ADA, BEN, GROUP_ID, LUIS, MEI, Sandbox
from tests.bot.casework.people import everything
from tests.telegram.conftest import PIXEL, Handed, Json, Waypoint, upload
from tests.telegram.test_commands import confirm, general

PLANTED = "xylophonecancer"


async def press(waypoint: Waypoint, conversation: str, act: str, **carries: str) -> None:
    """The person presses a button of the assistant."""
    receipt = await waypoint.casework.receive(conversation, f"press {act} {carries}", Inbound("choice", choice="x"))
    await waypoint.casework.take_turn(receipt.turn, Heard("press", pressed={"act": act, **carries}), "action_press")
    await waypoint.settle()


async def erase(waypoint: Waypoint, conversation: str) -> None:
    """The person deletes everything, from wherever they are."""
    await press(waypoint, conversation, "resume")  # whose first words are a press is welcomed, and nothing else
    await press(waypoint, conversation, "erase")


async def in_group(box: Sandbox) -> list[Json]:
    """What stands in the group with the planted word, in any topic."""
    chat = box.world.chats[GROUP_ID]
    found = [message.full() for message in chat.messages.values() if not message.deleted and _stands(chat, message)]
    return [message for message in found if PLANTED in str(message)]


def _stands(chat: Any, message: Any) -> bool:
    topic = chat.topics.get(message.thread) if message.thread else None
    return topic is None or not topic.deleted


def in_files(*folders: Path) -> list[str]:
    """Files, the database's with its write-ahead log among them, in whose bytes the planted word stands."""
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return [file.name for file in files if PLANTED.encode() in file.read_bytes()]


async def plant(waypoint: Waypoint) -> Handed:
    """Somebody's case, with the word wherever it can be said, sent, noted, looked for, or kept waiting."""
    box, handed = waypoint.box, await waypoint.claimed()
    said = await box.say(ADA, f"the {PLANTED} came back")
    await waypoint.settle()
    await box.post("edits", **{"from": ADA}, chat=ADA, message_id=said["message_id"], text=f"my {PLANTED} came back")
    await box.say(ADA, document=upload(PLANTED.encode(), f"{PLANTED}.txt"), caption=f"{PLANTED} report")
    await waypoint.settle()
    answer = await handed.reply(MEI, await handed.brief(), f"I am sorry about the {PLANTED}")
    await waypoint.settle()
    edited = {"from": MEI, "chat": GROUP_ID, "message_id": answer["message_id"]}
    await box.post("edits", **edited, text=f"I am so sorry about the {PLANTED}")
    await waypoint.settle()
    await handed.write(MEI, photo=upload(PIXEL), caption=f"/say {PLANTED}")
    await handed.write(MEI, f"colleagues, this {PLANTED} is rare")
    await handed.write(MEI, f"/note {PLANTED}")
    await handed.write(MEI, f"/remind 2d {PLANTED}")
    await handed.write(MEI, f"/r call {PLANTED}")
    await waypoint.later(61)
    await handed.write(MEI, f"/close {PLANTED}\n{PLANTED}, goodbye")
    await waypoint.later(61)
    await press(waypoint, handed.conversation, "rate", stars="2")
    receipt = await waypoint.casework.receive(handed.conversation, "stars", Inbound("text", text=f"{PLANTED} hurts"))
    await waypoint.casework.take_turn(receipt.turn, Heard("words", text=f"{PLANTED} hurts"), "action_answer")
    await press(waypoint, handed.conversation, "human")
    await waypoint.later(61)
    for _ in range(2):
        await box.say(LUIS, f"/find {PLANTED}", chat=GROUP_ID)
    await waypoint.later(61)
    (waypoint.settings.files_dir / "of_the_website").write_bytes(PLANTED.encode())
    async with waypoint.casework.transaction() as session:
        case, _ = await waypoint._of(session, handed.conversation)
        case.progress = case.progress.replace('"name":""', f'"name":"{PLANTED}"')
        session.add(
            File(case_id=case.id, name=PLANTED, mime="text/plain", size=9, kind="document", path="of_the_website",
                 created_at=waypoint.now())
        )  # fmt: skip
    await waypoint.settle()
    return handed


@pytest.mark.parametrize("by", ["person", "coordinator"])
async def test_a_planted_word_is_found_nowhere_after_everything_was_erased(
    waypoint: Waypoint, box: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture, by: str
) -> None:
    caplog.set_level("DEBUG", logger="bot")
    handed = await plant(waypoint)
    kept = await everything(waypoint.db)
    for table in ("cases", "messages", "notes", "reminders", "drafts", "files", "mentions"):
        assert any(line.startswith(f"{table}: ") for line in kept.splitlines()), table
        assert table == "mentions" or any(
            line.startswith(f"{table}: ") and PLANTED in line for line in kept.splitlines()
        ), table
    assert len(await in_group(box)) > 10
    assert "of_the_website" in in_files(tmp_path)

    if by == "person":
        await erase(waypoint, handed.conversation)
    else:
        await handed.write(MEI, "/erase")
        await waypoint.settle()
        await confirm(handed, MEI, "desk.erase_yes")
    await waypoint.later(61)

    assert PLANTED not in await everything(waypoint.db)
    assert in_files(tmp_path) == []
    assert await in_group(box) == []
    assert PLANTED not in caplog.text
    (receipt,) = await rows(waypoint, Receipt)
    assert (receipt.by, receipt.in_group, receipt.left_in_group) == (by, "deleted", 0)
    told = await handed.heard()
    assert waypoint.casework.words("erase.group_done", receipt=receipt.code) in told
    assert PLANTED not in receipt.code
    assert await rows(waypoint, Mention) == []


async def rows(waypoint: Waypoint, table: Any) -> list[Any]:
    """All rows of a table."""
    async with waypoint.casework.reading() as session:
        return list((await session.scalars(select(table))).all())


async def test_what_telegram_does_not_let_the_bot_delete_is_told_to_the_person_and_to_the_group(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    await box.say(ADA, f"the {PLANTED} came back")
    await handed.write(MEI, f"colleagues, this {PLANTED} is rare")
    await waypoint.settle()
    rights = {"can_manage_topics": True, "can_pin_messages": True, "can_delete_messages": False}
    await box.post("members", chat=GROUP_ID, person="bot", status="administrator", rights=rights)
    await erase(waypoint, handed.conversation)
    await waypoint.settle()
    (left,) = await in_group(box)  # a colleague's own words; those of the bot are gone
    assert left["text"].startswith("colleagues")
    (receipt,) = await rows(waypoint, Receipt)
    assert receipt.in_group == "left"
    assert (await handed.heard())[-1] == waypoint.casework.words("erase.group_left", receipt=receipt.code)
    assert any("delete its topic by hand" in " ".join(m["text"].split()) for m in await general(waypoint))


async def test_while_the_group_cannot_be_reached_the_person_is_told_so_once_and_told_when_it_is_done(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    thread = await handed.thread()
    await box.post("members", chat=GROUP_ID, person="bot", status="left")
    await erase(waypoint, handed.conversation)
    for _ in range(3):
        await waypoint.later(301)
    (receipt,) = await rows(waypoint, Receipt)
    waits = waypoint.casework.words("erase.group_waits", receipt=receipt.code)
    assert [told for told in await handed.heard() if "group" in told and "DEL-" in told] == [waits]
    await box.post("members", chat=GROUP_ID, person="bot", status="administrator")
    await waypoint.later(301)
    assert box.world.chats[GROUP_ID].topics[thread].deleted
    assert (await handed.heard())[-1] == waypoint.casework.words("erase.group_done", receipt=receipt.code)


async def test_what_was_shown_of_others_elsewhere_stays(waypoint: Waypoint, box: Sandbox) -> None:
    ada, ben = await waypoint.claimed(ADA), await waypoint.claimed(BEN)
    for handed in (ada, ben):
        await box.say(LUIS, f"/find {handed.code}", chat=GROUP_ID)
    await waypoint.settle()
    await erase(waypoint, ada.conversation)
    await waypoint.settle()
    stand = [m for m in await general(waypoint) if not m["sandbox"]["deleted"]]
    assert any(ben.code in m["text"] for m in stand)
    assert not any(ada.code in m["text"] for m in stand)


async def test_the_write_ahead_log_is_emptied_later_when_somebody_was_reading_it(
    waypoint: Waypoint, tmp_path: Path
) -> None:
    handed = await waypoint.claimed()
    async with waypoint.casework.transaction() as session:
        case, _ = await waypoint._of(session, handed.conversation)
        case.close_reason = PLANTED
    async with waypoint.casework.reading() as session:
        await session.execute(text("SELECT count(*) FROM cases"))
        await erase(waypoint, handed.conversation)
        assert await waypoint.casework.fact("database.unscrubbed") == "yes"
    await waypoint.watcher.run_once()
    assert in_files(tmp_path) == []
    assert await waypoint.casework.fact("database.unscrubbed") == ""
