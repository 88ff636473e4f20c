import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.run import (
    StartError,
    actions_service,
    address,
    bot_service,
    engine_service,
    prepare,
    sandbox_service,
)

ROOT = Path(__file__).resolve().parents[2]
GIVEN = {"PORT": "0", "PATH": os.environ["PATH"]}


def two_in_a_row() -> tuple[socket.socket, socket.socket]:
    """Two ports, one after the other, held until they are closed. Other programs take ports meanwhile."""
    while True:
        first = socket.create_server(("127.0.0.1", 0))
        try:
            return first, socket.create_server(("127.0.0.1", int(first.getsockname()[1]) + 1))
        except (OSError, OverflowError):
            first.close()


def test_it_starts_the_sandbox_only_without_a_telegram_token(tmp_path: Path) -> None:
    env = prepare(GIVEN, tmp_path)
    assert env["TELEGRAM_API_BASE"] == env["SANDBOX_URL"] == f"http://127.0.0.1:{env['SANDBOX_PORT']}"
    assert env["TELEGRAM_BOT_TOKEN"] == env["SANDBOX_TOKEN"]
    for given in ({"TELEGRAM_BOT_TOKEN": "42:real"}, {"TELEGRAM_BOT_TOKEN_FILE": "/run/secrets/token"}):
        assert "SANDBOX_URL" not in prepare(GIVEN | given, tmp_path)


def test_an_empty_variable_counts_as_not_given(tmp_path: Path) -> None:
    env = prepare(GIVEN | {"TELEGRAM_BOT_TOKEN": "", "HOST": "", "DATABASE_URL": "", "ENGINE_PORT": ""}, tmp_path)
    assert env["SANDBOX_URL"]
    assert env["HOST"] == "127.0.0.1"
    assert env["DATABASE_URL"] == f"sqlite+aiosqlite:///{tmp_path}/waypoint.db"
    assert int(env["ENGINE_PORT"]) > 0


def test_what_is_given_is_kept(tmp_path: Path) -> None:
    given = {
        "DATABASE_URL": "postgresql://db/waypoint",
        "ENGINE_SECRET": "e",
        "ACTIONS_SECRET_FILE": "/run/secrets/actions",
        "SECRET_KEY": "s",
        "DATA_KEY_FILE": "/run/secrets/data",
        "ENGINE_PORT": "15005",
        "FILES_DIR": "/srv/files",
    }
    env = prepare(GIVEN | given, tmp_path)
    assert {name: env[name] for name in given} == given
    assert env["ENGINE_URLS"] == "http://127.0.0.1:15005"
    assert "ACTIONS_SECRET" not in env
    assert not (tmp_path / "secrets.env").exists()


def test_the_engine_and_the_actions_share_secrets_that_are_new_in_every_run(tmp_path: Path) -> None:
    first, second = prepare(GIVEN, tmp_path), prepare(GIVEN, tmp_path)
    for name in ("ENGINE_SECRET", "ACTIONS_SECRET"):
        assert len(first[name]) >= 32
        assert first[name] != second[name]


def test_the_keys_stay_the_same_and_only_the_owner_can_read_them(tmp_path: Path) -> None:
    first, second = prepare(GIVEN, tmp_path), prepare(GIVEN, tmp_path)
    for name in ("SECRET_KEY", "DATA_KEY"):
        assert len(first[name]) == 44
        assert first[name] == second[name]
    assert first["SECRET_KEY"] != first["DATA_KEY"]
    assert stat.S_IMODE((tmp_path / "secrets.env").stat().st_mode) == 0o600


def test_a_key_that_is_missing_from_the_file_is_added_and_the_other_kept(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").write_text("SECRET_KEY=kept=\n")
    env = prepare(GIVEN, tmp_path)
    assert env["SECRET_KEY"] == "kept="
    assert prepare(GIVEN, tmp_path)["DATA_KEY"] == env["DATA_KEY"] != ""


def test_a_busy_port_gets_a_sentence_that_says_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=rf"^Port {port} is in use .*: PORT=\d+ make run$"):
            prepare(GIVEN | {"PORT": str(port)}, tmp_path)


@pytest.mark.parametrize("port", ["eighty", "-1", "65536", "8080 ", "\N{SUPERSCRIPT TWO}"])
def test_a_port_that_is_none_is_refused(port: str, tmp_path: Path) -> None:
    with pytest.raises(StartError, match=re.escape(f"PORT is {port!r}, which is not a port")):
        prepare(GIVEN | {"PORT": port}, tmp_path)


def test_the_sandbox_takes_another_port_when_the_next_one_is_busy(tmp_path: Path) -> None:
    first, second = two_in_a_row()
    port = int(first.getsockname()[1])
    first.close()
    with second:
        env = prepare(GIVEN | {"PORT": str(port)}, tmp_path)
    assert env["SANDBOX_PORT"] not in (str(port), str(port + 1))


def test_a_process_is_not_given_secrets_that_it_has_no_use_for(tmp_path: Path) -> None:
    env = prepare(GIVEN | {"DATA_KEY_FILE": "/run/secrets/data"}, tmp_path)
    for service in (engine_service(env), sandbox_service(env)):
        assert not {"TELEGRAM_BOT_TOKEN", "SECRET_KEY", "DATA_KEY", "DATA_KEY_FILE", "DATABASE_URL"} & set(
            service.environment
        )
        assert service.environment["PATH"] == os.environ["PATH"]
    for service in (actions_service(env), bot_service(env)):
        assert service.environment["DATA_KEY_FILE"] == "/run/secrets/data"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),  # noqa: S104
        ("::1", "http://[::1]:80"),
    ],
)
def test_the_address_is_one_that_a_browser_can_open(host: str, url: str) -> None:
    assert address({"HOST": host, "PORT": "80"}) == url


def test_the_command_says_in_one_sentence_why_it_cannot_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = subprocess.run(
            [sys.executable, str(ROOT / "scripts/run.py"), "--var", str(tmp_path)],
            env=GIVEN | {"PORT": str(other.getsockname()[1])},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert result.stdout.startswith("Port ")
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""
