"""Answers that are ready, seen before they are sent; and items of the checklist, sent with their buttons."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.claims import DeskInbound
from bot.casework.erasing import Erasing
from bot.guide import Entry
from bot.journey.records import state_buttons
from bot.model import Case, Draft
from bot.progress import RECORDS, Progress
from bot.render import Say, Voice, render, speak

CANNED = "canned."
KNOWN = ("hello", "me", "code")  # fields that fill themselves
BAR = "|"  # between the fields that do not
DRAFT_LASTS = timedelta(hours=1)


class Answers(Erasing):
    """Use cases of what is prepared."""

    async def prepare(self, session: AsyncSession, case: Case, said: DeskInbound, words: str) -> str:
        """Show an answer that is ready as the person would read it. Returns words when that cannot be done, else "".

        `words` are the answer's name, then the fields that do not fill themselves, with bars between them.
        """
        name, _, rest = words.partition(" ")
        if not name:
            return self.words("desk.canned_list", items=self._canned())
        if f"{CANNED}{name.lower()}" not in self.guide.ids:
            return self.words("desk.canned_none", name=name[:40], items=self._canned())
        if case.state not in ("waiting", "claimed"):
            return self.words("desk.is_closed")
        entry = self.guide.entry(f"{CANNED}{name.lower()}", case.lang)
        given = [part.strip() for part in rest.split(BAR)] if rest.strip() else []
        asked = _fields(entry)
        if len(given) != len(asked) or not all(given):
            return self.words("desk.canned_fields", usage=_usage(entry))
        fields = self._known_fields(case, said) | dict(zip(asked, given, strict=True))
        text = speak(self.guide, entry.id, {name: fields[name] for name in entry.args}, self._voice(case))
        draft = await self.draft(session, case, said, "answer", text)
        buttons = [
            [self.words("desk.preview_send"), f"send:{draft}"],
            [self.words("desk.preview_drop"), f"drop:{draft}"],
        ]
        await self.post(session, case, self.words("desk.preview", text=text), also={"buttons": buttons})
        return ""

    def _canned(self) -> list[str]:
        entries = [self.guide.entry(say) for say in sorted(self.guide.ids) if say.startswith(CANNED)]
        return [_usage(entry) for entry in entries]

    def _known_fields(self, case: Case, said: DeskInbound) -> dict[str, str]:
        name = Progress.model_validate_json(case.progress).contact.name
        hello = Say("canned_hello.named", {"name": name}) if name else Say("canned_hello.unnamed")
        return {
            "hello": speak(self.guide, hello.say, hello.args, self._voice(case)),
            "me": said.user_name,
            "code": case.code,
        }

    def _voice(self, case: Case) -> Voice:
        progress = Progress.model_validate_json(case.progress)
        return Voice(case.lang, progress.role or "self", progress.relation or None)

    # What waits for a second press.

    async def draft(self, session: AsyncSession, case: Case, said: DeskInbound, kind: str, text: str) -> str:
        """Keep what a coordinator is asked to confirm. Returns its id."""
        draft = Draft(case_id=case.id, kind=kind, user_id=said.user_id, text=text, at=self.now())
        session.add(draft)
        await session.flush()
        return draft.id

    async def take_draft(self, session: AsyncSession, number: str, kind: str) -> Draft | None:
        """What is confirmed now, which can be done once and for an hour; None when it is gone."""
        draft = await session.get(Draft, number, with_for_update=True, populate_existing=True)
        if draft is None or draft.kind != kind:
            return None
        await session.delete(draft)
        return draft if self.now() - draft.at <= DRAFT_LASTS else None

    async def send_draft(self, session: AsyncSession, case: Case, said: DeskInbound, draft: Draft) -> str:
        """An answer that was shown goes to the person, from whoever presses. Returns what became of it."""
        await self.settle_buttons(session, case, said.message_id)
        if case.state not in ("waiting", "claimed"):
            return self.words("desk.is_closed")
        await self._reply(session, case, said, draft.text)
        return self.words("desk.preview_sent")

    async def settle_buttons(self, session: AsyncSession, case: Case, message_id: int) -> None:
        """Take the buttons off a message of the topic: what they stood for is done."""
        await self.send(session, "topic.settle", {"message_id": message_id}, lane=f"topic:{case.id}", case=case)

    # Items of the checklist.

    async def ask(self, session: AsyncSession, case: Case, said: DeskInbound, item: str) -> str:
        """Send the person one item of the checklist, with its buttons. Returns what became of it, in words."""
        record = item.lower().removeprefix("records.").strip()
        if record not in RECORDS:
            return self.words("desk.ask_list", items=[f"/ask records.{record}" for record in RECORDS])
        if not await self.steps_in(session, case, said):
            return self.words("desk.is_closed")
        say = Say(f"records.{record}.ask", {}, state_buttons(record))
        blocks = render(self.guide, say, self._voice(case), 0)
        for conversation in await store.conversations_of(session, case.id):
            await self.put(session, case, conversation, blocks, role="coordinator", name=said.user_name, say=say.say)
        name = self.words(f"records.{record}.name")
        text = self.words("desk.asked", name=said.user_name, item=name)
        await self.post(session, case, text)
        await self.refresh_card(session, case)
        return ""


def _fields(entry: Entry) -> list[str]:
    """The fields of an answer that a coordinator has to give, in the order in which they are read."""
    text = entry.variants[0]
    return sorted((name for name in entry.args if name not in KNOWN), key=lambda name: text.index(f"{{{name}}}"))


def _usage(entry: Entry) -> str:
    fields = f" {BAR} ".join(_fields(entry))
    return f"/r {entry.id.removeprefix(CANNED)} {fields}".strip()
