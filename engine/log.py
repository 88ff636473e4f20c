"""Logging: ids and kinds of fault, never a person's words. For people by default, for programs with LOG_FORMAT=json."""

from __future__ import annotations

import logging

import structlog
from pythonjsonlogger.json import JsonFormatter

from observe.logs import LINE, NAMES, RESERVED, for_programs, with_ids


def configure() -> None:
    """Send warnings and worse to the error stream. Call it before Rasa is imported.

    Rasa's structlog would otherwise print its debug lines, which quote what people wrote.
    """
    handler = logging.StreamHandler()
    handler.addFilter(with_ids)
    if for_programs():
        handler.setFormatter(JsonFormatter(LINE, rename_fields=NAMES, reserved_attrs=RESERVED))
    else:
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s%(about)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR), cache_logger_on_first_use=True
    )
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)  # deprecations inside Rasa, which is frozen
    logging.getLogger("rasa").setLevel(logging.ERROR)
