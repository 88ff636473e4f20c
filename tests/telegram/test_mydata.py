"""What is kept about a person, as they get it on Telegram: a page, the data, and files that lie with us."""

from __future__ import annotations

import json

from bot.model import File
from sandbox.testing import ADA, BEN, MEI
from tests.telegram.conftest import Handed, Waypoint, upload
from tests.telegram.test_erasing import press


async def documents(waypoint: Waypoint, person: int) -> dict[str, bytes]:
    """The files that the bot sent somebody, by name."""
    found = {}
    for message in await waypoint.box.messages(person):
        if message["sandbox"]["from_bot"] and "document" in message:
            file = await waypoint.bot.get_file(message["document"]["file_id"])
            found[message["document"]["file_name"]] = bytes(await file.download_as_bytearray())
    return found


async def told(waypoint: Waypoint) -> Handed:
    """A case with words of both sides, a file of each place, and a note that is not for the person."""
    handed = await waypoint.claimed()
    await waypoint.box.say(ADA, "the <b>lump</b> came back")
    await waypoint.box.say(ADA, document=upload(b"from the phone", "phone.pdf"))
    await waypoint.settle()
    await handed.reply(MEI, await handed.brief(), "I am sorry to read this")
    await handed.write(MEI, "/note ring the hospital")
    (waypoint.settings.files_dir / "f00d").write_bytes(b"from the website")
    async with waypoint.casework.transaction() as session:
        case, _ = await waypoint._of(session, handed.conversation)
        session.add(
            File(case_id=case.id, name="website.pdf", mime="application/pdf", size=16, kind="document", path="f00d",
                 created_at=waypoint.now())
        )  # fmt: skip
    await waypoint.settle()
    return handed


async def test_on_telegram_everything_comes_as_a_page_as_data_and_as_files(waypoint: Waypoint) -> None:
    handed = await told(waypoint)
    await press(waypoint, handed.conversation, "resume")
    await press(waypoint, handed.conversation, "mydata")
    got = await documents(waypoint, ADA)
    assert set(got) == {"my-data.html", "my-data.json", "website.pdf"}
    page = got["my-data.html"].decode()
    assert "the &lt;b&gt;lump&lt;/b&gt; came back" in page
    assert "I am sorry to read this" in page
    assert "Mei (sample)" in page
    assert "ring the hospital" not in page + got["my-data.json"].decode()
    assert waypoint.casework.words("mydata.desk") in page
    data = json.loads(got["my-data.json"])
    assert data["channels"][0]["address"] == str(ADA)
    assert {file["name"]: file["where"] for file in data["files"]} == {"phone.pdf": "telegram", "website.pdf": "here"}
    assert data["kept_by_coordinators_for_themselves"] == 1
    assert got["website.pdf"] == b"from the website"


async def test_nobody_gets_what_is_kept_of_somebody_else(waypoint: Waypoint) -> None:
    await told(waypoint)
    ben = await waypoint.claimed(BEN)
    await press(waypoint, ben.conversation, "resume")
    await press(waypoint, ben.conversation, "mydata")
    got = await documents(waypoint, BEN)
    assert set(got) == {"my-data.html", "my-data.json"}
    assert b"lump" not in b"".join(got.values())


async def test_what_waits_to_be_sent_is_not_sent_after_an_erasure(waypoint: Waypoint) -> None:
    handed = await told(waypoint)
    await press(waypoint, handed.conversation, "resume")
    await waypoint.box.post("faults", method="sendDocument", code=502)
    await press(waypoint, handed.conversation, "mydata")
    await press(waypoint, handed.conversation, "erase")
    await waypoint.later(61)
    assert b"lump" not in b"".join((await documents(waypoint, ADA)).values())
