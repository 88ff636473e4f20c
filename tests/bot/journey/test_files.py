"""Files: attached to the record they belong to by name, caption or the pending question; asked when it is unclear."""

from __future__ import annotations

import pytest

from bot.journey.files import guess
from bot.progress import Step
from tests.bot.journey.talk import Talk


def kept(talk: Talk) -> list[dict[str, str]]:
    """Where the files went."""
    return [effect.args for effect in talk.effects if effect.name == "keep_file"]


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("CT_scan_2026-03.pdf", "imaging"),
        ("PET-CT report.pdf", "imaging"),
        ("brain.MRI.jpg", "imaging"),
        ("biopsy-result.pdf", "pathology"),
        ("Histology_Report.PDF", "pathology"),
        ("cbc 12 march.png", "blood_tests"),
        ("lab_results.pdf", "blood_tests"),
        ("EGFR-test.pdf", "molecular"),
        ("foundation_one.pdf", "molecular"),
        ("operation note.pdf", "operative_notes"),
        ("discharge.pdf", "treatment_summary"),
        ("photo.jpg", ""),
        ("IMG_20260312.jpg", ""),
        ("doctor.pdf", ""),
        ("blood and molecular.pdf", ""),
        ("scanned document.pdf", ""),
    ],
)
def test_a_name_tells_its_record_or_nothing(name: str, record: str) -> None:
    assert guess(name) == record


def test_a_file_is_attached_by_its_name(agreed: Talk) -> None:
    assert agreed.send_file("biopsy.pdf") == ["records.file_attached", "records.card_title", "start.offer"]
    assert kept(agreed) == [{"file": "file0", "record": "pathology"}]
    assert agreed.progress.records["pathology"].state == "have"


def test_a_caption_says_more_than_a_name(agreed: Talk) -> None:
    agreed.send_file("photo.jpg", "image/jpeg", "my blood results")
    assert kept(agreed) == [{"file": "file0", "record": "blood_tests"}]


def test_what_the_engine_found_in_the_caption_comes_first(agreed: Talk) -> None:
    agreed.send_file("ct.pdf", "application/pdf", "the report of the tissue", "pathology")
    assert kept(agreed) == [{"file": "file0", "record": "pathology"}]


def test_the_pending_record_takes_a_file_that_says_nothing(agreed: Talk) -> None:
    agreed.press("choice.records")
    agreed.send_file("photo.jpg", "image/jpeg")
    assert kept(agreed) == [{"file": "file0", "record": "pathology"}]
    assert agreed.step == Step("records", "imaging")


def test_a_page_of_a_scan_is_only_a_part_of_it(agreed: Talk) -> None:
    agreed.send_file("ct.jpg", "image/jpeg")
    assert agreed.progress.records["imaging"].state == "partly"
    agreed.send_file("ct.dcm", "application/dicom")
    assert agreed.progress.records["imaging"].state == "partly"  # what they said of it stands


def test_the_files_of_a_scan_are_the_scan(agreed: Talk) -> None:
    agreed.send_file("ct.zip", "application/zip")
    assert agreed.progress.records["imaging"].state == "have"


def test_a_file_that_says_nothing_is_asked_about_and_then_the_place_is_found_again(agreed: Talk) -> None:
    agreed.press("choice.begin")
    here = agreed.step
    assert agreed.send_file("photo.jpg", "image/jpeg") == ["records.which_file"]
    assert agreed.press("records.molecular.name") == ["records.file_attached", "records.card_title", "signals.ask"]
    assert kept(agreed) == [{"file": "file0", "record": "molecular"}]
    assert agreed.step == here


@pytest.mark.parametrize("intent", ["control.dont_know", "control.skip", "control.no"])
def test_a_file_nobody_can_place_is_kept_with_the_case(agreed: Talk, intent: str) -> None:
    agreed.press("choice.begin")
    agreed.send_file("photo.jpg", "image/jpeg")
    assert agreed.write(intent) == ["records.file_kept", "signals.ask"]
    assert kept(agreed) == [{"file": "file0", "record": ""}]


def test_something_else_keeps_the_file_without_a_record(agreed: Talk) -> None:
    agreed.send_file("photo.jpg", "image/jpeg")
    agreed.press("choice.other_file")
    assert kept(agreed) == [{"file": "file0", "record": ""}]


def test_every_photo_of_an_album_keeps_its_own_buttons(agreed: Talk) -> None:
    agreed.press("choice.begin")
    here = agreed.step
    agreed.send_file("photo.jpg", "image/jpeg")
    agreed.send_file("photo.jpg", "image/jpeg")
    agreed.press("records.pathology.name", file="file1")
    assert agreed.step == here
    agreed.press("records.imaging.name", file="file0")
    assert kept(agreed) == [{"file": "file1", "record": "pathology"}, {"file": "file0", "record": "imaging"}]
    assert agreed.step == here


def test_going_back_from_a_file_leaves_it_with_the_case(agreed: Talk) -> None:
    agreed.press("choice.begin")
    here = agreed.step
    agreed.send_file("photo.jpg", "image/jpeg")
    assert agreed.write("control.undo") == ["steer.back", "signals.ask"]
    assert agreed.step == here


def test_a_question_of_the_guide_while_a_file_waits_asks_about_the_file_again(agreed: Talk) -> None:
    agreed.send_file("photo.jpg", "image/jpeg")
    assert agreed.write("faq.what_records") == ["faq.what_records", "records.which_file"]


def test_without_consent_no_file_is_kept(talk: Talk) -> None:
    talk.start()
    talk.press("choice.decline")
    assert talk.send_file("biopsy.pdf") == ["consent.file", "consent.needed"]
    assert not kept(talk)
    assert not talk.progress.records


def test_a_file_of_somebody_else_is_not_attached(agreed: Talk) -> None:
    agreed.hear("file", "", ({"entity": "file", "value": "another"},))
    assert not kept(agreed)
    agreed.hear(
        "press",
        "",
        (
            {"entity": "act", "value": "file_record"},
            {"entity": "file", "value": "another"},
            {"entity": "record", "value": "imaging"},
        ),
    )
    assert not kept(agreed)
    assert not agreed.progress.records


def test_a_file_during_an_emergency_is_kept_and_not_spoken_of(agreed: Talk) -> None:
    agreed.press("choice.begin")
    agreed.alarm("emergency.now")
    assert agreed.send_file("biopsy.pdf") == ["safety.held_emergency"]
    assert kept(agreed) == [{"file": "file0", "record": "pathology"}]
    assert agreed.send_file("photo.jpg", "image/jpeg") == ["safety.held_emergency"]
    assert agreed.press("choice.ack") == ["safety.resumed", "signals.ask"]
