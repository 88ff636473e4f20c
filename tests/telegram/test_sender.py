"""What a patient sees: words, buttons, the checklist, a coordinator's files."""

from __future__ import annotations

import pytest

from bot.channels.telegram_text import units
from sandbox.testing import ADA, MEI, Sandbox
from tests.telegram.conftest import PIXEL, Waypoint, checklist, choices, labels, upload, words


async def test_a_message_is_one_text_with_a_blank_line_between_its_blocks(waypoint: Waypoint, box: Sandbox) -> None:
    await waypoint.say(await waypoint.meet(), words("First."), words("Second."))
    await waypoint.settle()
    assert (await box.wait(ADA))["text"] == "First.\n\nSecond."


async def test_peoples_words_are_never_markup(waypoint: Waypoint, box: Sandbox) -> None:
    said = 'x < y & "<b>bold</b>" </i> &amp;'
    await waypoint.say(await waypoint.meet(), words(said))
    await waypoint.settle()
    message = await box.wait(ADA)
    assert message["text"] == said
    assert "entities" not in message


async def test_a_coordinators_words_stand_under_their_bold_name(waypoint: Waypoint, box: Sandbox) -> None:
    await waypoint.say(await waypoint.meet(), words("I am here."), role="coordinator", name="Mei <sample>")
    await waypoint.settle()
    message = await box.wait(ADA)
    assert message["text"] == "Mei <sample>\nI am here."
    assert message["entities"] == [{"type": "bold", "offset": 0, "length": len("Mei <sample>")}]


async def test_the_assistant_has_no_name_and_links_no_preview(waypoint: Waypoint, box: Sandbox) -> None:
    await waypoint.say(await waypoint.meet(), words("See https://www.cancer.gov"), role="system", name="Mei")
    await waypoint.settle()
    message = await box.wait(ADA)
    assert message["text"] == "See https://www.cancer.gov"
    assert message["link_preview_options"] == {"is_disabled": True}


async def test_a_long_text_becomes_several_with_the_buttons_under_the_last(waypoint: Waypoint, box: Sandbox) -> None:
    paragraphs = [f"{number}" + " words & more 🙂" * 60 for number in range(12)]
    await waypoint.say(await waypoint.meet(), words("\n\n".join(paragraphs)), choices("Go on"))
    await waypoint.settle()
    sent = [m for m in await box.messages(ADA) if m["sandbox"]["from_bot"]]
    assert len(sent) > 2
    assert all(units(message["text"]) <= 4096 for message in sent)
    assert "\n\n".join(message["text"] for message in sent) == "\n\n".join(paragraphs)
    assert [labels(message) for message in sent] == [[]] * (len(sent) - 1) + [[["Go on"]]]


async def test_a_settled_question_shows_what_was_chosen_in_place_of_its_buttons(
    waypoint: Waypoint, box: Sandbox
) -> None:
    conversation = await waypoint.meet()
    await waypoint.say(conversation, words("Do you <agree>?"), choices("Yes", "No"))
    await waypoint.settle()
    question = await box.wait(ADA)
    blocks = [words("Do you <agree>?"), {"type": "choices", "choices": [{"id": "x", "label": "Yes"}]}]
    payload = {"blocks": blocks, "chosen": "Yes & more", "message_id": question["message_id"]}
    await waypoint.enqueue(conversation, "settle", payload, f"chat:{ADA}")
    await waypoint.settle()
    settled = await box.wait(ADA)
    assert settled["message_id"] == question["message_id"]
    assert settled["text"] == "Do you <agree>?\n\n→ Yes & more"
    assert labels(settled) == []


@pytest.mark.parametrize("question", ["Do you have <it>?", "Do you have it? " * 400])
async def test_a_coordinators_question_keeps_their_name_when_it_is_answered(
    waypoint: Waypoint, box: Sandbox, question: str
) -> None:
    conversation = await waypoint.meet()
    asked = [words(question), choices("Have it")]
    await waypoint.say(conversation, *asked, role="coordinator", name="Mei (sample)")
    await waypoint.settle()
    before = [m for m in await box.messages(ADA) if m["sandbox"]["from_bot"]]
    payload = {"blocks": asked, "chosen": "Have it", "message_id": before[-1]["message_id"]}
    await waypoint.enqueue(
        conversation, "settle", payload | {"name": "Mei (sample)", "role": "coordinator"}, f"chat:{ADA}"
    )
    await waypoint.settle()
    after = [m for m in await box.messages(ADA) if m["sandbox"]["from_bot"]]
    assert after[0]["text"].startswith("Mei (sample)\n")
    assert after[-1]["text"] == f"{before[-1]['text']}\n\n→ Have it"


async def test_a_question_that_cannot_be_edited_any_more_holds_nothing_up(waypoint: Waypoint, box: Sandbox) -> None:
    conversation = await waypoint.meet()
    payload = {"blocks": [words("?")], "chosen": "Yes", "message_id": 99999}
    await waypoint.enqueue(conversation, "settle", payload, f"chat:{ADA}")
    await waypoint.say(conversation, words("Next."))
    await waypoint.settle()
    assert (await box.wait(ADA))["text"] == "Next."
    assert {row.state for row in await waypoint.outbox()} == {"sent"}


async def test_the_checklist_is_edited_in_place(waypoint: Waypoint, box: Sandbox) -> None:
    conversation = await waypoint.meet()
    await waypoint.say(conversation, checklist(pathology="have", imaging=""))
    await waypoint.settle()
    await waypoint.say(conversation, words("Something between."))
    await waypoint.say(conversation, checklist(pathology="have", imaging="have"))
    await waypoint.settle()
    first, second = [m for m in await box.messages(ADA) if m["sandbox"]["from_bot"]]
    assert first["text"].splitlines() == [
        "Records",
        "▰▰▰▰▰▰▰▰▰▰ 2/2",
        "",
        "✅ pathology · have",
        "✅ imaging · have",
    ]
    assert second["text"] == "Something between."


async def test_a_checklist_that_reads_the_same_counts_as_sent(waypoint: Waypoint, box: Sandbox) -> None:
    conversation = await waypoint.meet()
    for _ in range(2):
        await waypoint.say(conversation, checklist(pathology="lost"))
        await waypoint.settle()
    assert len([m for m in await box.messages(ADA) if m["sandbox"]["from_bot"]]) == 1
    assert [row.state for row in await waypoint.outbox()] == ["sent", "sent"]


async def test_a_checklist_that_the_person_deleted_is_sent_anew_and_edited_from_then_on(
    waypoint: Waypoint, box: Sandbox
) -> None:
    conversation = await waypoint.meet()
    await waypoint.say(conversation, checklist(pathology=""))
    await waypoint.settle()
    await box.delete(ADA, await box.wait(ADA))
    for state in ("asked", "have"):
        await waypoint.say(conversation, checklist(pathology=state))
        await waypoint.settle()
    standing = [m for m in await box.messages(ADA) if m["sandbox"]["from_bot"] and not m["sandbox"]["deleted"]]
    assert len(standing) == 1
    assert "✅ pathology" in standing[0]["text"]


async def test_a_checklist_that_was_asked_for_comes_as_a_new_message(waypoint: Waypoint, box: Sandbox) -> None:
    conversation = await waypoint.meet()
    await waypoint.say(conversation, checklist(pathology=""))
    await waypoint.settle()
    await waypoint.say(conversation, checklist(pathology="have"), say="records.card_new")
    await waypoint.settle()
    sent = [m for m in await box.messages(ADA) if m["sandbox"]["from_bot"]]
    assert ["✅" in message["text"] for message in sent] == [False, True]


async def test_who_blocked_the_bot_is_not_written_to_again_and_again(waypoint: Waypoint, box: Sandbox) -> None:
    conversation = await waypoint.meet()
    await box.post("blocks", person=ADA, blocked=True)
    await waypoint.say(conversation, words("Hello?"))
    await waypoint.settle()
    (row,) = await waypoint.outbox()
    assert (row.state, row.attempts) == ("failed", 1)


async def test_a_coordinators_picture_arrives_under_their_name_with_their_caption_alone(
    waypoint: Waypoint, box: Sandbox
) -> None:
    handed = await waypoint.claimed()
    await handed.write(MEI, photo=upload(PIXEL), caption="/say See <this>")
    await waypoint.settle()
    picture = await box.wait(ADA, "See")
    assert picture["caption"] == "Mei (sample)\nSee <this>"
    assert "photo" in picture


async def test_what_takes_no_caption_comes_after_the_coordinators_name(waypoint: Waypoint, box: Sandbox) -> None:
    handed = await waypoint.claimed()
    await handed.reply(MEI, await handed.brief(), sticker=upload(b"RIFF....WEBP"))
    await waypoint.settle()
    *_, name, sticker = await box.messages(ADA)
    assert name["text"] == "Mei (sample)"
    assert "sticker" in sticker


async def test_an_answer_to_a_press_that_comes_too_late_holds_nothing_up(waypoint: Waypoint, box: Sandbox) -> None:
    conversation = await waypoint.meet()
    await waypoint.enqueue(conversation, "callback", {"callback_id": "1", "text": "too late"}, "now")
    await waypoint.settle()
    assert [row.state for row in await waypoint.outbox()] == ["sent"]


async def test_a_kind_that_nothing_can_send_is_a_dead_letter(waypoint: Waypoint) -> None:
    conversation = await waypoint.meet()
    await waypoint.enqueue(conversation, "pigeon", {}, f"chat:{ADA}")
    await waypoint.settle()
    assert [(row.state, row.error) for row in await waypoint.outbox()] == [("failed", "nothing can send pigeon")]


async def test_files_of_an_erased_case_are_removed_and_nothing_outside_their_folder(waypoint: Waypoint) -> None:
    conversation = await waypoint.meet()
    folder = waypoint.settings.files_dir
    (folder / "inside").write_bytes(b"x")
    (folder.parent / "outside").write_bytes(b"x")
    for path in ("inside", "../outside", "not-there"):
        await waypoint.enqueue(conversation, "unlink", {"path": path}, "files")
    await waypoint.settle()
    assert not (folder / "inside").exists()
    assert (folder.parent / "outside").exists()
    assert {row.state for row in await waypoint.outbox()} == {"sent"}
