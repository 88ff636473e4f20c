"""A file, sent at any time, is attached to the record it belongs to; asked when it is unclear."""

from __future__ import annotations

import re

from bot.journey.notes import note_record
from bot.journey.records import show_card
from bot.journey.turn import Turn, answers, ask, asks, come_back, detour, go_on, named, press, value
from bot.journey.welcome import needs_consent
from bot.progress import RECORDS

# Words in file names and captions; a caption's mentions, found by the engine, come first.
_NAMES = {
    "imaging": r"\b(ct|mri|pet|scan|scans|x-?ray|xray|ultrasound|imaging|dicom|dcm|radiolog\w*|mammo\w*)\b",
    "pathology": r"\b(patholog\w*|biopsy|histolog\w*|cytolog\w*|slide|slides|ihc)\b",
    "blood_tests": r"\b(blood|cbc|fbc|lab|labs|laborator\w*|haemogram|hemogram|tumou?r ?markers?)\b",
    "molecular": r"\b(ngs|egfr|brca\d?|kras|genomic\w*|genetic\w*|molecular|mutation\w*|foundation ?one)\b",
    "operative_notes": r"\b(operati\w+|op ?notes?|surgery|surgical)\b",
    "treatment_summary": r"\b(summary|discharge|treatment|chemo\w*|letter)\b",
}


def guess(name: str, caption: str = "") -> str:
    """The record that a file's name or caption speaks of, or "" when none or several do."""
    words = re.sub(r"[_\-.]+", " ", f"{name} {caption}".casefold())
    found = [record for record, pattern in _NAMES.items() if re.search(pattern, words)]
    return found[0] if len(found) == 1 or (found and found[0] in ("imaging", "pathology")) else ""


def file(turn: Turn) -> None:
    """Files came: attach each, or ask which record it belongs to."""
    if turn.consent != "agreed":
        if turn.progress.step.name != "safety":
            turn.say("consent.file")
        needs_consent(turn, "records" if turn.progress.role else "")
        return
    views = {view.id: view for view in turn.files}
    unclear = ""
    for carried in turn.heard.of("file"):
        view = views.get(carried.value)
        if view is None:
            continue
        mentions = [mention.value for mention in turn.heard.of("record") if mention.value in RECORDS]
        record = mentions[0] if mentions else guess(view.name, turn.heard.text)
        step = turn.progress.step
        if not record and step.name == "records" and step.about:
            record = step.about
        if record:
            attach(turn, view.id, record)
        else:
            unclear = view.id
    if turn.progress.step.name == "safety":
        turn.says.clear()  # the files are kept and noted; nothing is said of them before help
    elif unclear:
        turn.progress.file_waiting = unclear
        detour(turn, "file_which")
    go_on(turn)


def attach(turn: Turn, file_id: str, record: str) -> None:
    """Attach one file to one record. A picture or PDF of a scan is the report, not the scan's files."""
    view = next((view for view in turn.files if view.id == file_id), None)
    if view is None:
        return
    turn.do("keep_file", file=file_id, record=record)
    known = turn.progress.records.get(record)
    turn.noted.add(record)
    only_a_page = (
        record == "imaging" and view.mime.startswith(("image/", "application/pdf")) and "dicom" not in view.mime
    )
    if known is None or known.state not in ("have", "partly"):
        note_record(turn, record, "partly" if only_a_page else "have")
    turn.say("records.file_attached", file=view.name, record=named(f"records.{record}.name"))
    show_card(turn)


@asks("file_which")
def ask_which(turn: Turn) -> None:
    """Ask which record the file belongs to."""
    waiting = turn.progress.file_waiting
    name = next((view.name for view in turn.files if view.id == waiting), "")
    turn.say(
        "records.which_file",
        file=name,
        choices=(
            *(press(f"records.{record}.name", "file_record", file=waiting, record=record) for record in RECORDS),
            press("choice.other_file", "file_record", file=waiting, record="other"),
        ),
    )


@answers("file_which")
def answer_which(turn: Turn) -> None:
    """Don't know or skip keeps the file with the case, without a record."""
    if value(turn):
        _settle(turn, turn.progress.file_waiting, "")
    else:
        ask(turn)


def press_file_record(turn: Turn) -> None:
    """They chose the record of the file that the button stood under."""
    record = turn.heard.pressed.get("record", "")
    _settle(turn, turn.heard.pressed.get("file", ""), record if record in RECORDS else "")


def _settle(turn: Turn, file_id: str, record: str) -> None:
    if record:
        attach(turn, file_id, record)
    else:
        turn.do("keep_file", file=file_id, record="")
        turn.say("records.file_kept")
    if turn.progress.step.name == "file_which" and file_id == turn.progress.file_waiting:
        turn.progress.file_waiting = ""
        come_back(turn)
    go_on(turn)
