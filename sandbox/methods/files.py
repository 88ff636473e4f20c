"""Files as they are downloaded."""

from sandbox.chats import Json
from sandbox.errors import bad_request
from sandbox.registry import Call, method


@method("getFile")
async def get_file(call: Call) -> Json:
    """A path for downloading a file of at most 20 MB."""
    if not call.params.has("file_id"):
        raise bad_request("file_id is not specified")
    return call.world.files.issue_path(call.params.text("file_id"), call.world.clock.now())


@method("getUserProfilePhotos")
async def get_user_profile_photos(call: Call) -> Json:
    """People of the sandbox have no profile photos."""
    call.world.person(call.params.integer("user_id"))
    return {"total_count": 0, "photos": []}
