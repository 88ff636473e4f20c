"""Files that people send and fetch through the website."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.model import File
from bot.sealing import plain_size
from tests.web.conftest import ONE_LOOP, Person, Site, new_person, text
from tests.web.test_api import MESSAGE_ID, problem

pytestmark = ONE_LOOP

PDF = b"%PDF-1.7\n fictional"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
DICOM = b"\x00" * 128 + b"DICM" + b"\x00" * 64
PROGRAM = b"MZ" + b"\x00" * 64
LIMIT = 20 * 1024 * 1024


def a_zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("scan.txt", "fictional")
    return packed.getvalue()


def kept(site: Site) -> list[Path]:
    """The files on disk."""
    return sorted(site.settings.files_dir.glob("*"))


async def of_case(site: Site, person: Person, message_id: str = MESSAGE_ID) -> str:
    """The id under which the case has a file, once its turn was looked at."""
    pending = await site.casework.pending(await site.turn(person.conversation, message_id))
    assert pending is not None
    return pending.file_ids[0]


async def test_a_file_is_kept_under_a_random_name_and_shown_by_its_own(site: Site, person: Person):
    response = await person.upload(PDF, "Report of March.pdf", caption="pathology, two pages")
    assert (response.status_code, response.json()) == (202, {"seq": 1})
    [path] = kept(site)
    assert PDF[:16] not in path.read_bytes()
    assert "Report" not in path.name
    assert path.stat().st_mode & 0o077 == 0
    [file, caption] = (await person.events())[0]["blocks"]
    assert (file["type"], file["name"], file["mime"], file["size"]) == (
        "file",
        "Report of March.pdf",
        "application/pdf",
        len(PDF),
    )
    assert caption == text("pathology, two pages")


@pytest.mark.parametrize(
    ("content", "mime"),
    [
        (PDF, "application/pdf"),
        (PNG, "image/png"),
        (DICOM, "application/dicom"),
        (a_zip(), "application/zip"),
        (b"<html><script>alert(1)</script>", "application/octet-stream"),
        (b"just words", "application/octet-stream"),
    ],
)
async def test_the_type_is_what_the_content_says(person: Person, content: bytes, mime: str):
    await person.upload(content, "page.html")
    assert (await person.events())[0]["blocks"][0]["mime"] == mime


async def test_the_same_upload_twice_is_kept_once(site: Site, person: Person):
    first = await person.upload(PDF, id=MESSAGE_ID)
    again = await person.upload(PDF, id=MESSAGE_ID)
    assert first.json() == again.json() == {"seq": 1}
    assert len(kept(site)) == 1
    assert len(await person.events()) == 1


async def test_the_largest_file_that_may_be_sent_arrives_whole(site: Site, person: Person):
    content = PDF + b"x" * (LIMIT - len(PDF))
    assert (await person.upload(content)).status_code == 202
    assert plain_size(kept(site)[0]) == LIMIT


async def test_one_byte_more_is_too_much(site: Site, person: Person):
    response = await person.upload(b"x" * (LIMIT + 1))
    assert problem(response) == (413, "file_too_large")
    assert "20 MB" in response.json()["error"]["message"]
    assert kept(site) == []


async def test_a_file_that_is_declared_far_too_large_is_refused_before_it_is_sent(site: Site, person: Person):
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(
        f"POST /api/files HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nAuthorization: Bearer {person.token}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 60000000\r\n\r\n".encode()
    )
    async with asyncio.timeout(15):
        answer = await reader.readuntil(b"}}")
    writer.close()
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"file_too_large"' in answer


async def test_whoever_sends_sixty_megabytes_all_the_same_still_hears_why_not(site: Site, person: Person):
    response = await person.upload(b"x" * 60_000_000)
    assert problem(response) == (413, "file_too_large")
    assert kept(site) == []


async def test_whoever_sends_a_large_file_with_a_session_that_ended_hears_so(site: Site, person: Person):
    person.token = "ended"
    assert problem(await person.upload(b"x" * 15_000_000)) == (401, "session_invalid")
    assert kept(site) == []


async def test_a_file_that_does_not_say_how_large_it_is_is_stopped_at_the_limit(site: Site, person: Person):
    async def pieces() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(22):
            yield b"x" * 1_000_000

    headers = {**person.auth, "Content-Type": "multipart/form-data; boundary=b"}
    response = await person.http.post("/api/files", content=pieces(), headers=headers)
    assert problem(response) == (413, "file_too_large")
    assert kept(site) == []


async def test_programs_are_refused_whatever_they_are_called(site: Site, person: Person):
    assert problem(await person.upload(PROGRAM, "report.pdf")) == (415, "file_type")
    assert kept(site) == []


async def test_an_empty_file_is_refused(site: Site, person: Person):
    assert problem(await person.upload(b"")) == (400, "file_empty")
    assert kept(site) == []


@pytest.mark.parametrize(
    ("data", "files", "code"),
    [
        ({"id": MESSAGE_ID}, {}, "not_a_form"),
        ({"id": "x"}, {"file": ("a", PDF)}, "bad_id"),
        ({}, {"file": ("a", PDF)}, "bad_id"),
        ({"id": MESSAGE_ID, "more": "x"}, {"file": ("a", PDF)}, "bad_form"),
        ({"id": MESSAGE_ID, "caption": "x", "more": "x"}, {"file": ("a", PDF)}, "bad_form"),
        ({"id": MESSAGE_ID, "caption": "x" * 20_001}, {"file": ("a", PDF)}, "text_too_long"),
        ({"id": MESSAGE_ID}, {"other": ("a", PDF)}, "bad_form"),
        ({"id": MESSAGE_ID}, {"file": ("a", PDF), "caption": ("b", PDF)}, "bad_form"),
    ],
)
async def test_it_refuses_a_form_that_is_not_right(
    site: Site, person: Person, data: dict[str, str], files: dict[str, Any], code: str
):
    response = await person.http.post("/api/files", data=data, files=files, headers=person.auth)
    assert problem(response)[1] == code
    assert 400 <= response.status_code < 500
    assert kept(site) == []


async def test_a_form_that_breaks_off_is_refused(site: Site, person: Person):
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%PDF'
    headers = {**person.auth, "Content-Type": "multipart/form-data; boundary=b"}
    assert problem(await person.http.post("/api/files", content=body, headers=headers)) == (400, "bad_form")
    assert kept(site) == []


async def test_a_person_can_fetch_their_own_file_as_a_download(site: Site, person: Person):
    await person.upload(PDF, "Bericht März.pdf", id=MESSAGE_ID)
    [file] = (await person.events())[0]["blocks"]
    response = await person.http.get(f"/api/files/{file['id']}", headers=person.auth)
    assert response.content == PDF
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["content-disposition"].startswith("attachment; filename*=utf-8''Bericht%20M")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]


@pytest.mark.parametrize("mime", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml"])
async def test_what_a_browser_could_run_is_served_as_mere_bytes(site: Site, person: Person, mime: str):
    await person.upload(b"<svg onload='alert(1)'>", "picture.svg", id=MESSAGE_ID)
    file_id = await of_case(site, person)
    async with site.casework.transaction() as session:
        row = await session.get(File, file_id)
        assert row is not None
        row.mime = mime
    response = await person.http.get(f"/api/files/{file_id}", headers=person.auth)
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"].startswith("attachment")


async def test_nobody_can_fetch_another_persons_file(site: Site, http: httpx.AsyncClient, person: Person):
    await person.upload(PDF, id=MESSAGE_ID)
    file_id = await of_case(site, person)
    other = await new_person(http)
    assert problem(await http.get(f"/api/files/{file_id}", headers=other.auth)) == (404, "file_not_found")


async def test_a_file_path_never_leads_out_of_the_folder(site: Site, person: Person):
    await person.upload(PDF, id=MESSAGE_ID)
    file_id = await of_case(site, person)
    async with site.casework.transaction() as session:
        row = await session.get(File, file_id)
        assert row is not None
        row.path = "../waypoint.db"
    assert (site.settings.files_dir / "../waypoint.db").exists()
    assert problem(await person.http.get(f"/api/files/{file_id}", headers=person.auth)) == (404, "file_not_found")


async def test_a_file_that_was_deleted_is_said_to_be_gone(site: Site, person: Person):
    await person.upload(PDF, id=MESSAGE_ID)
    file_id = await of_case(site, person)
    kept(site)[0].unlink()
    assert problem(await person.http.get(f"/api/files/{file_id}", headers=person.auth)) == (404, "file_not_found")


@pytest.mark.parametrize("file_id", ["x" * 65, "..%2fwaypoint.db", "a%00b", "%F0%9F%99%82"])
async def test_an_id_that_cannot_be_one_is_not_found(person: Person, file_id: str):
    response = await person.http.get(f"/api/files/{file_id}", headers=person.auth)
    assert response.status_code == 404
