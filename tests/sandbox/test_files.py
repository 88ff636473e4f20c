"""Files: uploaded, sent again by id, downloaded, refused when too large."""

import base64

import httpx
import pytest
from telegram.error import BadRequest, NetworkError

from sandbox.params import MAX_UPLOAD
from sandbox.testing import ADA, GROUP_ID

PNG = bytes.fromhex("89504e470d0a1a0a0000000d494844520000012c000000c8")


async def test_a_file_of_a_person_is_downloaded_as_it_was_sent(box, bot):
    await box.say(ADA, document={"name": "blood.pdf", "content": base64.b64encode(b"%PDF-1.7 sample").decode()})
    (update,) = await bot.get_updates()
    document = update.message.document
    assert (document.file_name, document.mime_type, document.file_size) == ("blood.pdf", "application/pdf", 15)
    file = await document.get_file()
    assert file.file_path == f"{box.base_file_url}{box.token}/documents/file_1.pdf"
    assert bytes(await file.download_as_bytearray()) == b"%PDF-1.7 sample"


async def test_a_file_is_sent_again_by_its_id(bot, ada):
    first = await bot.send_document(ada, b"content", filename="a.txt")
    again = await bot.send_document(GROUP_ID, first.document.file_id)
    assert again.document == first.document


async def test_every_kind_of_file_is_sent(bot, ada):
    sent = [
        await bot.send_photo(ada, PNG, caption="<b>x</b>", parse_mode="HTML"),
        await bot.send_voice(ada, b"OggS", duration=3),
        await bot.send_video(ada, b"mp4", duration=4, width=640, height=480),
        await bot.send_audio(ada, b"mp3", duration=5),
        await bot.send_animation(ada, b"mp4"),
        await bot.send_sticker(ada, b"webp", emoji="👍"),
    ]
    photo, voice, video, audio, animation, sticker = sent
    assert (photo.photo[-1].width, photo.photo[-1].height, photo.caption) == (300, 200, "x")
    assert (voice.voice.duration.seconds, video.video.width, audio.audio.duration.seconds) == (3, 640, 5)
    assert animation.document.file_id == animation.animation.file_id
    assert sticker.sticker.emoji == "👍"


async def test_people_send_every_kind_of_file(box, bot):
    for kind in ("photo", "document", "video", "voice", "audio", "animation", "sticker"):
        await box.say(ADA, **{kind: {"name": f"x.{kind}"}})
    for update in await bot.get_updates():
        attachment = update.message.effective_attachment
        last = attachment[-1] if isinstance(attachment, tuple) else attachment
        assert len(await (await last.get_file()).download_as_bytearray()) == 1000


async def test_a_file_over_20_mb_is_not_given_to_a_bot(box, bot):
    for size in (20 * 1024 * 1024, 20 * 1024 * 1024 + 1):
        await box.say(ADA, document={"name": "scan.zip", "size": size})
    fits, too_big = [u.message.document for u in await bot.get_updates()]
    assert len(await (await fits.get_file()).download_as_bytearray()) == fits.file_size
    with pytest.raises(BadRequest, match="File is too big"):
        await too_big.get_file()


async def test_an_upload_over_50_mb_is_refused(bot, ada):
    with pytest.raises(NetworkError, match="Request Entity Too Large"):
        await bot.send_document(ada, bytes(MAX_UPLOAD + 1))


async def test_a_photo_is_an_image_of_at_most_10_mb(bot, ada):
    with pytest.raises(BadRequest, match=r"(?i)image_process_failed"):
        await bot.send_photo(ada, b"not an image")
    with pytest.raises(BadRequest, match="is too big for a photo"):
        await bot.send_photo(ada, PNG + bytes(10 * 1024 * 1024))


async def test_a_file_has_something_in_it(bot, ada):
    with pytest.raises(BadRequest, match="File must be non-empty"):
        await bot.send_document(ada, b"")


async def test_a_wrong_id_is_refused(bot, ada):
    with pytest.raises(BadRequest, match=r"(?i)wrong file identifier/http url specified"):
        await bot.send_document(ada, "BQACAgNobody")
    with pytest.raises(BadRequest, match=r"(?i)wrong file identifier"):
        await bot.get_file("BQACAgNobody")
    photo = await bot.send_photo(ada, PNG)
    with pytest.raises(BadRequest, match="Can't use file of type photo as document"):
        await bot.send_document(ada, photo.photo[-1].file_id)


async def test_nothing_is_fetched_from_other_machines(bot, ada):
    with pytest.raises(BadRequest, match="Failed to get http url content"):
        await bot.send_document(ada, "https://example.org/a.pdf")


async def test_a_path_works_for_an_hour_and_with_the_token_only(box, bot, ada, clock):
    sent = await bot.send_document(ada, b"x", filename="a.txt")
    path = (await bot.get_file(sent.document.file_id)).file_path
    async with httpx.AsyncClient() as http:
        assert (await http.get(path)).content == b"x"
        assert (await http.get(path.replace(box.token, "1000001:other"))).status_code == 401
        assert (await http.get(path.replace("file_", "file_9"))).status_code == 404
        clock.advance(3601)
        assert (await http.get(path)).status_code == 404
