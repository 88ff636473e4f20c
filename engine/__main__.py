"""`python -m engine`: load the model and serve turns on the loopback address, or wherever ENGINE_HOST says."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

# Before numpy is imported: an engine has one core, and more threads would only wait for each other.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from engine.absent import seal, stand_in  # noqa: E402
from engine.log import configure  # noqa: E402
from observe import traces  # noqa: E402


def secret(name: str) -> str:
    """A secret from the environment, or from the file named in NAME_FILE. Raises SystemExit with what to do."""
    path = os.environ.get(f"{name}_FILE")
    value = os.environ.get(name) or (Path(path).read_text(encoding="utf-8").strip() if path else "")
    if not value:
        raise SystemExit(f"{name} is not set. Set it, or {name}_FILE, in the environment.")
    return value


def port() -> int:
    """The port to listen on. Raises SystemExit when it is not one."""
    value = os.environ.get("ENGINE_PORT") or "5005"
    if not value.isdigit() or int(value) > 65535:
        raise SystemExit(f"ENGINE_PORT is {value!r}, which is not a port.")
    return int(value)


def main() -> int:
    """Run the process. A missing model or setting ends it with a sentence."""
    engine_secret, actions_secret, listen = secret("ENGINE_SECRET"), secret("ACTIONS_SECRET"), port()
    configure()
    traces.configure("waypoint-engine")
    stand_in()
    from engine.actions import Actions
    from engine.dialogue import Dialogue, ModelMissing
    from engine.server import create

    actions = Actions(os.environ.get("ACTIONS_URL") or "http://127.0.0.1:5055", actions_secret)
    try:
        dialogue = Dialogue(Path(os.environ.get("ENGINE_MODEL") or "models/waypoint.tar.gz"), actions)
    except ModelMissing as missing:
        raise SystemExit(str(missing)) from None
    seal()
    gc.collect()
    gc.freeze()  # the model lives as long as the process: no need to look through it at every collection
    app = create(dialogue, actions, engine_secret)
    app.run(host=os.environ.get("ENGINE_HOST") or "127.0.0.1", port=listen, motd=False, access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
