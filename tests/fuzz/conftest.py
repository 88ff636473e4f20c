"""The website as its own tests start it."""

from __future__ import annotations

from tests.web.conftest import fresh_database, site

__all__ = ["fresh_database", "site"]
