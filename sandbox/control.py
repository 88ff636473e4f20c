"""The control API, /sandbox/…: test programs and the live page play the people with it. See README.md."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import people
from sandbox.chats import STATUSES, Chat, Json, Message
from sandbox.errors import ApiError, bad_request
from sandbox.faults import Fault
from sandbox.params import Params, read_params
from sandbox.world import World

type Handler = Callable[[World, Params, Request], Awaitable[Any]]

LONGEST_WAIT = 60.0
LONGEST_ADVANCE = 366 * 24 * 3600.0
routes: list[Route] = []


def route(path: str, *verbs: str) -> Callable[[Handler], Handler]:
    """Enter a function under /sandbox/…; it gets the world and the JSON body (or the query), and gives JSON."""

    def enter(handler: Handler) -> Handler:
        async def answer(request: Request) -> Response:
            world: World = request.app.state.world
            try:
                return JSONResponse(await handler(world, await read_params(request), request))
            except ApiError as error:
                return JSONResponse({"error": error.description}, error.code)

        routes.append(Route(f"/sandbox/{path}", answer, methods=list(verbs)))
        return handler

    return enter


@route("health", "GET")
async def health(_world: World, _body: Params, _request: Request) -> Json:
    """The server is up."""
    return {"ok": True}


@route("state", "GET")
async def state(world: World, _body: Params, _request: Request) -> Json:
    """Who and what there is."""
    return state_of(world)


def state_of(world: World) -> Json:
    """The bot, people, groups, limits, faults, webhook, how many updates wait."""
    groups = [chat for chat in world.chats.values() if not chat.private]
    first = next((chat.id for chat in groups if chat.forum and not chat.migrated_to), None)
    return {
        "bot": world.bot.user(),
        "token": world.token,
        "group": first,
        "people": [p.user() | {"started": p.started, "blocked": p.blocked} for p in world.people.values()],
        "groups": [group_view(chat) for chat in groups],
        "commands": world.settings.get('["commands", {"type": "default"}, ""]', []),
        "webhook": world.webhook.url if world.webhook else None,
        "updates_pending": len(world.updates.pending()),
        "limits": {
            "group_per_minute": world.limits.group_per_minute,
            "overall_per_second": world.limits.overall_per_second,
        },
        "faults": [asdict(fault) for fault in world.faults.standing],
        "clock": {"now": world.clock.now(), "frozen": world.clock.frozen},
        "changes": world.events[-1]["n"] if world.events else 0,
    }


def group_view(chat: Chat) -> Json:
    """A group with its members."""
    return chat.brief() | {
        "members": [{"id": m.person.id, "name": m.person.full_name, "status": m.status} for m in chat.members.values()],
        "migrated_to": chat.migrated_to or None,
    }


@route("reset", "POST")
async def reset(world: World, _body: Params, _request: Request) -> Json:
    """Go back to the world at the start."""
    world.reset()
    return state_of(world)


@route("people", "POST")
async def add_person(world: World, body: Params, _request: Request) -> Json:
    """Add a person."""
    if not 1 <= len(body.text("first_name")) <= 64:
        raise bad_request("first_name: 1 to 64 characters")
    person = world.add_person(
        body.text("first_name"),
        body.text("last_name"),
        username=body.text("username"),
        language_code=body.text("language_code"),
    )
    person.hides_forwards = body.flag("hides_forwards")
    return person.user()


@route("groups", "POST")
async def add_group(world: World, body: Params, _request: Request) -> Json:
    """Add a group with people and the bot as administrator."""
    ids = [body.array(name) or [] for name in ("members", "admins")]
    if not all(isinstance(person, int) and person in world.people for person in ids[0] + ids[1]):
        raise bad_request("members, admins: ids of people; see GET /sandbox/state")
    basic = body.text("type") == "group"
    forum = not basic and (body.flag("forum") or "forum" not in body.values)
    return group_view(world.add_group(body.text("title") or "Group (sample)", *ids, forum=forum, basic=basic))


@route("messages", "POST")
async def say(world: World, body: Params, _request: Request) -> Json:
    """A person sends a message."""
    return world.view(people.say(world, body))


@route("edits", "POST")
async def edit(world: World, body: Params, _request: Request) -> Json:
    """A person edits an own message."""
    return world.view(people.edit(world, body))


@route("deletions", "POST")
async def delete(world: World, body: Params, _request: Request) -> Json:
    """A person deletes a message."""
    return world.view(people.delete(world, body))


@route("reactions", "POST")
async def react(world: World, body: Params, _request: Request) -> Json:
    """A person reacts to a message."""
    return world.view(people.react(world, body))


@route("presses", "POST")
async def press(world: World, body: Params, _request: Request) -> Json:
    """A person presses a button; with `wait` seconds, the bot's answer is waited for."""
    query_id = people.press(world, body)
    query = world.queries[query_id]
    if body.has("wait"):
        await world.bell.until(lambda: query["answer"], seconds(body, "wait"))
    return {"id": query_id, "answer": query["answer"]}


@route("topics/{verb}", "POST")
async def manage_topic(world: World, body: Params, request: Request) -> Json:
    """A person creates, edits, closes, reopens or deletes a topic."""
    verb = request.path_params["verb"]
    if verb not in ("create", "edit", "close", "reopen", "delete"):
        raise ApiError(404, "topics: create, edit, close, reopen or delete")
    return asdict(people.manage_topic(world, verb, body))


@route("blocks", "POST")
async def block(world: World, body: Params, _request: Request) -> Json:
    """A person blocks or unblocks the bot."""
    person = people.person_of(world, body, "person")
    world.set_blocked(person, body.flag("blocked"))
    return {"person": person.id, "blocked": person.blocked}


@route("members", "POST")
async def set_member(world: World, body: Params, _request: Request) -> Json:
    """Change the standing of a person, or of the bot, in a group."""
    chat = world.chat(body.integer("chat"))
    status = body.text("status")
    if chat.private or status not in STATUSES:
        raise bad_request(f"chat: a group; status: one of {', '.join(STATUSES)}")
    person = world.bot if body.text("person") == "bot" else world.person(body.integer("person"))
    by = people.person_of(world, body, "by") if body.has("by") else person_in(world, chat)
    world.set_member(chat, person, status, by, body.object("rights") or {})
    return group_view(chat)


def person_in(world: World, chat: Chat) -> Any:
    """Someone human who may have made a change in a group."""
    inside = [m.person for m in chat.members.values() if m.inside and not m.person.is_bot]
    return inside[-1] if inside else next(iter(world.people.values()))


@route("migrate", "POST")
async def migrate(world: World, body: Params, _request: Request) -> Json:
    """Upgrade a group to a supergroup with another id."""
    chat = world.chat(body.integer("chat"))
    if chat.private or chat.migrated_to:
        raise bad_request("chat: a group that was not migrated yet")
    new = world.migrate(chat, person_in(world, chat))
    return group_view(new)


@route("faults", "POST")
async def add_fault(world: World, body: Params, _request: Request) -> Json:
    """Order a fault."""
    fault = Fault(method=body.text("method", "*"))
    fault.times = body.integer("times", 1)
    answer, when = body.text("answer", "error"), body.text("when", "before")
    if answer not in ("error", "drop", "hang", "normal") or when not in ("before", "after") or fault.times < 1:
        raise bad_request("answer: error, drop, hang or normal; when: before or after; times: 1 or more")
    fault.answer, fault.when = answer, when  # type: ignore[assignment]
    fault.code = body.integer("code", 500)
    if not 400 <= fault.code <= 599:
        raise bad_request("code: 400 to 599")
    fault.description = body.text("description")
    fault.retry_after = body.integer("retry_after")
    fault.delay = seconds(body, "delay", 0.0)
    fault.chat = body.integer("chat")
    world.faults.standing.append(fault)
    return asdict(fault)


@route("faults", "DELETE")
async def clear_faults(world: World, _body: Params, _request: Request) -> Json:
    """Take all orders back."""
    world.faults.standing.clear()
    return {"faults": []}


@route("limits", "POST")
async def set_limits(world: World, body: Params, _request: Request) -> Json:
    """Change flood control; null turns a limit off."""
    for name in ("group_per_minute", "overall_per_second"):
        if name in body.values:
            setattr(world.limits, name, None if body.values[name] is None else body.integer(name))
    return {name: getattr(world.limits, name) for name in ("group_per_minute", "overall_per_second")}


@route("clock", "POST")
async def move_clock(world: World, body: Params, _request: Request) -> Json:
    """Stop the clock, let it run, or put it forward."""
    if "frozen" in body.values:
        world.clock.freeze(body.flag("frozen"))
    if body.has("advance"):
        if not 0 <= body.number("advance") <= LONGEST_ADVANCE:
            raise bad_request("advance: seconds, 0 or more, at most a year")
        world.clock.advance(body.number("advance"))
    world.bell.ring()
    return {"now": world.clock.now(), "frozen": world.clock.frozen}


def chat_in_path(world: World, request: Request) -> Chat:
    """The chat of a path such as /sandbox/chats/-100…/messages."""
    try:
        return world.chat(int(request.path_params["chat"]))
    except ValueError:
        raise bad_request("chat not found") from None


@route("chats/{chat}/messages", "GET")
async def messages(world: World, body: Params, request: Request) -> list[Json]:
    """What stands in a chat, and what was deleted (marked so)."""
    return [world.view(m) for m in chosen(world, chat_in_path(world, request), body)]


def chosen(world: World, chat: Chat, body: Params) -> list[Message]:
    """The messages of a chat that `thread`, `after` and `since` leave."""
    found = [m for m in chat.messages.values() if m.id > body.integer("after") and m.changed > body.integer("since")]
    if "thread" in body.values:
        thread = body.integer("thread")
        found = [m for m in found if m.thread == (0 if thread == 1 else thread)]
    return found


@route("chats/{chat}/topics", "GET")
async def topics(world: World, _body: Params, request: Request) -> list[Json]:
    """The topics of a forum, deleted ones too (marked so)."""
    return [asdict(topic) for topic in chat_in_path(world, request).topics.values()]


@route("calls", "GET")
async def calls(world: World, body: Params, _request: Request) -> list[Json]:
    """The log of Bot API calls; with `timeout` it waits until there is one."""

    def found() -> list[Json] | None:
        return world.calls.find(body.text("method"), body.integer("after")) or None

    return await world.bell.until(found, seconds(body, "timeout", 0.0)) or []


@route("wait", "GET")
async def wait(world: World, body: Params, _request: Request) -> Json:
    """Wait until the bot's message, or a topic, is there: {"found": …}, or null when the time is up."""
    chat = world.chat(body.integer("chat"))
    contains = body.text("contains")

    def topic() -> Json | None:
        standing = [t for t in chat.topics.values() if t.id > body.integer("after", 1) and not t.deleted]
        return next((asdict(t) for t in standing if contains in t.name), None)

    def message() -> Json | None:
        for m in chosen(world, chat, body):
            words = str(m.content.get("text") or m.content.get("caption") or "")
            if m.sender is world.bot and not m.deleted and not m.service and contains in words:
                return world.view(m)
        return None

    kind = body.text("kind", "message")
    if kind not in ("message", "topic"):
        raise bad_request("kind: message or topic")
    return {"found": await world.bell.until(topic if kind == "topic" else message, seconds(body, "timeout", 10.0))}


def seconds(body: Params, name: str, default: float = 10.0) -> float:
    """How long to wait: at most a minute of the machine's clock."""
    return min(max(body.number(name) if body.has(name) else default, 0.0), LONGEST_WAIT)
