"""Records: six items in one of seven states each, how to get them, a live checklist, then the helpful extras."""

from __future__ import annotations

from bot.journey.notes import answer_others, note_record, note_records, note_signals, noted_states
from bot.journey.turn import Turn, answers, ask, asks, go, go_on, named, press, return_to_preview, value
from bot.journey.welcome import needs_consent
from bot.progress import EXTRAS, RECORD_STATES, RECORDS, Step
from bot.render import Card, Choice


def card(turn: Turn) -> Card:
    """The live checklist: every record with its state."""
    return Card("checklist", {record: _state(turn, record) for record in RECORDS})


def _state(turn: Turn, record: str) -> str:
    known = turn.progress.records.get(record)
    return known.state if known and known.state != "skipped" else ""


def show_card(turn: Turn, *, fresh: bool = False) -> None:
    """Show the checklist, once a turn. On Telegram the one that stands is edited in place; a fresh one is sent anew."""
    fresh = fresh or any(say.say == "records.card_new" for say in turn.says)
    turn.says = [say for say in turn.says if say.card is None]
    turn.say("records.card_new" if fresh else "records.card_title", card=card(turn))


@asks("records")
def ask_record(turn: Turn) -> None:
    """Ask about the next record, or go on to the extras when all are known."""
    if needs_consent(turn, "records"):
        return
    progress = turn.progress
    record = progress.step.about or progress.next_record()
    if record is None:
        turn.say("records.done", have=progress.records_in_hand(), total=len(RECORDS))
        show_card(turn, fresh=True)
        go(turn, "extras")
        return
    if not progress.records and not progress.said.get("records.intro"):
        turn.say("records.intro")
        show_card(turn, fresh=True)
    progress.step = Step("records", record)
    turn.say(
        "records.ask",
        n=RECORDS.index(record) + 1,
        total=len(RECORDS),
        question=named(f"records.{record}.ask"),
        choices=state_buttons(record),
    )


def state_buttons(record: str, states: tuple[str, ...] = RECORD_STATES) -> tuple[Choice, ...]:
    """A button for each state of a record, and one that says how to get it."""
    buttons = tuple(press(f"state.{state}", "record", record=record, state=state) for state in states)
    return (*buttons, press("choice.how", "how", record=record))


@answers("records")
def answer_record(turn: Turn) -> None:
    """A typed yes is "have"; a typed no is asked about once more, since "no" has four meanings here."""
    record = turn.progress.step.about
    states = {"yes": "have", "not_sure": "dont_know", "skipped": "skipped"}
    answer = value(turn)
    if answer == "no":
        turn.say(
            "records.which_no",
            name=named(f"records.{record}.name"),
            choices=state_buttons(record, ("asked", "lost", "not_done", "not_for_me", "dont_know")),
        )
    elif answer:
        _note_and_go_on(turn, record, states[answer])
    else:
        ask(turn)


def press_record(turn: Turn) -> None:
    """A button sets the state of the record it stood under."""
    record, state = turn.heard.pressed.get("record", ""), turn.heard.pressed.get("state", "")
    if record in RECORDS and state in RECORD_STATES and not needs_consent(turn, "records"):
        _note_and_go_on(turn, record, state)


def _note_and_go_on(turn: Turn, record: str, state: str) -> None:
    note_record(turn, record, state)
    if state == "skipped":
        turn.say("steer.skipped")
    else:
        if turn.heard.typed:  # a pressed button and the card show it already
            turn.say("records.noted", name=named(f"records.{record}.name"), state=named(f"state.{state}"))
        if state in ("lost", "asked"):
            turn.say(f"records.{record}.how")
        show_card(turn)
    if turn.progress.step.name != "records":
        ask(turn)
    elif not return_to_preview(turn):
        go(turn, "records")


def hear(turn: Turn) -> None:
    """They spoke of records: several items and states from one message, or asked how to get one."""
    if turn.heard.intent == "records.how_to_get":
        mentions = turn.heard.of("record")
        about = turn.progress.step.about if turn.progress.step.name == "records" else ""
        how(turn, mentions[0].value if mentions else about)
        return
    if turn.consent == "declined":
        needs_consent(turn, "records")
        return
    if names := note_signals(turn):
        turn.say("signals.heard", names=names)
    noted = note_records(turn)
    step = turn.progress.step
    if not noted and step.name == "records" and step.about:
        state = "have" if turn.heard.intent == "records.have" else "lost"
        note_record(turn, step.about, state, turn.heard.text)
        noted = [step.about]
    if not noted:
        turn.say(
            "records.which_item", choices=tuple(press(f"records.{r}.name", "go_record", record=r) for r in RECORDS)
        )
        return
    turn.say("records.heard", items=noted_states(turn, noted))
    if turn.consent == "agreed":
        show_card(turn)
    answer_others(turn)
    go_on(turn)


def how(turn: Turn, record: str) -> None:
    """How and whom to ask for one record; asked which when it is unclear."""
    if record in RECORDS:
        turn.say(f"records.{record}.how")
        turn.progress.topic = f"records.{record}.how"
        ask(turn)
    else:
        turn.say("records.how_which", choices=tuple(press(f"records.{r}.name", "how", record=r) for r in RECORDS))


def press_go_record(turn: Turn) -> None:
    """They chose the record to speak of."""
    record = turn.heard.pressed.get("record", "")
    if record in RECORDS:
        go(turn, "records", record)


@asks("extras")
def ask_extras(turn: Turn) -> None:
    """Offer the helpful extras, those not ticked yet; never a condition (rules.md)."""
    left = [extra for extra in EXTRAS if extra not in turn.progress.extras]
    done = press("choice.done", "go", to="questions")
    if not left:
        turn.say("extras.done")
        go(turn, "questions")
        return
    turn.say(
        "extras.more" if turn.progress.extras else "extras.intro",
        choices=(*(press(f"extras.{extra}.name", "extra", extra=extra) for extra in left), done),
    )


@answers("extras")
def answer_extras(turn: Turn) -> None:
    """Typed no, done or skip goes on; a bare yes asks which."""
    if value(turn) == "yes":
        ask(turn)
    else:
        go(turn, "questions")


def press_extra(turn: Turn) -> None:
    """Tick one extra."""
    extra = turn.heard.pressed.get("extra", "")
    if extra in EXTRAS and not needs_consent(turn, "extras"):
        if extra not in turn.progress.extras:
            turn.progress.extras.append(extra)
        turn.say("extras.noted", name=named(f"extras.{extra}.name"))
        if turn.progress.step.name == "extras":
            ask(turn)


@asks("records_change")
def ask_change(turn: Turn) -> None:
    """Ask which record's state to change."""
    turn.say("records.change_which", choices=tuple(press(f"records.{r}.name", "go_record", record=r) for r in RECORDS))


@answers("records_change")
def answer_change(turn: Turn) -> None:
    """No more to change: back to what will be sent, or to the list."""
    if value(turn) not in ("no", "skipped"):
        ask(turn)
    elif not return_to_preview(turn):
        go(turn, "records")
