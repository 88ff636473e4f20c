"""Settings: read once from the environment at start, checked, frozen. Secrets may come from `NAME_FILE`."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.casework.hours import Hours, parse
from bot.keep import Keep

SECRETS = (
    "TELEGRAM_BOT_TOKEN",
    "SECRET_KEY",
    "DATA_KEY",
    "DATA_KEY_OLD",
    "ENGINE_SECRET",
    "ACTIONS_SECRET",
    "DATABASE_URL",
)


KEPT = Path("var/secrets.env")


class SettingsError(ValueError):
    """A setting is missing or wrong; the message says which and what to do."""


class Settings(BaseSettings):
    """All settings of the bot and the actions process."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    database_url: str = "sqlite+aiosqlite:///var/waypoint.db"
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    public_url: str = ""
    allowed_origins: str = ""
    files_dir: Path = Path("var/files")
    keys_file: Path = Path("var/waypoint.keys")  # the data keys, wrapped, for `make restore`
    secret_key: SecretStr = SecretStr("")
    data_key: SecretStr = SecretStr("")
    data_key_old: SecretStr = SecretStr("")  # those before it, separated by commas, while keys are exchanged
    engine_urls: str = "http://127.0.0.1:5005"
    engine_secret: SecretStr = SecretStr("")
    engine_timeout: float = Field(20.0, gt=0, le=120)
    actions_host: str = "127.0.0.1"
    actions_port: int = Field(5055, ge=0, le=65535)
    actions_secret: SecretStr = SecretStr("")
    telegram_bot_token: SecretStr = SecretStr("")
    telegram_api_base: str = "https://api.telegram.org"
    telegram_webhook_url: str = ""
    coordinators_chat_id: int | None = None
    group_sends_per_minute: int = Field(20, gt=0, le=10_000)  # Telegram's limit for one group
    sandbox_url: str = ""
    stop_notice_seconds: float = Field(0.0, ge=0, le=120)  # between "not ready" and the stop
    max_file_bytes: int = Field(20 * 1024 * 1024, gt=0)

    # The desk's working hours, and within how much of them a person is answered.
    desk_timezone: str = Field("UTC", max_length=60)
    desk_hours: str = Field("", max_length=1_000)  # Mon-Fri 09:00-18:00, Sat 10:00-13:00
    desk_holidays: str = Field("", max_length=10_000)  # 2026-12-24..2027-01-02, 2027-05-01
    desk_answer_hours: float = Field(4.0, gt=0, le=240)
    desk_urgent_minutes: float = Field(30.0, gt=0, le=24 * 60)

    # How fast somebody may write, and how many chats one address may open.
    messages_per_minute: int = Field(120, ge=2, le=10_000)  # over five minutes on average

    # For how long each kind of data is kept.
    keep_draft_hours: int = Field(24, ge=1, le=24 * 7)
    keep_days: int = Field(180, ge=1, le=3_650)
    keep_case_days: int = Field(365, ge=1, le=3_650)
    keep_delivery_days: int = Field(30, ge=2, le=3_650)  # Telegram sends an update again for a day
    keep_figure_days: int = Field(730, ge=14, le=3_650)  # the desk's figures are of the last week

    @field_validator("database_url")
    @classmethod
    def _async_driver(cls, url: str) -> str:
        """Accept the URLs that providers hand out, and name the async driver that we use."""
        for plain, driver in (("postgresql://", "postgresql+asyncpg://"), ("postgres://", "postgresql+asyncpg://")):
            url = url.replace(plain, driver, 1) if url.startswith(plain) else url
        url = url.replace("sqlite://", "sqlite+aiosqlite://", 1) if url.startswith("sqlite://") else url
        if not url.startswith(("postgresql+asyncpg://", "sqlite+aiosqlite:///")):
            raise ValueError("DATABASE_URL must start with postgresql:// or sqlite:///")
        if url.startswith("sqlite") and not url.removeprefix("sqlite+aiosqlite:///").strip("/").partition("?")[0]:
            raise ValueError("DATABASE_URL names no file: sqlite:////srv/waypoint/waypoint.db")
        if url.startswith("sqlite") and ":memory:" in url:
            raise ValueError("DATABASE_URL must name a file: what is kept in memory is lost, and no process shares it")
        return url.replace("sslmode=", "ssl=", 1)  # as asyncpg calls it

    @model_validator(mode="after")
    def _desk_can_be_read(self) -> Self:
        """Hours that cannot be read stop the start, not the first person who writes at night."""
        self.hours  # noqa: B018
        return self

    @property
    def address(self) -> str:
        """The address that people use, without a trailing slash: for links in what is said."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def hours(self) -> Hours:
        """The desk's working hours."""
        return parse(
            self.desk_timezone,
            self.desk_hours,
            self.desk_holidays,
            timedelta(hours=self.desk_answer_hours),
            timedelta(minutes=self.desk_urgent_minutes),
        )

    @property
    def data_keys(self) -> tuple[str, ...]:
        """DATA_KEY and those before it."""
        older = self.data_key_old.get_secret_value().split(",")
        return (self.data_key.get_secret_value(), *(each.strip() for each in older if each.strip()))

    @property
    def keep(self) -> Keep:
        """For how long each kind of data is kept."""
        return Keep(
            self.keep_draft_hours,
            self.keep_days,
            self.keep_case_days,
            self.keep_delivery_days,
            self.keep_figure_days,
        )

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines' addresses, without trailing slashes."""
        return tuple(url.strip().rstrip("/") for url in self.engine_urls.split(",") if url.strip())

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins, beside our own, whose pages may use the web interface."""
        return tuple(origin.strip().rstrip("/") for origin in self.allowed_origins.split(",") if origin.strip())


def load(require: tuple[str, ...] = ()) -> Settings:
    """Settings from the environment. `require` names fields that must not be empty. Raises SettingsError."""
    try:
        settings = Settings(**_from_files())
    except ValueError as error:
        raise SettingsError(f"Settings: {error}") from None
    for name in require:
        value = getattr(settings, name)
        if not (value.get_secret_value() if isinstance(value, SecretStr) else value):
            raise SettingsError(f"{name.upper()} is not set. Set it, or {name.upper()}_FILE, in the environment.")
    return settings


def _from_files() -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in SECRETS:
        path = os.environ.get(f"{name}_FILE")
        if path and not os.environ.get(name):
            try:
                values[name.lower()] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(f"{name}_FILE: cannot read {path}: {error.strerror}") from None
    return _kept() | values


def _kept() -> dict[str, str]:
    """The data keys that `make run` made, for the commands that are run beside it."""
    if any(os.environ.get(name) for name in ("DATA_KEY", "DATA_KEY_FILE")) or not KEPT.is_file():
        return {}
    lines = KEPT.read_text(encoding="utf-8").splitlines()
    kept = dict(line.split("=", 1) for line in lines if "=" in line)
    return {name.lower(): kept[name] for name in ("DATA_KEY", "DATA_KEY_OLD") if kept.get(name)}
