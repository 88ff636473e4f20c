"""The start: what this is, consent, who is ill, and the three steps ahead."""

from __future__ import annotations

from bot.journey.notes import note_signals
from bot.journey.turn import Turn, answers, ask, asks, go, press, stand, topic, value
from bot.progress import RELATIONS
from bot.render import Choice


def start(turn: Turn) -> None:
    """`/start`, or the widget opened: welcome, or welcome back."""
    if turn.progress.step.name == "new":
        welcome(turn)
        go(turn, "consent")
    else:
        welcome_back(turn)


@asks("welcome")
def welcome(turn: Turn) -> None:
    """What this is, before anything is asked."""
    turn.say("welcome.what")


@asks("welcome_back")
def welcome_back(turn: Turn) -> None:
    """Say how far they got, then the question they were at."""
    progress = turn.progress
    if progress.records:
        turn.say("resume.welcome_back_records", done=progress.records_in_hand(), total=6)
    elif progress.signals:
        turn.say("resume.welcome_back_signals", done=len(progress.signals), total=12)
    else:
        turn.say("resume.welcome_back")
    if progress.step.name == "open":
        offer_steps(turn)
    else:
        ask(turn)


@asks("consent")
def ask_consent(turn: Turn) -> None:
    """Ask whether what they say may be kept."""
    turn.say(
        "welcome.consent",
        days=turn.keep.days,
        case_days=turn.keep.case_days,
        choices=(
            press("choice.agree", "consent", answer="yes"),
            press("choice.decline", "consent", answer="no"),
            topic("service.privacy"),
        ),
    )


@answers("consent")
def consent(turn: Turn) -> None:
    """Agree, or go on with questions only and nothing kept."""
    answer = value(turn)
    if answer == "yes":
        turn.do("agree")
        turn.consent = "agreed"
        turn.say("consent.agreed")
        wanted, turn.progress.after_consent = turn.progress.after_consent, ""
        if wanted:
            go(turn, wanted)
        elif turn.progress.role:
            go(turn, "start")
        else:
            go(turn, "role")
    elif answer in ("no", "skipped"):
        turn.do("decline")
        turn.consent = "declined"
        stand(turn, "open")
        turn.say("consent.declined", choices=(topic("faq.how_to_start"), topic("faq.is_it_normal")))
    else:
        ask_consent(turn)


def needs_consent(turn: Turn, wanted: str) -> bool:
    """True, and the question asked, when a step must keep something and nobody has agreed yet."""
    if turn.consent == "agreed":
        return False
    if turn.progress.step.name == "safety":
        ask(turn)
        return True
    turn.progress.after_consent = wanted
    stand(turn, "consent")
    turn.say(
        "consent.needed",
        days=turn.keep.days,
        case_days=turn.keep.case_days,
        choices=(press("choice.agree", "consent", answer="yes"), press("choice.decline", "consent", answer="no")),
    )
    return True


@asks("role")
def ask_role(turn: Turn) -> None:
    """Ask whether they are ill themselves or care for somebody."""
    turn.say(
        "role.ask",
        choices=(press("choice.self", "role", role="self"), press("choice.carer", "role", role="carer")),
    )


@answers("role")
def answer_role(turn: Turn) -> None:
    """A yes or no says nothing here; the two buttons, or their words, do."""
    ask_role(turn)


def hear_role(turn: Turn) -> None:
    """They said, or pressed, for whom they ask; wording follows from here on."""
    progress = turn.progress
    carer = turn.heard.intent == "caregiver.is_caregiver" or turn.heard.pressed.get("role") == "carer"
    mentions = turn.heard.of("relation")
    relation = turn.heard.pressed.get("relation") or (mentions[0].value if mentions else "")
    was_asked = progress.step.name in ("role", "relation")
    progress.role = "carer" if carer else "self"
    if carer and relation in RELATIONS:
        progress.relation = relation
    elif not carer:
        progress.relation = ""
    heard = note_signals(turn)
    if carer and not progress.relation and turn.consent == "agreed":
        go(turn, "relation")
        return
    turn.say("role.noted_carer" if carer else "role.noted_self")
    if heard:
        turn.say("signals.heard", names=heard)
    if was_asked:
        go(turn, "start")
    else:
        ask(turn)


@asks("relation", words=True)
def ask_relation(turn: Turn) -> None:
    """Ask who it is that they care for."""
    common = ("mother", "father", "wife", "husband", "son", "daughter", "brother", "sister", "friend")
    turn.say(
        "role.relation_ask",
        choices=tuple(press(f"relation.{name}", "role", role="carer", relation=name) for name in common),
    )


@answers("relation")
def answer_relation(turn: Turn) -> None:
    """A relation in their own words; what is not known as one is "your relative"."""
    mentions = turn.heard.of("relation")
    turn.progress.role = "carer"
    turn.progress.relation = mentions[0].value if mentions and mentions[0].value in RELATIONS else "relative"
    turn.say("role.noted_carer")
    go(turn, "start")


@asks("start")
def ask_start(turn: Turn) -> None:
    """The three steps, and where to begin."""
    turn.say(
        "start.offer",
        choices=(
            press("choice.begin", "go", to="signals"),
            press("choice.records", "go", to="records"),
            press("choice.ask", "go", to="open"),
            press("choice.human", "human"),
        ),
    )


@answers("start")
def answer_start(turn: Turn) -> None:
    """Yes begins; no leaves the floor to their questions."""
    if value(turn) in ("yes", "not_sure"):
        go(turn, "signals")
    else:
        go(turn, "open")


@asks("open")
def ask_open(turn: Turn) -> None:
    """Nothing is pending: after an answer, nothing more; otherwise what can be done."""
    if not turn.says:
        offer_steps(turn)


def next_choices(turn: Turn) -> tuple[Choice, ...]:
    """Buttons for what is left to do."""
    progress = turn.progress
    choices = []
    if progress.next_signal():
        choices.append(press("choice.go_signals", "go", to="signals"))
    if progress.next_record():
        choices.append(press("choice.go_records", "go", to="records"))
    if not progress.questions:
        choices.append(press("choice.go_questions", "go", to="questions"))
    if turn.held in ("talking", "closed"):
        choices.append(press("choice.human", "human"))
    return tuple(choices)


def offer_steps(turn: Turn) -> None:
    """What can be done from here, by what is left."""
    turn.say("resume.open", choices=next_choices(turn))


@answers("open")
def answer_open(turn: Turn) -> None:
    """A bare yes with nothing pending: show what can be done."""
    offer_steps(turn)
