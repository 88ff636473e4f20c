"""Receiving updates: polling, or a webhook."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from sandbox.chats import Json
from sandbox.clock import while_connected
from sandbox.errors import bad_request, conflict
from sandbox.registry import Call, method
from sandbox.updates import Pending
from sandbox.webhooks import LOOPBACK, SECRET, Webhook

TERMINATED = "terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
MAX_TIMEOUT = 50


@method("getUpdates")
async def get_updates(call: Call) -> list[Json]:
    """The updates from `offset` on, which confirms those below it; waits up to `timeout` seconds for one.

    409 while a webhook is set, and for a call that a later one puts an end to.
    """
    world, params = call.world, call.params
    queue = world.updates
    if world.webhook:
        raise conflict(WEBHOOK_ACTIVE)
    queue.allow(params.array("allowed_updates"))
    limit = params.integer("limit", 100)
    limit = limit if 1 <= limit <= 100 else 100
    offset = params.integer("offset")
    queue.poll += 1
    own = queue.poll
    world.bell.ring()
    queue.pending()
    queue.confirm(offset)

    def ready() -> list[Pending] | None:
        if world.updates is not queue:
            return []
        if queue.poll != own:
            raise conflict(TERMINATED)
        if world.webhook:
            raise conflict(WEBHOOK_ACTIVE)
        return queue.pending()[:limit] or None

    timeout = min(max(params.integer("timeout"), 0), MAX_TIMEOUT)
    found = await while_connected(call.request, asyncio.create_task(world.bell.until(ready, timeout)))
    return [update.body for update in found or []]


@method("setWebhook")
async def set_webhook(call: Call) -> bool:
    """Have updates posted to an address; an empty one ends it. The sandbox posts to loopback addresses only."""
    params, world = call.params, call.world
    url = params.text("url")
    if not url:
        return forget_webhook(call)
    if not on_loopback(url):
        raise bad_request("bad webhook: the sandbox only posts to http://127.0.0.1, localhost or [::1]")
    secret = params.text("secret_token")
    if secret and not SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    connections = params.integer("max_connections", 40)
    if not 1 <= connections <= 100:
        raise bad_request("max_connections must be between 1 and 100")
    world.updates.allow(params.array("allowed_updates"))
    if params.flag("drop_pending_updates"):
        world.updates.drop()
    world.webhook = Webhook(url, secret, connections)
    world.bell.ring()
    return True


def on_loopback(url: str) -> bool:
    """Whether an address is one of this machine's own."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.hostname in LOOPBACK


@method("deleteWebhook")
async def delete_webhook(call: Call) -> bool:
    """Go back to polling."""
    return forget_webhook(call)


def forget_webhook(call: Call) -> bool:
    """Remove the webhook, and what waits if the call says so."""
    if call.params.flag("drop_pending_updates"):
        call.world.updates.drop()
    call.world.webhook = None
    call.world.bell.ring()
    return True


@method("getWebhookInfo")
async def get_webhook_info(call: Call) -> Json:
    """How the webhook does."""
    world = call.world
    body: dict[str, Any] = {
        "url": "",
        "has_custom_certificate": False,
        "pending_update_count": len(world.updates.pending()),
    }
    if world.webhook:
        body |= world.webhook.info()
    if world.updates.allowed_as_set:
        body["allowed_updates"] = world.updates.allowed_as_set
    return body
