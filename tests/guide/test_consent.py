"""What people agree to has a version, and other words are another version."""

from __future__ import annotations

import hashlib
import json

from bot.casework.consent import CONSENT_VERSION
from bot.guide import Guide

WORDING = ("welcome.consent", "consent.needed", "service.privacy", "handoff.confirm")
# The fingerprint of each wording that people were ever asked with. Change the words: add a version, and its line here.
FINGERPRINTS = {"2026-11.2": "8a3aa64f34b884a4"}


def test_the_wording_of_the_consent_is_that_of_its_version() -> None:
    guide = Guide.load()
    texts = {f"{language} {say}": guide.entry(say, language).texts for language in guide.languages for say in WORDING}
    found = hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:16]
    assert FINGERPRINTS[CONSENT_VERSION] == found
