"""Answers to pressed buttons."""

from sandbox.entities import utf16
from sandbox.errors import bad_request
from sandbox.registry import Call, method

ANSWER_WITHIN = 60.0
"""Seconds in which a press can be answered. Telegram documents no number; presses grow "too old" within minutes."""
MAX_ANSWER = 200


@method("answerCallbackQuery")
async def answer_callback_query(call: Call) -> bool:
    """End the button's waiting, with a notice or an alert if there is a text."""
    query = call.world.queries.get(call.params.text("callback_query_id"))
    if query is None or call.world.clock.now() - query["at"] > ANSWER_WITHIN:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    text = call.params.text("text")
    if utf16(text) > MAX_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    query["answer"] = {"text": text, "show_alert": call.params.flag("show_alert"), "url": call.params.text("url")}
    call.world.publish("answer", person=query["person"], chat=query["chat"], answer=query["answer"])
    return True
