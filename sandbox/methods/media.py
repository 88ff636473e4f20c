"""Sending photos, documents, voice and the other files, and albums of them."""

from sandbox.chats import Json
from sandbox.entities import formatted
from sandbox.errors import bad_request
from sandbox.methods.messages import sent
from sandbox.params import Params
from sandbox.registry import Call, method
from sandbox.sending import target

GROUPABLE = ("photo", "video", "document", "audio")


def enter(name: str, kind: str) -> None:
    """Enter the method that sends a file of one kind."""

    @method(name)
    async def send(call: Call) -> Json:
        stored = call.world.files.sent(call.params, kind)
        content: Json = {kind: stored.media()}
        if kind == "animation":
            content["document"] = stored.as_document()
        if kind not in ("sticker", "video_note"):
            content |= formatted(call.params, "caption").content(caption=True)
        return sent(call, target(call.world, call.params), content)


for kind in ("photo", "document", "video", "video_note", "voice", "audio", "animation", "sticker"):
    enter("send" + "".join(word.capitalize() for word in kind.split("_")), kind)


def input_media(call: Call, item: Json) -> Json:
    """The content that an InputMedia object makes: its file and its caption."""
    kind = str(item.get("type"))
    if kind not in (*GROUPABLE, "animation"):
        raise bad_request(f"can't parse InputMedia: type {kind} is not implemented by the sandbox")
    params = Params(item, call.params.files)
    stored = call.world.files.sent(params, kind, "media", item.get("media"))
    return {kind: stored.media()} | formatted(params, "caption").content(caption=True)


@method("sendMediaGroup")
async def send_media_group(call: Call) -> list[Json]:
    """Send an album: 2 to 10 photos and videos, or documents, or audio files."""
    items = call.params.array("media") or []
    if not 2 <= len(items) <= 10 or not all(isinstance(item, dict) for item in items):
        raise bad_request("wrong number of media in the album: it must be 2 to 10")
    kinds = {"photo" if item.get("type") == "video" else item.get("type") for item in items}
    if not kinds <= set(GROUPABLE):
        raise bad_request("this media can't be sent in an album")
    if len(kinds) > 1:
        raise bad_request("documents and audio files can't be mixed with other media in an album")
    contents = [input_media(call, item) for item in items]
    place = target(call.world, call.params, cost=len(items))
    album = str(next(call.world.album_numbers))
    return [sent(call, place, content | {"media_group_id": album}) for content in contents]
