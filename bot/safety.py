"""The safety net: red flags and self-harm in a person's words, recognised before anything else, without the engine.

It is a tripwire, never a triage: it only says "act now", there is no all-clear, and no number is judged. Patterns
pair a symptom with its being present; what is past, denied, asked about or only imagined is told apart. The engine
looks again, with a classifier, for what is worded too mildly for patterns.

Sources of the flags: guide/sources.yml (UKONS 24-hour triage tool, acute oncology pages, NICE NG234; safe messaging
on suicide). A clinician signs them off before launch: docs/hazards.md.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Tier = Literal["emergency.now", "emergency.team", "self_harm.now", "self_harm.wish", "self_harm.third_party"]

_HE = r"(?:i|he|she|they|we|it|mum|mom|mother|dad|father|wife|husband|brother|sister|son|daughter|my \w+|grand\w+)"

# Self-harm first: a plan or means, a wish to die, a relative who speaks of it.
_SELF_HARM: tuple[tuple[Tier, str], ...] = (
    (
        "self_harm.now",
        r"\b(?:going to|gonna|want to|will|about to|plan(?:ning)? to|ready to|decided to) (?:kill|hang|shoot|drown|poison) my ?self\b",
    ),
    (
        "self_harm.now",
        r"\b(?:going to|gonna|will|about to|plan(?:ning)? to|decided to|ready to) (?:end (?:it all|my life|it tonight|everything)|take my (?:own )?life|jump (?:off|from|in front)|commit suicide|overdose)\b",
    ),
    (
        "self_harm.now",
        r"\bi (?:have|'ve|got|saved|collected|am saving|hid(?:den)?|keep) (?:enough |all |up )*(?:the |my |his |her )?(?:pills|tablets|morphine|sleeping pills|rope|gun)\b.{0,60}\b(?:end|die|sleep forever|not wake|go|tonight|finish|enough)\b",
    ),
    (
        "self_harm.now",
        r"\b(?:wrote|written|writing|left) (?:a |my |the )?(?:goodbye|suicide|farewell) (?:letter|note)s?\b",
    ),
    (
        "self_harm.now",
        r"\b(?:i (?:just )?(?:took|swallowed)) (?:all|too many|the whole|a whole|every) .{0,30}(?:pills|tablets|bottle|box).{0,60}\b(?:die|end|want(?:ed)? to)\b",
    ),
    (
        "self_harm.third_party",
        rf"\b(?:he|she|they|mum|mom|mother|dad|father|wife|husband|brother|sister|son|daughter|friend|partner|grand\w+|aunt|uncle)\b[^.!?]{{0,40}}\b(?:wants?|wish(?:es|ed)?|talk(?:s|ed|ing)? (?:about|of)|sa(?:ys|id|ying)|threaten\w*|tr(?:ied|ying)|keeps?|begs?|ask(?:s|ed)?)\b[^.!?]{{0,50}}\b(?:kill(?:ing)? (?:him|her|them)sel(?:f|ves)|suicide|to die|end(?:ing)? (?:it all|it|(?:his|her|their) (?:own )?life)|dead|not (?:be|live|wake up)|jump(?:ing)?|better off without)\b",
    ),
    (
        "self_harm.wish",
        r"\b(?:i|we) (?:just |really |only |sometimes |often |rather |honestly )*(?:want|wish|wanna|prefer|hope|pray|like|feel like)(?:ed|ing)? (?:to |i |that i |i could |i was |i were )*(?:just |be )*(?:die|dead|dying|never wake|not wake|disappear forever|sleep and never|be gone|go to sleep and not)\b",
    ),
    (
        "self_harm.wish",
        r"\b(?:don'?t|do not|dont|no longer|not) (?:want|wanna|wish) (?:to )?(?:live|be alive|wake up|be here|exist|go on living|carry on living)\b",
    ),
    (
        "self_harm.wish",
        r"\b(?:think(?:ing)?|thought|thoughts?) (?:a lot |often |every ?day |always |again )*(?:about|of) (?:suicide|killing my ?self|ending (?:it|my life|it all|everything)|dying by|harming my ?self|hurting my ?self)\b",
    ),
    (
        "self_harm.wish",
        r"\b(?:better off|easier for (?:everyone|them|my family)|relief for (?:everyone|them)) (?:if i (?:was|were|am)|when i(?:'m| am)|without me)(?: dead| gone| not here)?\b",
    ),
    (
        "self_harm.wish",
        r"\b(?:kill my ?self|end my (?:own )?life|suicidal|cut(?:ting)? my ?self|hurt my ?self on purpose|no (?:reason|point) (?:to|in) (?:live|living|being alive)|(?:nothing|no one) to live for|life is not worth living|wish i (?:had )?never (?:been )?(?:born|woken))\b",
    ),
    ("self_harm.wish", r"\b(?:burden)\b[^.!?]{0,60}\b(?:gone|dead|die|without me|not here|end it)\b"),
)

# Tier E: emergency services now.
_NOW = (
    r"\bchest (?:pain|pains|tight\w*|pressure|hurts?)|\bpain in (?:his|her|my|the) chest|\bcrushing (?:pain|chest)",
    r"\b(?:can'?t|cannot|can not|cant|couldn'?t|unable to|hard to|struggl\w+ to|difficult(?:y)? (?:to|in)?|trouble|fight\w* (?:to|for)|gasp\w*(?: for)?) ?(?:breathe?(?:ing)?|breath|air|catch (?:my|his|her) breath)",
    r"\b(?:lips?|face|fingers?) (?:is|are|went|going|turn\w*|look\w*|got) (?:a bit |very |kind of )?(?:blue|grey|gray|purple)|\bblue lips\b",
    r"\bchok(?:ing|es)\b|\bnoisy breathing\b|\bthroat (?:is )?(?:closing|swell\w*)",
    r"\b(?:severe|very|really|extremely|so|suddenly|badly) (?:short of breath|breathless)|\bbreathless (?:at rest|when|even|sitting|lying|since|and)",
    r"\b(?:bleed(?:ing|s)?|blood)\b[^.!?]{0,40}\b(?:won'?t stop|not stop\w*|doesn'?t stop|non ?stop|heav\w+|everywhere|a lot|lots|pouring|soak\w*)",
    r"\b(?:heavy|heavily|non-?stop|massive) bleed\w*",
    r"\b(?:vomit\w*|throw\w* up|cough\w*(?: up)?|spit\w*|puk\w*)\b[^.!?]{0,25}\b(?:blood|bloody|clots|coffee grounds?)",
    r"\b(?:seizure|seizing|convuls\w+|fits?)\b(?! in| for| with| into| the| my| well)|\bshaking all over and (?:not|un)",
    r"\b(?:unconscious|unresponsive|collapsed|passed out|fainted|won'?t wake|can'?t wake|cannot wake|hard to wake|not waking|doesn'?t wake|blacked out)\b",
    r"\b(?:suddenly|very|so|really|getting|became|become|is|seems|acting|since \w+) (?:\w+ )?confused\b|\b(?:doesn'?t|not|didn'?t) (?:know|recogni[sz]e) (?:who|where|me|us|what day|his|her|the room)",
    r"\b(?:face|mouth) (?:is |has |suddenly )?(?:droop\w*|hang\w*|fallen|crooked)|\bslurr\w+|\bspeech (?:is|went|became) (?:strange|funny|slurred|unclear)|\b(?:talking|speaking) nonsense\b",
    r"\b(?:sudden(?:ly)?|worst|terrible|thunderclap)[^.!?]{0,25}\bheadache\b",
    r"\b(?:can'?t|cannot|cant|can not|unable to|couldn'?t|no longer) (?:walk|stand|move (?:his|her|my|the) (?:legs?|feet|arm)|feel (?:his|her|my) legs?)",
    r"\b(?:numb|no feeling)\b[^.!?]{0,30}\b(?:between (?:his|her|my|the) legs|saddle|bottom|groin|genital\w*|private)",
    r"\b(?:face|neck)\b[^.!?]{0,30}\b(?:swollen|swelling|puffy)\b[^.!?]{0,60}\bbreath",
    r"\b(?:overdose\w*|took|taken|gave|given|swallowed)\b[^.!?]{0,40}\b(?:double|twice|too (?:many|much)|extra|whole (?:box|bottle|pack))\b[^.!?]{0,40}\b(?:dose|pills?|tablets?|morphine|chemo|medicine|fentanyl|oxy\w*|patch\w*|capsules?)?",
    r"\bcan'?t (?:keep (?:his|her|my) eyes open)|\b(?:floppy|lifeless)\b",
)

# Tier U: the cancer team's line now.
_TEAM = (
    r"\b(?:has|have|had|got|running|with|a|his|her|my|the|is|of|at|now|high|temp\w*|temperature|fever|spik\w+)\b[^.!?]{0,30}\b(?:fever|temp(?:erature)?)\b|\b(?:fever|febrile|feverish)\b",
    r"\b(?:3[789]|4[0-2])(?:[.,]\d)? ?(?:°|º|deg\w*|c\b|celsius)|\b(?:37[.,][5-9]|3[89][.,]\d|4[01][.,]\d)\b|\b(?:99[.,][5-9]|10[0-6](?:[.,]\d)?) ?(?:°|º|deg\w*|f\b|fahrenheit)",
    r"\b(?:shiver\w*|shak(?:ing|es|y) (?:with cold|chills|and)|chills|rigou?rs?|teeth chatter\w*)\b",
    r"\b(?:can'?t|cannot|cant|not|won'?t|hasn'?t|unable to|couldn'?t|doesn'?t) (?:been able to )?(?:pee|urinate|pass (?:water|urine)|empty (?:his|her|my) bladder|wee)\b|\bno (?:urine|pee)\b",
    r"\b(?:legs?|feet|arms?)\b[^.!?]{0,30}\b(?:weak|heavy|numb|tingl\w*|give way|giving way|gave way|wobbl\w*|jelly|like lead)\b|\b(?:weak|numb|tingl\w*|wobbly)\b[^.!?]{0,20}\b(?:legs?|feet)\b",
    r"\b(?:new|sudden|severe|terrible|awful|worse|unbearable|band)\b[^.!?]{0,20}\bback(?: |-)?(?:pain|ache)|\bback (?:pain|hurts)\b[^.!?]{0,60}\b(?:legs?|walk|lying|worse|night|numb)",
    r"\b(?:leg|calf|arm|ankle)\b[^.!?]{0,25}\b(?:swollen|swelled|swelling|red and|hot and|twice the size)|\b(?:swollen|swelling)\b[^.!?]{0,20}\b(?:leg|calf|arm)\b",
    r"\b(?:black|bloody|tarry) (?:stools?|poo\w*|diarrh\w*)|\bblood (?:in|with) (?:the |his |her |my )?(?:stools?|poo\w*|urine|pee|toilet|vomit|mucus|phlegm|sputum)|\bnose ?bleeds?\b|\bnose (?:is )?bleeding",
    r"\b(?:vomit\w*|throw\w* up|diarrh\w*|being sick|sick)\b[^.!?]{0,50}\b(?:won'?t stop|can'?t stop|non-?stop|all (?:day|night)|since|every|times|keep\w*|days?|nothing stays|hours)",
    r"\b(?:can'?t|cannot|cant|couldn'?t|won'?t|not|nothing) (?:keep|hold|stays?|staying) (?:\w+ ){0,3}down\b|\bnot (?:drink\w*|drunk|eaten or drunk)\b",
    r"\b(?:port|picc|line|catheter|cannula|central line|hickman)\b[^.!?]{0,40}\b(?:red|swollen|hot|pus|leak\w*|oozing|infect\w*|sore|hurts?|painful|shiver\w*)",
    r"\b(?:pain)\b[^.!?]{0,30}\b(?:unbearable|out of control|won'?t stop|not (?:helping|controlled|working)|screaming|crying)|\b(?:screaming|crying) (?:with|in|from) pain|\bmorphine (?:is )?(?:not|doesn'?t) (?:help\w*|work\w*)",
    r"\b(?:immunotherapy|pembro\w*|keytruda|nivo\w*|opdivo|ipi\w*)\b[^.!?]{0,80}\b(?:diarrh\w*|rash|cough|breathless\w*|so tired|very tired|yellow)",
    r"\b(?:very|so|too|unusually|really) (?:drowsy|sleepy)\b|\b(?:drowsy|sleeps? all (?:day|the time))\b",
    r"\b(?:heart|chest) (?:is )?(?:racing|pounding|flutter\w*|palpitat\w*)|\bpalpitations\b",
    r"\b(?:skin|eyes)\b[^.!?]{0,20}\b(?:turn\w*|gone|went|look\w*|are|is) (?:so |very |a bit )?yellow",
    r"\b(?:breathless|short(?:ness)? of breath|out of breath)\b",
)

# What makes a mention no present alarm: denied, past and over, imagined, or a question about rules.
_NEGATED = r"\b(?:no|not|never|without|isn'?t|wasn'?t|hasn'?t|haven'?t|doesn'?t|don'?t|didn'?t|dont|didnt|free of|denies|no more|nor|neither|ruled out)\b(?: \w+){0,3} *$"
_PAST = r"\b(?:last (?:year|month|summer|winter|spring|autumn|week|march|april|may|june|july)|years? ago|months? ago|weeks? ago|ago|back in|in (?:19|20)\d\d|when (?:he|she|i|it|they) (?:was|were|first|had)|used to|before (?:the )?(?:diagnosis|chemo|treatment|surgery)|in the past|already (?:treated|resolved|over)|had (?:a|an|one) \w+ (?:once|before)|since resolved|went away|recovered|is (?:gone|over|fine) now|fine now|better now|was how|that'?s how|first (?:sign|symptom)|started with)\b"
_IMAGINED = r"\b(?:what if|if (?:i|he|she|they|we|there|it|my \w+) (?:get|gets|got|ever|start\w*|develop\w*|has|have|had|should|would)|in case|afraid (?:of|that)|worried (?:that|about)|scared (?:of|that)|could (?:it|that|chemo|this) cause|does (?:chemo|it|this|immunotherapy)|can (?:chemo|it|this) cause|side effects?|should i (?:expect|watch|worry)|what (?:temperature|counts|are the signs)|when (?:should|do) (?:i|we|you) call|how (?:high|do i know)|is it true|leaflet|read (?:that|about)|they (?:said|told|warned) (?:me|us|him|her)? ?(?:about|that)|risk of|such as|like fever|for example|warn\w*)\b"
_IDIOMS = r"\b(?:dying to|to die for|killing me|kill (?:for|time)|die of (?:boredom|laugh\w*|shame|embarrass\w*|curiosity)|worr(?:y|ied) (?:is |me )?(?:to death|sick)|scared to death|bored to death|dead (?:tired|end|line|sure|serious)|fits? (?:in|with|into|for|the|my)|benefits?|cold feet|breathe easier|room to breathe|breathing space|heart ?broken|feel(?:ing)? sick (?:of|with worry)|sick of|sick and tired|fever pitch|hay fever|dengue fever|spring fever|temperature (?:outside|today|of the room))\b"

_CLAUSE = re.compile(r"[.!?;\n]+|,? but |,? however |,? though ")
_SELF_HARM_RE = tuple((tier, re.compile(pattern)) for tier, pattern in _SELF_HARM)
_NOW_RE = tuple(re.compile(pattern) for pattern in _NOW)
_TEAM_RE = tuple(re.compile(pattern) for pattern in _TEAM)
_NEGATED_RE, _PAST_RE, _IMAGINED_RE, _IDIOMS_RE = map(re.compile, (_NEGATED, _PAST, _IMAGINED, _IDIOMS))
LIMIT = 20_000


def screen(text: str) -> Tier | None:
    """The alarm that a text raises, or None, which is never an all-clear.

    Takes any text of a person (typed, a caption, words to a coordinator), at most its first 20,000 characters.
    """
    clauses = [clause for clause in _CLAUSE.split(_plain(text[:LIMIT])) if clause.strip()]
    for clause in clauses:
        words = _IDIOMS_RE.sub(" ", clause)
        for tier, pattern in _SELF_HARM_RE:
            if (hit := pattern.search(words)) and not _excused(words, hit, self_harm=True):
                return tier
    for tier, patterns in (("emergency.now", _NOW_RE), ("emergency.team", _TEAM_RE)):
        for clause in clauses:
            words = _IDIOMS_RE.sub(" ", clause)
            if any((hit := pattern.search(words)) and not _excused(words, hit) for pattern in patterns):
                return tier
    return None


def _excused(words: str, hit: re.Match[str], *, self_harm: bool = False) -> bool:
    """Whether the words around a hit say that it is not so, not now, or only asked about."""
    before = words[: hit.start()]
    if _NEGATED_RE.search(before[-40:]):
        return True
    if self_harm:
        return bool(
            re.search(r"\b(?:not suicidal|would never|never (?:thought|think)|is it common|do people)\b", words)
        )
    return bool(_PAST_RE.search(words) or _IMAGINED_RE.search(words))


def _plain(text: str) -> str:
    """Lower case, plain quotes, no invisible characters, no doubled spaces: what the patterns are written for."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("`", "'")
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return re.sub(r"[^\S\n]+", " ", text)
