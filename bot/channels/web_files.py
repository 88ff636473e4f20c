"""Files that people send through the website: read with a limit, named and typed safely, kept under a random name."""

from __future__ import annotations

import os
import secrets
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import filetype
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bot.channels.web_http import TOO_LARGE, ApiError, limited
from bot.sealing import new_key, plain_size, seal_file, unseal_file

MAX_NAME = 120
# What the form may weigh beside the file: the id, a caption of the longest length, and the parts' own headers.
FORM_OVERHEAD = 256 * 1024
# `filetype` decides by the first bytes; DICOM's mark, the furthest of those we need, ends at 132.
HEAD = 8192
PIECE = 256 * 1024

# Records are pictures, documents, scans and archives. A program is none of these, whatever its name says.
PROGRAMS = frozenset(
    {
        "application/x-msdownload",
        "application/x-executable",
        "application/x-google-chrome-extension",
        "application/x-deb",
        "application/x-shockwave-flash",
    }
)
# What a browser may be told about a file; everything else is only bytes to it. Never HTML, never SVG.
SAFE_TYPES = ("image/", "audio/", "video/", "application/pdf", "application/zip", "application/dicom")
PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp"})


@dataclass(frozen=True)
class Stored:
    """A file on disk, sealed by a key of its own. `path` is relative to the files' folder."""

    path: str
    name: str
    mime: str
    size: int
    kind: str
    key: str


class _Parser(MultiPartParser):
    """Starlette's parser leaves the temporary file open when the form ends in the middle of it."""

    async def parse(self) -> FormData:
        """The form. Raises MultiPartException."""
        form = await super().parse()
        if not any(isinstance(value, UploadFile) for value in form.values()):
            for file in self._files_to_close_on_error:
                file.close()
        return form


async def read_form(request: Request, max_file_bytes: int) -> FormData:
    """The upload form. The file is streamed to a temporary file on disk; nothing past the limit is read.

    Raises ApiError. The caller closes the form, which removes the temporary file.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise ApiError(415, "not_a_form", "Send the file as multipart/form-data with the parts `id` and `file`.")
    body = limited(request, max_file_bytes + FORM_OVERHEAD, too_large(max_file_bytes))
    try:
        return await _Parser(request.headers, body, max_files=1, max_fields=2, max_part_size=FORM_OVERHEAD).parse()
    except MultiPartException:
        raise ApiError(400, "bad_form", "The file did not arrive whole. Please try to send it again.") from None


def too_large(max_file_bytes: int) -> ApiError:
    """The answer to a file over the limit."""
    limit = max_file_bytes // (1024 * 1024)
    message = f"This file is larger than {limit} MB. Please send a smaller one, or send it in parts."
    return ApiError(TOO_LARGE, "file_too_large", message)


async def store(upload: UploadFile, folder: Path, max_file_bytes: int) -> Stored:
    """Keep an upload under a random name. Raises ApiError for an empty file, one over the limit, or a program."""
    size = upload.size or 0
    if size > max_file_bytes:
        raise too_large(max_file_bytes)
    if size == 0:
        raise ApiError(400, "file_empty", "This file is empty. Please choose another one.")
    mime = await run_in_threadpool(_type_of, upload.file)
    if mime in PROGRAMS:
        raise ApiError(415, "file_type", "Programs cannot be sent here. Please send a document, a picture or a scan.")
    path, key = secrets.token_hex(16), new_key()
    await run_in_threadpool(write, upload.file, folder / path, key)
    return Stored(path, clean_name(upload.filename or ""), mime, size, _kind_of(mime), key.hex())


def pieces(path: Path, key: str) -> Iterator[bytes]:
    """What is in a stored file, piece by piece. Raises Unsealable and OSError."""
    if key:
        yield from unseal_file(path, bytes.fromhex(key))
        return
    with path.open("rb") as file:  # from before files were sealed; the sweep has not come to it yet
        while piece := file.read(PIECE):
            yield piece


def content(path: Path, key: str) -> bytes:
    """All that is in a stored file. Raises Unsealable and OSError."""
    return b"".join(pieces(path, key))


def download(path: Path, key: str, name: str, mime: str, headers: Mapping[str, str] | None = None) -> Response:
    """A stored file, sent as a download while it is opened."""
    size = plain_size(path) if key else path.stat().st_size
    named = {"Content-Disposition": f"attachment; filename*=utf-8''{quote(clean_name(name))}"}
    sent = {**(headers or {}), **named, "Content-Length": str(size)}
    return StreamingResponse(pieces(path, key), media_type=safe_type(mime), headers=sent)


def remove(folder: Path, path: str) -> None:
    """Delete a stored file that nothing refers to."""
    (folder / path).unlink(missing_ok=True)


def locate(folder: Path, path: str) -> Path | None:
    """Where a stored file lies; None when it is gone or the path leads out of the folder."""
    root = folder.resolve()
    found = (root / path).resolve()
    return found if found.is_relative_to(root) and found.is_file() else None


def safe_type(mime: str) -> str:
    """The type to serve a file with."""
    return mime if mime.startswith(SAFE_TYPES) and "svg" not in mime else "application/octet-stream"


def clean_name(name: str) -> str:
    """A file name to show and to download by: no folders, no control or direction characters, of bounded length."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = unicodedata.normalize("NFC", name)
    name = "".join(char for char in name if unicodedata.category(char)[0] != "C" and char not in '<>:"|?*')
    stem, dot, extension = name.strip(" .").rpartition(".")
    if not dot or len(extension) > 16:
        return name.strip(" .")[:MAX_NAME] or "file"
    return f"{stem[: MAX_NAME - len(extension) - 1]}.{extension}"


def _type_of(file: BinaryIO) -> str:
    file.seek(0)
    head = file.read(HEAD)
    kind = filetype.guess(head)
    return str(kind.mime) if kind is not None else "application/octet-stream"


def _kind_of(mime: str) -> str:
    if mime in PHOTOS:
        return "photo"
    major = mime.split("/", 1)[0]
    return major if major in ("audio", "video") else "document"


def write(file: BinaryIO, path: Path, key: bytes) -> None:
    """Seal a file under a path that is not there yet. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.seek(0)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as kept:
        seal_file(file, kept, key)
        kept.flush()
        # We are about to say that it arrived: it must survive a power cut.
        os.fsync(kept.fileno())
