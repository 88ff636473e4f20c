"""Kept no longer than needed: what has been kept long enough is deleted, and it is said what that was."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta

from bot import store
from bot.casework.answers import DRAFT_LASTS
from bot.casework.turns import Turns
from bot.model import File

AT_ONCE = 200  # cases that are looked for at a time
LONGEST = 40  # codes that one message names


@dataclass
class Swept:
    """How much of each kind was deleted."""

    drafts: int = 0  # of people who never agreed
    talks: int = 0  # of people who agreed and never asked for a coordinator
    cases: int = 0  # that were closed
    files: int = 0
    deliveries: int = 0
    figures: int = 0
    expired: int = 0  # links, and drafts of coordinators

    def __str__(self) -> str:
        """For the log: what there was, by kind."""
        return ", ".join(f"{count} {kind}" for kind, count in asdict(self).items() if count) or "nothing"


class Keeping(Turns):
    """Use cases of the sweep."""

    async def sweep(self) -> Swept:
        """Delete all that has been kept long enough. Several processes may sweep at once."""
        swept, codes = Swept(), list[str]()
        for case_id, kind in await self._over():
            await self._forget(case_id, kind, swept, codes)
        now = self.now()
        async with self.transaction() as session:
            swept.deliveries = await store.clear_deliveries(session, now - timedelta(days=self.keep.delivery_days))
            swept.figures = await store.clear_figures(session, now - timedelta(days=self.keep.figure_days))
            swept.expired = await store.clear_expired(session, now, now - DRAFT_LASTS)
            for first in range(0, len(codes), LONGEST):
                told = codes[first : first + LONGEST]
                await self.announce(session, self.words("desk.swept", count=len(told), codes=", ".join(told)))
        if swept != Swept():
            await self.scrub()
        return swept

    async def _over(self) -> list[tuple[str, str]]:
        """(case, kind) of what has been kept long enough: by our limit, or by the shorter one that was promised."""
        now, keep = self.now(), self.keep
        async with self.reading() as session:
            drafts = store.drafts_before(now - timedelta(hours=keep.draft_hours))
            over = [(case, "drafts") for case in await store.forgettable(session, drafts, AT_ONCE)]
            for days, case_days in await store.promises(session):
                talks = store.talks_before(now - timedelta(days=min(days or keep.days, keep.days)), days)
                over += [(case, "talks") for case in await store.forgettable(session, talks, AT_ONCE)]
                limit = min(case_days or keep.case_days, keep.case_days)
                cases = store.closed_before(now - timedelta(days=limit), case_days)
                over += [(case, "cases") for case in await store.forgettable(session, cases, AT_ONCE)]
        return list(dict.fromkeys(over))

    async def _forget(self, case_id: str, kind: str, swept: Swept, codes: list[str]) -> None:
        """Delete one case, unless its person wrote again since it was found."""
        async with self.transaction() as session:
            case = await store.case(session, case_id, lock=True)
            if case is None or not await store.lock_conversations(session, case_id):
                return
            if self.now() - case.updated_at < timedelta(hours=self.keep.draft_hours):  # the shortest of all limits
                return
            if case.topic_id is not None:
                codes.append(case.code)
            swept.files += await self.forget(session, case)
            setattr(swept, kind, getattr(swept, kind) + 1)

    async def clear_files(self, limit: int = 100) -> list[tuple[str, str]]:
        """(id, path) of files that lie in our folder as they were sent, from before files were sealed."""
        async with self.reading() as session:
            return [(file.id, file.path) for file in await store.clear_files(session, limit)]

    async def file_sealed(self, file_id: str, was: str, path: str, key: str) -> bool:
        """A file lies sealed elsewhere now. False when it is gone, or is another one by now."""
        async with self.transaction() as session:
            file = await session.get(File, file_id)
            if file is None or file.path != was:
                return False
            file.path, file.key = path, key
            return True

    async def kept_files(self) -> set[str]:
        """The paths of all files that are kept, as they lie under the files folder."""
        async with self.reading() as session:
            return await store.file_paths(session)
