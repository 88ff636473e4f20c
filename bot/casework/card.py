"""The card at the top of a case's topic: what a coordinator has to know at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot import store
from bot.casework.base import ALERT
from bot.casework.topic import CaseTopic
from bot.journey.brief import brief
from bot.journey.places import local_time
from bot.journey.turn import FileView
from bot.model import Case
from bot.progress import Progress

BUTTONS = {"waiting": ("claim",), "claimed": ("close", "release"), "closed": ("reopen",)}
NOTES = 3  # the newest, on the card; /export has all
DELAY = timedelta(minutes=1)  # after which words that have not been delivered are late


@dataclass(frozen=True)
class Card:
    """What stands at the top of a case's topic: its words, its buttons (label, callback data)."""

    title: str
    text: str
    buttons: tuple[tuple[str, str], ...]
    topic_id: int | None
    message_id: int | None


class Cards(CaseTopic):
    """Use cases of the card."""

    async def card(self, case_id: str) -> Card | None:
        """The card of a case as it should read now; None when the case is gone."""
        async with self.reading() as session:
            case = await store.case(session, case_id)
            if case is None:
                return None
            progress = Progress.model_validate_json(case.progress)
            theirs = [file for file in await store.files(session, case.id) if file.sender == "patient"]
            files = tuple(FileView(f.id, f.name, f.mime, f.kind, f.record) for f in theirs)
            lines = [self._state_line(case)]
            if case.urgent:
                lines.append(self.words("desk.urgent_flag", reason=self.reason(case.urgent_reason)))
            lines += [self.words(line["say"], **line["args"]) for line in brief(progress, files)]
            lines += [line for line in (self._waits_since(case), await self._delay(session, case)) if line]
            if clock := local_time(progress.contact.timezone, self.now()):
                lines.append(self.words("desk.local_time", time=clock))
            lines += [
                self.words("desk.note", name=note.by_name, text=note.text)
                for note in await store.notes(session, case.id, NOTES)
            ]
            lines.append(self.words("desk.how_to_reply"))
            return Card(
                title=case.code,
                text="\n".join(lines),
                buttons=self._buttons(case),
                topic_id=case.topic_id,
                message_id=case.brief_message_id,
            )

    def _state_line(self, case: Case) -> str:
        since = self.at_desk(case.handed_off_at) if case.handed_off_at else ""
        if case.state == "claimed":
            return self.words("desk.card_claimed", code=case.code, name=case.holder_name, since=since)
        if case.state == "closed":
            return self.words(
                "desk.card_closed", code=case.code, name=case.holder_name, reason=case.close_reason or "-"
            )
        return self.words("desk.card_waiting", code=case.code, since=since)

    def _waits_since(self, case: Case) -> str:
        """Since when words of the person wait for an answer, while somebody holds the case."""
        if case.state != "claimed" or case.waiting_since is None:
            return ""
        return self.words("desk.card_unanswered", since=self.at_desk(case.waiting_since))

    async def _delay(self, session: AsyncSession, case: Case) -> str:
        """What has waited to be delivered for longer than it should."""
        count, oldest = await store.delayed(session, case.id, self.now() - DELAY)
        return self.words("desk.card_delayed", count=count, since=self.at_desk(oldest)) if oldest else ""

    def _buttons(self, case: Case) -> tuple[tuple[str, str], ...]:
        acts = BUTTONS.get(case.state, ()) if not case.blocked else ()
        return tuple((self.words(f"desk.button.{act}"), f"{act}:{case.id}") for act in acts)

    async def raise_urgent(self, session: AsyncSession, case: Case, reason: str) -> None:
        """Flag a case that people hold: something in it cannot wait."""
        case.urgent, case.urgent_reason = True, reason[:40]
        await self.post(session, case, self.words("desk.urgent_flag", reason=self.reason(reason)), priority=ALERT)
        await self.refresh_card(session, case)

    def reason(self, reason: str) -> str:
        """Why a case is urgent, in words."""
        return self.words(f"desk.reason.{reason}")
