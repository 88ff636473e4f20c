"""What a call carries: parameters from the query, a form, JSON or multipart, and uploaded files."""

import json
import math
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from sandbox.errors import ApiError, bad_request

MAX_UPLOAD = 50 * 1024 * 1024
"""A bot uploads at most 50 MB a file (Bot API, "Sending files")."""
MAX_BODY = 10 * MAX_UPLOAD + 1024 * 1024
MAX_FIELD = 1024 * 1024


@dataclass(frozen=True)
class Upload:
    """A file that came in a multipart part."""

    name: str
    mime: str
    content: bytes


@dataclass(frozen=True)
class Params:
    """A call's parameters; the getters take what the Bot API takes (numbers and JSON may come as text)."""

    values: dict[str, Any]
    files: dict[str, Upload] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether the parameter is there and not empty."""
        return self.values.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        """A string; numbers and booleans become their JSON text."""
        value = self.values.get(name)
        if value is None:
            return default
        return value if isinstance(value, str) else json.dumps(value)

    def integer(self, name: str, default: int = 0) -> int:
        """A whole number; 400 when it is something else."""
        value = self.values.get(name)
        if value in (None, ""):
            return default
        try:
            if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
                raise ValueError
            return int(value)
        except (TypeError, ValueError):
            raise bad_request(f"parameter {name} must be an integer") from None

    def number(self, name: str) -> float:
        """A number; 400 when it is missing or something else."""
        try:
            value = float(self.values[name])
            if not math.isfinite(value):
                raise ValueError
            return value
        except (KeyError, TypeError, ValueError):
            raise bad_request(f"parameter {name} must be a number") from None

    def flag(self, name: str) -> bool:
        """A boolean: true, True, 1, yes count as true, as with the Bot API."""
        return str(self.values.get(name, "")).lower() in ("true", "1", "yes", "t", "y")

    def json(self, name: str) -> Any:
        """A JSON-serialized parameter, None when absent; 400 when it does not parse."""
        value = self.values.get(name)
        if value in (None, ""):
            return None
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from None

    def object(self, name: str) -> dict[str, Any] | None:
        """A JSON object or None; 400 for any other JSON."""
        value = self.json(name)
        if value is not None and not isinstance(value, dict):
            raise bad_request(f"object expected as {name.replace('_', ' ')}")
        return value

    def array(self, name: str) -> list[Any] | None:
        """A JSON array or None; 400 for any other JSON."""
        value = self.json(name)
        if value is not None and not isinstance(value, list):
            raise bad_request(f"array expected as {name.replace('_', ' ')}")
        return value

    def loggable(self) -> dict[str, Any]:
        """The parameters for the log of calls: files by name and size, JSON parsed where it parses."""
        shown: dict[str, Any] = {}
        for name, value in self.values.items():
            shown[name] = value
            if isinstance(value, str) and value[:1] in "[{":
                try:
                    shown[name] = json.loads(value)
                except ValueError:
                    shown[name] = value
        for name, upload in self.files.items():
            shown[name] = {"name": upload.name, "mime": upload.mime, "size": len(upload.content)}
        return shown


async def read_params(request: Request) -> Params:
    """Read a call's parameters. Raises ApiError 413 over 50 MB a file, 400 for a body that does not parse."""
    values: dict[str, Any] = dict(request.query_params)
    if request.method == "GET":
        return Params(values)
    too_large = ApiError(413, "Request Entity Too Large")
    if int(request.headers.get("content-length") or 0) > MAX_BODY:
        raise too_large
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        try:
            body = json.loads(await request.body() or b"{}")
        except ValueError:
            raise bad_request("can't parse the JSON of the request") from None
        if not isinstance(body, dict):
            raise bad_request("the JSON of the request must be an object")
        return Params(values | body)
    files: dict[str, Upload] = {}
    try:
        async with request.form(max_files=32, max_fields=100, max_part_size=MAX_FIELD) as form:
            for name, value in form.multi_items():
                if not isinstance(value, UploadFile):
                    values[name] = value
                elif (value.size or 0) > MAX_UPLOAD:
                    raise too_large
                else:
                    mime = value.content_type or "application/octet-stream"
                    files[name] = Upload(value.filename or name, mime, await value.read())
    except MultiPartException as error:
        raise bad_request(f"can't parse the multipart form: {error.message}") from None
    return Params(values, files)
