"""Keeps TensorFlow out of the process that serves: Rasa imports it, for components that our recipe does not name.

It would take more memory than everything else together, and half of the start (docs/performance.md). A stand-in is
enough for the class statements, decorators and annotations of Rasa's modules. It is sealed once the model is loaded:
whatever would really compute with it then fails, and says why.
"""

from __future__ import annotations

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

ABSENT = frozenset({"tensorflow", "tensorflow_addons", "tensorflow_hub", "keras"})


class _AnyName(type):
    """What is named is there, whatever it is called."""

    def __getattr__(cls, name: str) -> type[Anything]:
        return _named(name)


class Anything(metaclass=_AnyName):
    """A class that can be inherited from, called, and asked for any attribute."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take whatever it is given."""

    def __call__(self, *_: Any, **__: Any) -> Anything:
        """A decorator's answer."""
        return self

    def __getattr__(self, name: str) -> type[Anything]:
        """See the class."""
        return _named(name)


class _Module(ModuleType):
    def __getattr__(self, name: str) -> type[Anything]:
        return _named(name)


class _StandIn(MetaPathFinder, Loader):
    sealed = False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in ABSENT else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to execute."""


_stand_in = _StandIn()


def _named(name: str) -> type[Anything]:
    if name.startswith("__"):  # Python asks for these to see what a thing can do
        raise AttributeError(name)
    if _stand_in.sealed:
        raise RuntimeError(f"{name} is TensorFlow's, which this process goes without (engine/absent.py)")
    return Anything


def stand_in() -> None:
    """From here on, an import of TensorFlow gives the stand-in. Call it before Rasa is imported."""
    sys.meta_path.insert(0, _stand_in)


def seal() -> None:
    """From here on, using the stand-in raises RuntimeError. Call it when the model is loaded."""
    _stand_in.sealed = True
