"""Run the sandbox: python -m sandbox."""

import os
import re
import sys

from sandbox.app import create_app
from sandbox.server import LOOPBACK, Server
from sandbox.world import GROUP_ID, World


def main() -> None:
    """Serve on SANDBOX_PORT (8081) of the loopback interface for the bot of SANDBOX_TOKEN (1000001:sandbox)."""
    port = os.environ.get("SANDBOX_PORT", "8081")
    token = os.environ.get("SANDBOX_TOKEN", "1000001:sandbox")
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        sys.exit("SANDBOX_PORT must be a port number, 1 to 65535")
    if not re.fullmatch(r"[1-9]\d{0,14}:[\w-]+", token):
        sys.exit("SANDBOX_TOKEN must look like 1000001:sandbox (digits, a colon, letters)")
    world = World(token=token)
    server = Server(create_app(world), world.bell, signals=True)
    server.config.host, server.config.port = LOOPBACK, int(port)
    print(f"Sandbox: http://{LOOPBACK}:{port}/sandbox  (COORDINATORS_CHAT_ID={GROUP_ID})", flush=True)
    server.run()


if __name__ == "__main__":
    main()
