"""Keyboards: what the Bot API refuses in them."""

from typing import Any
from urllib.parse import urlsplit

from sandbox.errors import bad_request
from sandbox.params import Params

MAX_CALLBACK_DATA = 64
MAX_BUTTONS = 100
ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)


def reply_markup(params: Params, private: bool, inline_only: bool = False) -> dict[str, Any] | None:
    """The keyboard of a call, checked; None without one. Raises 400 as the Bot API does."""
    markup = params.object("reply_markup")
    if not markup:
        return None
    if "inline_keyboard" in markup:
        keyboard = rows(markup["inline_keyboard"])
        for row in keyboard:
            for button in row:
                check_inline_button(button, private)
        return {"inline_keyboard": keyboard} if keyboard else None
    if inline_only:
        raise bad_request("inline keyboard expected")
    if "keyboard" in markup:
        keyboard = [[b if isinstance(b, dict) else {"text": str(b)} for b in row] for row in rows(markup["keyboard"])]
        if any(not button.get("text") for row in keyboard for button in row):
            raise bad_request('can\'t parse keyboard button: Field "text" must be of type String')
        return markup | {"keyboard": keyboard}
    if "remove_keyboard" in markup or "force_reply" in markup:
        return markup
    raise bad_request("object expected as reply markup")


def rows(keyboard: Any) -> list[list[Any]]:
    """A keyboard as rows of buttons, without empty rows."""
    if not isinstance(keyboard, list) or any(not isinstance(row, list) for row in keyboard):
        raise bad_request("can't parse reply keyboard markup JSON object")
    if sum(len(row) for row in keyboard) > MAX_BUTTONS:
        raise bad_request("reply markup is too long")
    return [row for row in keyboard if row]


def check_inline_button(button: Any, private: bool) -> None:
    """Refuse a button without text, without an action, or with an action that Telegram would not take."""
    if not isinstance(button, dict):
        raise bad_request("can't parse inline keyboard button: Object expected")
    text = button.get("text")
    if not isinstance(text, str):
        raise bad_request("can't parse inline keyboard button: Can't find field \"text\"")
    if not text.strip():
        raise bad_request("can't parse inline keyboard button: Text of the button must be non-empty")
    actions = [name for name in ACTIONS if name in button]
    if not actions:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if "callback_data" in button:
        data = button["callback_data"]
        if not isinstance(data, str) or not 1 <= len(data.encode()) <= MAX_CALLBACK_DATA:
            raise bad_request("BUTTON_DATA_INVALID")
    if "url" in button:
        check_url(str(button["url"]))
    if "web_app" in button and not private:
        raise bad_request("BUTTON_TYPE_INVALID")


def check_url(url: str) -> None:
    """Refuse an address that Telegram's servers would not take; one without a full stop in its host is such."""
    wrong = None
    try:
        parts = urlsplit(url if ":" in url else f"http://{url}")
    except ValueError:
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL") from None
    if parts.scheme not in ("http", "https", "tg", "tel", "mailto"):
        wrong = "Unsupported URL protocol"
    elif parts.scheme in ("http", "https") and "." not in (parts.hostname or ""):
        wrong = "Wrong HTTP URL" if parts.hostname else "URL host is empty"
    if wrong:
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: {wrong}")
