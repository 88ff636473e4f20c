"""Nothing is said of health that the guide, or a cited authority, does not say; and no text recommends, predicts,
judges, reassures or promises (rules.yml)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.guide import Entry, Guide
from bot.progress import DISMISSAL, QUESTIONS, RECORDS, SIGNALS, SITUATIONS
from tests.conftest import ROOT
from tests.guide.texts import guide_texts, other_texts

GUIDE = Guide.load()
ENTRIES = list(GUIDE.entries["en"].values())
TEXTS = [*guide_texts(GUIDE), *other_texts()]
RULES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "rules.yml").read_text(encoding="utf-8"))
FLAGS = yaml.safe_load((ROOT / "data" / "safety" / "red_flags.yml").read_text(encoding="utf-8"))["flags"]

# Words that speak of health.
HEALTH = re.compile(
    r"\b(cancers?|tumou?rs?|lymphom\w+|leuka?emi\w+|sarcom\w+|oncolog\w+|chemo\w*|radio\w+|immuno\w+|metasta\w+"
    r"|treat(s|ed|ing|ments?)?|therap\w+|surg\w+|operat(ion|ions|ive)|medicines?|drugs?|doses?|pills?|herbs?"
    r"|supplements?|acupuncture|TCM|side effects?|allerg\w+|cures?|cured"
    r"|doctors?|nurses?|specialists?|experts?|hospitals?|clinic\w*|medical"
    r"|symptoms?|fever|temperature|pain\w*|bleed\w*|breath\w*|swollen|swelling|infect\w+|appetite|tired\w*"
    r"|patholog\w+|biops\w+|tissue|slides?|scans?|CT|MRI|PET|blood|lab|genes?|genetic|genomic|molecular|biomarkers?"
    r"|trials?|stud(y|ies)|diagnos\w+|stage|risks?|benefits?|opinions?|another view"
    r"|ill|illness|sick|health|recover\w*|surviv\w*|d(ie|ies|ied|ying|eath|ead)|suicid\w*"
    r"|end(ing)? (my|your|their) life|crisis|emergenc\w+|urgent\w*)\b",
    re.IGNORECASE,
)
# Entries that tell of health by what they are about, whatever their words.
OF_HEALTH = re.compile(
    r"faq\.|service\.(?!privacy)|feelings\.|caregiver\.|start\.offer|welcome\.what"
    r"|signals\.[a-z_]+\.(why|guide|ask|simpler)|signals\.(intro|clarity|summary_none)"
    r"|records\.[a-z_]+\.(ask|simpler|what|how)|records\.intro|extras\.intro|questions\.(intro|[a-z_]+\.text)"
    r"|treatment_date\.(noted|soon|none|unknown)|safety\.(?!told_coordinator|saved_for_team)"
)
# What names a thing and states nothing of it.
LABEL = re.compile(
    r"(choice\.(?!stale)|topic\.|state\.|relation\.|command\.).*|(signals|records|questions|extras)\.\w+\.name"
)
# Texts with such words that state nothing of health all the same, and why.
STATES_NOTHING = {
    r"brief\.(who|treatment)_\w+": "what the person told, as the coordinators read it",
    r"desk\.(urgent_flag|reason\.(treatment_soon|emergency\.\w+|self_harm\.\w+))": "tells coordinators what was heard",
    r"desk\.(usage|command)\.\w+|desk\.remind_when": "how coordinators write a command",
    r"human\.joined": "who talks now, and that the safety net stays on",
    r"safety\.told_coordinator": "that the coordinators were alerted, and may not read it at once",
    r"role\.ask|why\.role": "asks who is ill",
    r"plain\.lead": "for whom the page is",
    r"welcome\.consent|consent\.declined": "what is kept, and what is not",
    r"fallback\.oos|signals\.heard_unkept": "what the assistant can talk about",
    r"why\.treatment_\w+": "what the service does with a date",
}
# What is claimed, and of whose word at least one has to be cited with it.
CLAIMS = {
    r"emergency (number|department)|24-hour line|call the cancer team": {
        "ukons", "acute_oncology", "emergency_numbers", "suicide_prevention",
    },
    r"hospitals use different limits": {"ukons"},
    r"crisis line|call or text 988|ending their life": {"find_a_helpline", "suicide_prevention"},
    r"asking does not make it more likely": {"suicide_prevention"},
    r"keep (the|all) appointments?|please keep it": {"macmillan"},
    r"(same|asking the|ask the|your|\{persons\}) (doctor or )?nurse": {"macmillan"},
    r"some cancers (do )?need|cannot wait": {"nccn_aya", "acute_oncology", "ukons"},
    r"how long (it is|is it) safe to wait": {"guide.faq.delay_treatment"},
    r"herbs|acupuncture|traditional chinese|chinese medicine": {"guide.service.supportive_care"},
    r"from far away|remote review|need to travel|have to travel": {
        "guide.service.remote_first", "guide.faq.delay_treatment",
    },
    r"not a medical provider|not medical advice|are not doctors": {"guide.service.not_a_provider"},
    r"most cancer doctors": {"guide.faq.offend_doctor"},
}  # fmt: skip
# Figures that are not of health, and where they stand.
OWN_FIGURES = {
    "faq.how_to_start": {str(len(SIGNALS))},
    "start.offer": {str(len(SIGNALS))},
    "signals.intro": {str(len(SIGNALS))},
    "handoff.timezone_ask": {"3", "20"},  # an example of a time of day
    "treatment_date.when": {"12"},  # an example of a date
    "desk.reason.emergency.team": {"24"},  # which of the texts was said
    "close.summary": {"6"},  # records of the checklist
    "canned.emergency": {"24"},  # hours of a line of the cancer team
    **{f"choice.rate_{stars}": {str(stars)} for stars in range(1, 6)},
    "desk.rated": {"5"},
    "desk.command.remind": {"30", "2", "1"},  # examples of spans and moments
    "desk.usage.remind": {"2"},
    "desk.remind_none": {"2"},
    "desk.remind_when": {"2027-01-15 09", "30", "3", "2"},
    "desk.chart_p90": {"90"},
    "desk.stats_week": {"7"},  # days that are looked back on
    "desk.stats_waits": {"90"},  # the name of a percentile
    "desk.stats_waits_outside": {"90"},
    "desk.stats_satisfaction": {"5"},  # the best that can be answered
    "widget": {"1", "20"},  # one new message; how large a file may be
}
ALIASES = {"understand_enough": "self_question"}  # the guide's items under another name


# Whose word it is.


def states_nothing(entry: Entry) -> bool:
    return bool(LABEL.fullmatch(entry.id)) or any(re.fullmatch(pattern, entry.id) for pattern in STATES_NOTHING)


def speaks_of_health(entry: Entry) -> bool:
    return bool(OF_HEALTH.match(entry.id)) or any(HEALTH.search(text) for text in entry.texts)


def unsourced(entries: Iterable[Entry]) -> list[str]:
    """Ids of what states something of health and does not say whose word it is."""
    return [e.id for e in entries if speaks_of_health(e) and not e.sources and not states_nothing(e)]


def missing_claims(entries: Iterable[Entry]) -> list[tuple[str, str]]:
    """(id, claim) where a claim is made and none of those who say so is cited."""
    return [
        (entry.id, claim)
        for entry in entries
        for claim, who in CLAIMS.items()
        if not states_nothing(entry) and any(re.search(claim, text, re.IGNORECASE) for text in entry.texts)
        if not {*entry.sources} & who
    ]


def own_items(say: str) -> set[str]:
    """The guide's items that an id is named after."""
    section, *rest = say.split(".")
    names = {ALIASES.get(word, word) for word in rest}
    items = {item for item in GUIDE.sources["guide"].items if item.split(".")[0] == section}
    return {f"guide.{item}" for item in items if item.split(".")[-1] in names or items == {section}}


def unexplained_figures(where: str, text: str) -> set[str]:
    """Figures of a text that stand neither in the title of what it cites nor among our own."""
    sources = GUIDE.entry(where).sources if where in GUIDE.ids else ()
    titles = " ".join(GUIDE.sources[source].title for source in sources if source in GUIDE.sources)
    figures = re.findall(r"\d+(?:[ -]\d+)*", re.sub(r"^\d\. ", "", text, flags=re.MULTILINE))
    cited = {figure for figure in figures if re.search(rf"(?<!\d){re.escape(figure)}(?!\d)", titles)}
    return set(figures) - cited - OWN_FIGURES.get(where, set())


def test_every_text_that_speaks_of_health_says_whose_word_it_is() -> None:
    assert unsourced(ENTRIES) == []


@pytest.mark.parametrize(
    "text",
    [
        "Chemotherapy makes people tired.", "A fever is always urgent.", "Ask the surgeon.", "The risk is small.",
        "Another view is common.", "Scans show it.", "Bring the pathology report.", "Many people feel sick.",
    ],
)  # fmt: skip
def test_a_statement_of_health_without_a_source_is_found_wherever_it_stands(text: str) -> None:
    for say in ("steer.thanks", "resume.open", "input.emoji"):
        assert unsourced([Entry(say, (text,))]) == [say]
        assert unsourced([Entry(say, ("Thank you.",), carer=(text,))]) == [say]
        assert unsourced([Entry(say, (text,), sources=("macmillan",))]) == []


def test_a_word_that_is_not_of_health_needs_no_source() -> None:
    assert unsourced([Entry("steer.thanks", ("You are welcome. I stay here, and we go on still.",))]) == []


def test_a_label_states_nothing() -> None:
    labels = [(entry.id, text) for entry in ENTRIES if LABEL.fullmatch(entry.id) for text in entry.texts]
    assert len(labels) > 100
    assert [say for say, text in labels if re.search(r"[.!]( |$)|: ", text)] == []


def test_whatever_is_let_through_without_a_source_has_words_of_health_and_none() -> None:
    for pattern in STATES_NOTHING:
        entries = [entry for entry in ENTRIES if re.fullmatch(pattern, entry.id)]
        assert entries, pattern
        assert [entry.id for entry in entries if speaks_of_health(entry) and not entry.sources], pattern


def test_every_source_is_an_item_of_the_guide_or_an_authority() -> None:
    items = {f"guide.{item}" for item in GUIDE.sources["guide"].items}
    authorities = set(GUIDE.sources) - {"guide"}
    assert [(entry.id, key) for entry in ENTRIES for key in entry.sources if key not in items | authorities] == []


@pytest.mark.parametrize("key", sorted(set(GUIDE.sources) - {"guide"}))
def test_an_authority_has_a_publisher_a_title_a_year_and_an_address(key: str) -> None:
    source = GUIDE.sources[key]
    assert source.authority
    assert source.title
    assert re.fullmatch(r"(19|20)\d\d", source.year)
    assert re.fullmatch(r"https?://[\w.-]+\.\w+(/\S*)?", source.url)
    assert source.items == frozenset()


def test_the_guides_items_are_those_that_the_journey_goes_through() -> None:
    sections: dict[str, set[str]] = {}
    for item in GUIDE.sources["guide"].items:
        section, _, name = item.rpartition(".")
        sections.setdefault(section, set()).add(name)
    assert sections["signals.situations"] == set(SITUATIONS)
    assert sections["signals.dismissal"] == set(DISMISSAL)
    assert sections["records"] == set(RECORDS)
    assert sections["questions"] == set(QUESTIONS)
    assert sections["faq"] == {e.id.split(".")[1] for e in ENTRIES if e.id.startswith("faq.")} - {"how_to_start"}


def test_a_text_that_is_named_after_an_item_of_the_guide_cites_it() -> None:
    stating = [e for e in ENTRIES if e.sources and not e.id.endswith(".how")]  # how to get a record: authorities say
    named = {entry.id: own_items(entry.id) for entry in stating}
    assert sum(map(bool, named.values())) > 100
    assert [e.id for e in stating if named[e.id] and not named[e.id] & {*e.sources}] == []


def test_every_item_of_the_guide_is_told() -> None:
    cited = {key for entry in ENTRIES for key in entry.sources}
    assert sorted({f"guide.{item}" for item in GUIDE.sources["guide"].items} - cited) == []


def test_no_source_is_unused_and_every_red_flag_has_one() -> None:
    cited = {key for entry in ENTRIES for key in entry.sources} | {flag["source"] for flag in FLAGS}
    assert {key.partition(".")[0] for key in cited} == set(GUIDE.sources)


def test_what_is_claimed_is_cited_from_those_who_say_it() -> None:
    assert missing_claims(ENTRIES) == []


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_that_is_cited_from_somebody_else_is_found(claim: str) -> None:
    claiming = [
        e for e in ENTRIES if not states_nothing(e) and any(re.search(claim, t, re.IGNORECASE) for t in e.texts)
    ]
    assert claiming
    elsewhere = Entry("faq.invented", claiming[0].variants, claiming[0].carer, sources=("guide.feelings",))
    assert ("faq.invented", claim) in missing_claims([elsewhere])


def test_a_figure_stands_in_the_title_of_what_is_cited() -> None:
    assert [(where, found) for where, text in TEXTS if (found := unexplained_figures(where, text))] == []


@pytest.mark.parametrize(
    ("say", "text", "figures"),
    [
        ("faq.changes_plan", "In 10 to 62 of 100 people the plan changed.", {"10", "62", "100"}),
        ("safety.emergency.now", "Please call 911 or 998.", {"998"}),
        ("feelings.hopeless", "Macmillan has 0808 808 00 01.", {"0808 808 00 01"}),
        ("signals.intro", "I will ask 11 short questions.", {"11"}),
        ("widget", "Wait 3 days.", {"3"}),
    ],
)
def test_a_figure_that_nobody_published_is_found(say: str, text: str, figures: set[str]) -> None:
    assert unexplained_figures(say, text) == figures


# What is never said.


def name(rule: dict[str, Any]) -> str:
    return str(rule["rule"])


def broken(rule: dict[str, Any], where: str, text: str) -> int:
    """How often a text breaks a rule, beside the words in it that were reviewed."""
    for review in rule.get("reviewed", []):
        if where in review["in"]:
            for words in review["words"]:
                text = text.replace(words, "")
    return len(list(re.finditer(rule["pattern"], text, re.IGNORECASE)))


BREAKS = [
    pytest.param(rule, sentence, id=f"{rule['rule']}: {sentence}") for rule in RULES for sentence in rule["breaks"]
]
REVIEWS = [pytest.param(rule, review, id=f"{rule['rule']}: {', '.join(review['in'])}") for rule in RULES
           for review in rule.get("reviewed", [])]  # fmt: skip


def test_every_wording_is_looked_at_for_both_roles_and_outside_the_guide_too() -> None:
    carers = [(entry.id, text) for entry in ENTRIES for text in entry.carer]
    assert len(carers) > 40
    assert set(carers) <= set(TEXTS)
    assert ("widget", "Not for emergencies.") in TEXTS
    assert ("demo page", "A second opinion is a usual step in cancer care, not a sign of distrust.") in TEXTS


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_the_assistant(rule: dict[str, Any]) -> None:
    assert [(where, text) for where, text in TEXTS if broken(rule, where, text)] == []


@pytest.mark.parametrize(("rule", "sentence"), BREAKS)
def test_a_sentence_that_breaks_a_rule_is_found_in_any_text(rule: dict[str, Any], sentence: str) -> None:
    for where in {"faq.invented", *(say for review in rule.get("reviewed", []) for say in review["in"])}:
        assert broken(rule, where, f"Thank you for asking. {sentence}\n\nI am here.")


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_a_rule_says_why_and_lets_pass_what_is_right(rule: dict[str, Any]) -> None:
    assert rule["why"]
    assert rule["keeps"]
    assert [sentence for sentence in rule["keeps"] if broken(rule, "faq.invented", sentence)] == []


@pytest.mark.parametrize(("rule", "review"), REVIEWS)
def test_a_reviewed_exception_says_why_and_is_still_needed(rule: dict[str, Any], review: dict[str, Any]) -> None:
    assert review["why"]
    others = {**rule, "reviewed": [other for other in rule["reviewed"] if other is not review]}
    texts = [(where, text) for where, text in TEXTS if where in review["in"]]
    needed = {where for where, text in texts if broken(others, where, text) > broken(rule, where, text)}
    assert needed == set(review["in"])
    assert [words for words in review["words"] if not any(words in text for _, text in texts)] == []
