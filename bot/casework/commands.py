"""Every command of the coordinators' group. Menus, /help and docs/desk.md are made from `COMMANDS`. Pure."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

CODE = re.compile(r"(?:WP[- ]?)?([2-9A-HJ-NP-Z]{4})[- ]?([2-9A-HJ-NP-Z]{4})", re.IGNORECASE)
_FIRST_WORD = re.compile(r"/([A-Za-z0-9_]+)(?:@(\w+))?(?:\s+|$)")


@dataclass(frozen=True)
class Command:
    """One command. `of_case`: it is about one case, that of the topic, or the one whose code stands first."""

    name: str
    of_case: bool = True
    administrators: bool = False

    @property
    def says(self) -> str:
        """The guide's id of what it does."""
        return f"desk.command.{self.name}"

    @property
    def usage(self) -> str:
        """The guide's id of how it is written."""
        return f"desk.usage.{self.name}"


COMMANDS = {
    command.name: command
    for command in (
        Command("say"),
        Command("claim"),
        Command("release"),
        Command("transfer"),
        Command("r"),
        Command("ask"),
        Command("undo"),
        Command("note"),
        Command("remind"),
        Command("urgent"),
        Command("close"),
        Command("reopen"),
        Command("export"),
        Command("find", of_case=False),
        Command("stats", of_case=False),
        Command("help", of_case=False),
        Command("block", administrators=True),
        Command("unblock", administrators=True),
        Command("erase", administrators=True),
    )
}


@dataclass(frozen=True)
class Order:
    """A command as it was written: its name in small letters, the bot it names ("" for any), and the rest."""

    name: str
    bot: str
    rest: str


def ordered(text: str) -> Order | None:
    """The command that a message begins with; None for other words.

    >>> ordered("/close@OurBot helped") == Order("close", "OurBot", "helped")
    True
    """
    found = _FIRST_WORD.match(text)
    if found is None:
        return None
    return Order(found[1].lower(), found[2] or "", text[found.end() :].strip())


def meant(name: str) -> str:
    """The command that was probably meant by a mistyped one, or "".

    >>> meant("clsoe"), meant("xyz")
    ('close', '')
    """
    return next(iter(difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.6)), "")


def coded(text: str) -> tuple[str, str]:
    """(case code, the rest) of words that begin with a code, in any way people write one; ("", the words) else.

    >>> coded("wp 2abc-3def see you")
    ('WP-2ABC-3DEF', 'see you')
    """
    found = CODE.match(text)
    if found is None or text[found.end() : found.end() + 1].isalnum():
        return "", text
    return f"WP-{found[1]}-{found[2]}".upper(), text[found.end() :].strip()
