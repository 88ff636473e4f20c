"""Known faults of what is locked: what is looked up, what is accepted, and what is said when nobody can be asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from scripts import audit
from scripts.audit import (
    APP,
    ENGINE,
    TOOLS,
    Finding,
    NotLookedUp,
    WrongList,
    accepted,
    look_up,
    look_up_widget,
    refused,
)
from tests.conftest import ROOT

TODAY = date(2026, 11, 27)
FAULTY = {"uvicorn", "pytest", "sanic", "tensorflow"}  # two of each environment; of one each nothing may be accepted
ENTRY = 'package = "pytest"\nid = "PYSEC-0000-1"\nwhy = "It is a plainly fictional fault."\nuntil = 2027-01-01\n'


class Database(BaseHTTPRequestHandler):
    """OSV's and npm's interfaces, which know of a fictional fault of some packages."""

    def do_POST(self) -> None:
        """Answer about one package (OSV), or all of a lock (npm)."""
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path.startswith("/v1/query"):
            package = json.loads(body)["package"]["name"]
            affected = {"package": {"name": package, "ecosystem": "PyPI"}, "ranges": []}
            fault = {"id": "PYSEC-0000-1", "details": "Fictional.", "affected": [affected]}
            answer = {"vulns": [fault]} if package in FAULTY else {}
        else:
            url = "https://github.com/advisories/GHSA-0000-0000-0000"
            fault = {"id": 1, "url": url, "title": "Fictional.", "severity": "low", "vulnerable_versions": "*"}
            answer = {"lit": [fault]}
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a database of faults."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Database) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("environment", "found"),
    [(".venv", {("uvicorn", APP, True), ("pytest", TOOLS, True)}), ("engine/.venv", {("sanic", ENGINE, True)})],
)
def test_every_installed_package_is_looked_up_and_its_place_is_told(
    database: str, environment: str, found: set[tuple[str, str, bool]]
) -> None:
    findings, packages = look_up(ROOT / environment, f"{database}/v1/query")
    assert packages > 80
    assert found <= {(each.package, each.part, each.loaded) for each in findings}
    assert {each.package for each in findings} <= FAULTY


def test_what_the_serving_engine_does_not_load_is_told_and_not_refused(database: str) -> None:
    findings, _ = look_up(ROOT / "engine" / ".venv", f"{database}/v1/query")
    assert {(each.package, each.loaded) for each in findings} >= {("tensorflow", False), ("sanic", True)}
    assert "tensorflow" not in {each.package for each in refused(findings, {})}


def test_a_database_that_does_not_answer_is_said_and_is_no_all_clear() -> None:
    with pytest.raises(NotLookedUp, match="bot and actions"):
        look_up(ROOT / ".venv", "http://127.0.0.1:9/v1/query")


def test_npm_is_asked_about_the_widget_and_a_database_that_is_away_is_said(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_registry", database)
    assert [(each.package, each.id) for each in look_up_widget()] == [("lit", "GHSA-0000-0000-0000")]
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    with pytest.raises(NotLookedUp, match="widget"):
        look_up_widget()


def test_a_finding_is_refused_unless_it_was_accepted_and_is_not_overdue() -> None:
    finding = Finding(TOOLS, "PyTest", "1", "PYSEC-0000-1", "2")
    text = f"[[accepted]]\n{ENTRY}"
    assert refused([finding], accepted(text, TODAY)) == []
    assert refused([finding], accepted(text, date(2027, 1, 2))) == [finding]
    assert refused([finding], accepted(text.replace("0000-1", "0000-2"), TODAY)) == [finding]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (ENTRY.replace("pytest", "Uvicorn"), "nothing of it is accepted"),
        (ENTRY.replace("until", "till"), "until is missing"),
    ],
)
def test_an_entry_without_a_date_or_of_what_the_bot_needs_is_refused(wrong: str, said: str) -> None:
    with pytest.raises(WrongList, match=said):
        accepted(f"[[accepted]]\n{wrong}", TODAY)


@pytest.mark.parametrize(("required", "status"), [("required", 1), ("", 0)])
def test_without_the_network_it_says_so_and_fails_only_where_it_must_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], required: str, status: int
) -> None:
    for proxy in ("HTTPS_PROXY", "https_proxy"):  # whoever runs this with a network must not reach it
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("AUDIT", required)
    assert audit.main() == status
    assert capsys.readouterr().out.count("NOT LOOKED UP") == 3
