"""Files: what was sent, under which file_id it is sent again, under which path it is downloaded."""

import mimetypes
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.errors import bad_request
from sandbox.params import Params, Upload

MAX_DOWNLOAD = 20 * 1024 * 1024
"""getFile gives files of at most 20 MB to a bot."""
MAX_PHOTO = 10 * 1024 * 1024
PATH_SECONDS = 3600
"""A download path works for at least an hour; here for no longer."""
KINDS = {
    "photo": ("AgACAg", "photos", "jpg", "image/jpeg"),
    "document": ("BQACAg", "documents", "bin", "application/octet-stream"),
    "video": ("BAACAg", "videos", "mp4", "video/mp4"),
    "voice": ("AwACAg", "voice", "oga", "audio/ogg"),
    "audio": ("CQACAg", "music", "mp3", "audio/mpeg"),
    "video_note": ("DQACAg", "video_notes", "mp4", "video/mp4"),
    "animation": ("CgACAg", "animations", "mp4", "video/mp4"),
    "sticker": ("CAACAg", "stickers", "webp", "image/webp"),
}
THUMBNAIL = 320
SQUARE = 384
"""The side of a round video message."""


@dataclass(frozen=True)
class StoredFile:
    """A file that Telegram would hold; `content` None: a file of `size` zero bytes, made when it is downloaded."""

    number: int
    kind: str
    name: str
    mime: str
    size: int
    content: bytes | None = None
    width: int = 1280
    height: int = 960
    duration: int = 1
    emoji: str = ""

    @property
    def file_id(self) -> str:
        """What the file is sent again by."""
        return f"{KINDS[self.kind][0]}Sandbox{self.number:08d}"

    @property
    def unique_id(self) -> str:
        """What tells that two files are the same one."""
        return f"AQADSandbox{self.number:08d}"

    def as_document(self) -> dict[str, Any]:
        """The document that stands beside an animation, for clients that know no animations."""
        return {name: value for name, value in self.media().items() if name not in ("width", "height", "duration")}

    def media(self) -> Any:
        """The value of the message field named after the kind."""
        ids = {"file_id": self.file_id, "file_unique_id": self.unique_id}
        common = ids | {"mime_type": self.mime, "file_size": self.size}
        named = common | ({"file_name": self.name} if self.name else {})
        box = {"width": self.width, "height": self.height}
        match self.kind:
            case "photo":
                scale = min(1.0, THUMBNAIL / max(self.width, self.height))
                small = {
                    "file_id": f"{self.file_id}s",
                    "file_unique_id": f"{self.unique_id}s",
                    "width": max(1, round(self.width * scale)),
                    "height": max(1, round(self.height * scale)),
                    "file_size": self.size,
                }
                return [small, ids | box | {"file_size": self.size}]
            case "document":
                return named
            case "video" | "animation":
                return named | box | {"duration": self.duration}
            case "audio":
                return named | {"duration": self.duration}
            case "video_note":
                return ids | {"length": SQUARE, "duration": self.duration, "file_size": self.size}
            case "voice":
                return common | {"duration": self.duration}
            case _:
                kind = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
                return ids | kind | {"file_size": self.size} | ({"emoji": self.emoji} if self.emoji else {})


class FileStore:
    """All files of a world."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self._by_id: dict[str, StoredFile] = {}
        self._issued: dict[str, tuple[StoredFile, float]] = {}

    def add(self, kind: str, name: str, content: bytes | None, size: int = 0, **shape: Any) -> StoredFile:
        """Store a file; without content, one of `size` zero bytes."""
        mime = KINDS[kind][3]
        if kind in ("document", "video", "audio", "animation"):
            mime = mimetypes.guess_type(name)[0] or mime
        if content is not None and kind == "photo" and (box := image_size(content)):
            shape = {"width": box[0], "height": box[1]} | shape
        stored = StoredFile(
            next(self._numbers), kind, name, mime, len(content) if content is not None else size, content, **shape
        )
        self._by_id[stored.file_id] = stored
        if kind == "photo":
            self._by_id[f"{stored.file_id}s"] = stored
        return stored

    def get(self, file_id: str) -> StoredFile:
        """The file of an id; 400 for an id that was never given."""
        stored = self._by_id.get(file_id)
        if stored is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        return stored

    def sent(self, params: Params, kind: str, field: str | None = None, reference: Any = None) -> StoredFile:
        """The file that a call sends: uploaded as the parameter, by attach://, or an earlier one by file_id."""
        field = field or kind
        upload = params.files.get(field)
        if reference is None:
            reference = params.text(field)
        if upload is None and str(reference).startswith("attach://"):
            upload = params.files.get(str(reference).removeprefix("attach://"))
            if upload is None:
                raise bad_request(f'file "{str(reference).removeprefix("attach://")}" not found in the request')
        if upload is not None:
            return self._uploaded(kind, upload, params)
        if not reference:
            raise bad_request(f"there is no {kind} in the request")
        if str(reference).startswith(("http://", "https://")):
            # The sandbox asks nothing of other machines; this is what Telegram says when it cannot fetch an address.
            raise bad_request("failed to get HTTP URL content")
        stored = self.get(str(reference))
        if stored.kind != kind:
            raise bad_request(f"can't use file of type {stored.kind.capitalize()} as {kind.capitalize()}")
        return stored

    def _uploaded(self, kind: str, upload: Upload, params: Params) -> StoredFile:
        if not upload.content:
            raise bad_request("file must be non-empty")
        shape: dict[str, Any] = {}
        if kind == "photo":
            if len(upload.content) > MAX_PHOTO:
                raise bad_request(
                    f"file of size {len(upload.content)} bytes is too big for a photo;"
                    f" the maximum size is {MAX_PHOTO} bytes"
                )
            if image_size(upload.content) is None:
                raise bad_request("IMAGE_PROCESS_FAILED")
        if kind in ("video", "video_note", "voice", "audio", "animation"):
            shape["duration"] = params.integer("duration", 1)
        if kind in ("video", "animation"):
            shape |= {"width": params.integer("width", 1280), "height": params.integer("height", 720)}
        if kind == "sticker":
            shape["emoji"] = params.text("emoji")
        return self.add(kind, upload.name, upload.content, **shape)

    def issue_path(self, file_id: str, now: float) -> dict[str, Any]:
        """The File object of an id, with a path that downloads for an hour; 400 over 20 MB."""
        stored = self.get(file_id)
        if stored.size > MAX_DOWNLOAD:
            raise bad_request("file is too big")
        _, folder, extension, _ = KINDS[stored.kind]
        if stored.kind in ("document", "video", "audio", "animation") and "." in stored.name:
            extension = stored.name.rpartition(".")[2]
        path = f"{folder}/file_{stored.number}.{extension}"
        self._issued[path] = (stored, now)
        return {
            "file_id": file_id,
            "file_unique_id": stored.unique_id,
            "file_size": stored.size,
            "file_path": path,
        }

    def at_path(self, path: str, now: float) -> StoredFile | None:
        """The file of a path that getFile gave less than an hour ago."""
        stored, issued = self._issued.get(path, (None, 0.0))
        return stored if stored is not None and now - issued <= PATH_SECONDS else None


def image_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG, JPEG, GIF or WebP; None for anything else."""
    if content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return int(width), int(height)
    if content[:4] == b"GIF8" and len(content) >= 10:
        width, height = struct.unpack("<HH", content[6:10])
        return int(width), int(height)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return 512, 512
    if content[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 < len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return int(width), int(height)
        at += 2 + length
    return None
