"""Whatever people do, in whatever order: it never breaks, the place is always known, and every word can be said."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.guide import Guide
from bot.journey.safety import ALARMS
from bot.journey.turn import _ANSWERS
from bot.progress import RECORD_STATES, RECORDS, RELATIONS, SIGNALS
from tests.bot.conftest import MONDAY
from tests.bot.journey.talk import Talk, mention
from tests.bot.rules import decisions

GUIDE = Guide.load()
TYPED = sorted(set(decisions()) - {"press", "file", "start"})

texts = st.one_of(
    st.sampled_from(
        ["", " ", "yes", "no", "next friday", "Egypt", "3:20 pm", "{person} {0} %s", "ok", "\u202e abc", "🙂"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
)
mentions = st.lists(
    st.one_of(
        st.builds(
            lambda name, polarity: mention("signal", name, polarity=polarity),
            st.sampled_from([*SIGNALS, "unknown"]),
            st.sampled_from(["yes", "no"]),
        ),
        st.builds(
            lambda name, state: mention("record", name, state=state),
            st.sampled_from([*RECORDS, "unknown"]),
            st.sampled_from([*RECORD_STATES, "", "unknown"]),
        ),
        st.builds(lambda name: mention("relation", name), st.sampled_from([*RELATIONS, "unknown"])),
    ),
    max_size=4,
)


class AnyOrder(RuleBasedStateMachine):
    """Random conversations, from the first word on."""

    @initialize(agrees=st.booleans(), role=st.sampled_from(["self", "carer"]))
    def begin(self, agrees: bool, role: str) -> None:
        """Some have agreed already."""
        self.talk = Talk(GUIDE, MONDAY)
        if agrees:
            self.talk.agree(role)

    @rule(intent=st.sampled_from(TYPED), text=texts, found=mentions)
    def types(self, intent: str, text: str, found: list[dict[str, str]]) -> None:
        """They type something."""
        self.talk.hear(intent, text, tuple(found), ("faq.certainty", intent))
        self.answered()

    @precondition(lambda self: self.talk.shown)
    @rule(data=st.data())
    def presses(self, data: st.DataObject) -> None:
        """They press any button that was ever shown."""
        self.talk.push(data.draw(st.sampled_from(self.talk.shown)))
        self.answered()

    @rule(name=st.sampled_from(["ct.pdf", "photo.jpg", "biopsy.pdf", "{x}.pdf", "", "voice.ogg"]), caption=texts)
    def sends(self, name: str, caption: str) -> None:
        """They send a file."""
        self.talk.send_file(name, "application/pdf", caption)
        self.answered()

    @rule()
    def starts(self) -> None:
        """They open the chat again."""
        self.talk.start()
        self.answered()

    @rule(tier=st.sampled_from(sorted(ALARMS)))
    def alarms(self, tier: str) -> None:
        """The safety net catches something: nothing but the action is said."""
        self.talk.alarm(tier)
        assert self.talk.said[0] == ALARMS[tier]
        assert set(self.talk.said[1:]) <= {"safety.told_coordinator"}
        assert self.talk.step.name == "safety"

    @rule(hours=st.sampled_from([1, 7, 24 * 40]))
    def waits(self, hours: int) -> None:
        """Time passes."""
        self.talk.now += timedelta(hours=hours)

    @rule(held=st.sampled_from(["talking", "waiting", "claimed", "closed"]))
    def people_take_or_leave_it(self, held: str) -> None:
        """Coordinators claim and close."""
        self.talk.held = held

    def answered(self) -> None:
        """Every turn says something, or asks casework for something that does."""
        assert self.talk.turn is not None
        assert self.talk.says or {e.name for e in self.talk.turn.effects} & {"erase", "link", "withdraw"}
        assert len(self.talk.says) <= 12

    @invariant()
    def the_place_is_known(self) -> None:
        """The pending step is one that can be asked and answered."""
        if hasattr(self, "talk"):
            assert self.talk.step.name in {*_ANSWERS, "new"}
            assert len(self.talk.progress.held) <= 8

    @invariant()
    def nothing_is_kept_of_who_declined(self) -> None:
        """After a refusal the document holds nothing of health."""
        if hasattr(self, "talk") and self.talk.consent == "declined":
            known = self.talk.progress
            assert (known.signals, known.records, known.questions, known.extras) == ({}, {}, [], [])


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
