"""Logging: ids and kinds of fault, never a person's words."""

from __future__ import annotations

import logging

import structlog


def configure() -> None:
    """Send warnings and worse to the error stream. Call it before Rasa is imported.

    Rasa's structlog would otherwise print its debug lines, which quote what people wrote.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR), cache_logger_on_first_use=True
    )
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)  # deprecations inside Rasa, which is frozen
    logging.getLogger("rasa").setLevel(logging.ERROR)
