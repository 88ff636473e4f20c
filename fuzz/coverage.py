"""`python -m fuzz.coverage -runs=N -seed=S folder`: looks for texts that reach new code of the parsers.

The options are libFuzzer's. Atheris (https://github.com/google/atheris) ends the process at the first fault and keeps
the text as `crash-…`.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["bot"]):
    from fuzz.parsers import PARSERS


def one(data: bytes) -> None:
    """One try: the first byte says which parser, the rest is the text."""
    provider = atheris.FuzzedDataProvider(data)
    parser = PARSERS[provider.ConsumeIntInRange(0, len(PARSERS) - 1)]
    parser(provider.ConsumeUnicode(sys.maxsize))


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
