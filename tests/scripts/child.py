"""A tiny process for the supervisor to look after: `child.py PORT [habit ...]`.

It answers GET /health, and GET /die makes it exit with code 3. Habits: `unready` (health says 503), `deaf` (ignores
SIGTERM), `parent` (starts a process of its own and prints its pid), `broken` (exits at once).
"""

import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

port, habits = int(sys.argv[1]), sys.argv[2:]
if "broken" in habits:
    sys.exit("the model is missing")
if "deaf" in habits:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "parent" in habits:
    print(subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]).pid, flush=True)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/die":
            print("a last word", flush=True)
            os._exit(3)
        self.send_response(503 if "unready" in habits else 200)
        self.end_headers()
        self.wfile.write(b"database: away" if "unready" in habits else b"ok")

    def log_message(self, *args: object) -> None:
        """Say nothing of requests."""


HTTPServer(("127.0.0.1", port), Handler).serve_forever()
