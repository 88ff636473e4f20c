"""Editing what the bot sent."""

from sandbox.chats import Json, Message
from sandbox.entities import formatted
from sandbox.errors import bad_request
from sandbox.markup import reply_markup
from sandbox.methods.media import input_media
from sandbox.registry import Call, method
from sandbox.sending import bot_in, chat_of, message_of

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)
MEDIA = ("photo", "document", "video", "audio", "animation", "voice")


def editable(call: Call) -> Message:
    """The bot's own message that the call names; 400 for another's, or one that is gone."""
    if call.params.has("inline_message_id"):
        raise bad_request("MESSAGE_ID_INVALID")
    chat = chat_of(call.world, call.params)
    bot_in(call.world, chat)
    message = message_of(chat, call.params, "edit")
    if message.sender is not call.world.bot or message.service or "forward_origin" in message.content:
        raise bad_request("message can't be edited")
    return message


def changed(call: Call, message: Message, content: Json | None) -> Json:
    """Carry out an edit, unless it changes nothing; without reply_markup the keyboard goes."""
    markup = reply_markup(call.params, message.chat.private, inline_only=True)
    if markup == message.markup and content in (None, message.content):
        raise bad_request(NOT_MODIFIED)
    call.world.limits.take(message.chat.id)
    call.world.edit(message, None if content == message.content else content, markup)
    return message.full()


@method("editMessageText")
async def edit_message_text(call: Call) -> Json:
    """Put another text in the place of a text."""
    text = formatted(call.params)
    if not text.text:
        raise bad_request("message text is empty")
    message = editable(call)
    if "text" not in message.content:
        raise bad_request("there is no text in the message to edit")
    content = text.content()
    options = call.params.object("link_preview_options")
    if options:
        content["link_preview_options"] = options
    return changed(call, message, content)


@method("editMessageCaption")
async def edit_message_caption(call: Call) -> Json:
    """Change or remove the caption of a photo, document, …"""
    caption = formatted(call.params, "caption")
    message = editable(call)
    if not message.content.keys() & set(MEDIA):
        raise bad_request("there is no caption in the message to edit")
    kept = {name: value for name, value in message.content.items() if not name.startswith("caption")}
    return changed(call, message, kept | caption.content(caption=True))


@method("editMessageMedia")
async def edit_message_media(call: Call) -> Json:
    """Put another photo, document, … in the place of one."""
    message = editable(call)
    if not message.content.keys() & set(MEDIA):
        raise bad_request("message can't be edited")
    item = call.params.object("media")
    if not item:
        raise bad_request("media is not specified")
    return changed(call, message, input_media(call, item))


@method("editMessageReplyMarkup")
async def edit_message_reply_markup(call: Call) -> Json:
    """Change or remove the inline keyboard."""
    return changed(call, editable(call), None)
