"""Finding the records of the guide in a message, each with the state it is in: "report yes as pdf, slides no".

Clause by clause: a mention takes the state said with it, or the one said for the list that it stands in.
"""

# ruff: noqa: E501 (vocabularies are easier to read and to add to in long lines)
from __future__ import annotations

import re
from typing import NamedTuple

from engine.clauses import Span, plain, sentences

# What people call the six records (guide: records), with the misspellings that are common.
RECORDS = {
    "operative_notes": (
        r"op(?:erati(?:ve|on|onal))?[ -]?(?:notes?|reports?|records?|letters?|protocol)|"
        r"(?:surgery|surgical|surgeon'?s?|theatre|theater)[ -]?(?:notes?|reports?|records?|letters?|papers?|protocol)|"
        r"(?:report|notes?|paper|letter) (?:of|from|about) (?:the|her|his|my|first|last|second|\s)*(?:operation|surgery|surgeon)"
    ),
    "treatment_summary": (
        r"(?:treatment|chemo(?:therapy)?|discharge|medical|clinical|oncology|hospital|case|radio(?:therapy)?|radiation)[ -]?"
        r"(?:summar(?:y|ies)|sumary|summery|letters?|histor(?:y|ies)|records?|protocols?|sheets?|dates|papers?|plan report)|"
        r"(?:clinic|oncologist'?s?|doctor'?s?|consultant'?s?) letters?|letters? (?:from|of|by) (?:the |my |her |his |our )?"
        r"(?:oncolog\w*|clinic|doctor|hospital|consultant|radiotherapy|radiation)|epicris[ie]s|"
        r"summar(?:y|ies)|sumary|summery|timelines?|list of (?:the )?(?:treatments?|chemo\w*|medicines?)|dates of (?:the )?\w*(?:chemo|treatment)\w*|"
        r"letters? (?:for|after) each \w+"
    ),
    "molecular": (
        r"(?:molecular|molecul\w+|genom\w*|genetics?|genes?|gene[ -]?panel|dna|mutations?|biomarkers?|ngs|sequencing|"
        r"foundation ?one|f1cdx|oncotype(?: ?dx)?|mamma ?print|guardant\w*|caris|tempus|brca ?[12]?|egfr|alk|ros ?1?|braf|[kn]ras|"
        r"pd-?l ?1|msi(?:-h)?|mmr|her ?-?2(?:/neu)?|ntrk|idh ?1?|mgmt)"
        r"(?:[ -](?:genetics?|gene|profil\w*|panels?|tests?|testing|results?|reports?|analysis|profile|status|exon \d+)){0,3}|tests? of the genes"
    ),
    "pathology": (
        r"(?:pathol\w*|patholg\w*|patolog\w*|pathalog\w*|pathlogy|histo(?:patho)?log\w*|histology|histopath\w*|biops\w*|biospy|biposy|"
        r"cytolog\w*|immuno ?histo\w*|ihc|flow cytometry|bone marrow|frozen section|fna|gleason|path(?!way))"
        r"(?:[ -](?:reports?|results?|slides?|papers?|samples?|findings?))*|(?:glass |tissue |tumou?r )?slides?|"
        r"tissues?(?: (?:blocks?|samples?))?|(?:paraffin |wax |tissue )?blocks\b|specimens?|tumou?r samples?"
    ),
    "imaging": (
        r"(?:(?:pet|spect)[ -/]?ct|ct|cat|c\.t|mri|mrt|m\.r\.i|mr|pet|bone|dotatate|psma|mibg|mra|cect|hrct)(?:[ -]?(?:scans?|reports?|images?|films?|files?|urogram|pet))*|"
        r"scans?(?: (?:reports?|files?|images?|results?))?|scanner|imaging|imagings|images?|(?:x|ex)[ -]?rays?|xrays?|"
        r"ultra ?sounds?|usg|sonogra\w+|mammogra\w+|tomogra\w+|scintigra\w*|dicoms?|radiolog\w*|films?\b|echogra\w+|endosonogra\w+|"
        r"(?:pictures?|photos?) (?:of|from) (?:the )?(?:scan|ct|mri|x-?ray)s?"
    ),
    "blood_tests": (
        r"blood[ -]?(?:tests?|works?|results?|counts?|reports?|analys[ie]s|samples?|exams?|panels?|values?)|bloods|(?<!ing )(?<!ed )(?<!of )(?<!in )(?<!the )blood(?=\s*(?:$|[,;.+&/:]|and\b|n\b|yes\b|no\b|ok\b|done\b))|"
        r"labs(?! keeps?)|lab(?:[ -](?:results?|tests?|works?|reports?|sheets?|values?|papers?))|laboratory (?:results?|tests?|reports?)|cbc|fbc|"
        r"(?:tumou?r|cancer)[ -]?markers?|cea|ca ?-?125|ca ?-?19[ .-]?9|ca ?-?15[ .-]?3|psa(?! pet)|afp|ldh|lfts?|"
        r"(?:liver|kidney|renal|thyroid) functions?(?: tests?)?|creatinine|h(?:a)?emoglobin"
    ),
}
_MENTION = re.compile(rf"(?<![\w-])(?:{'|'.join(f'(?P<{name}>{words})' for name, words in RECORDS.items())})(?!\w)")
# Words that mean a record only when nothing nearer is named.
_REPORT = re.compile(r"(?<!\w)reports?(?!\w)")
_PICTURES = re.compile(r"(?<!\w)(?:pictures|discs?|disks?|cds?|dvds?)(?!\w)")
_CARRIER = re.compile(r"\b(?:on|as|in|with)\s+(?:an?\s+|the\s+|one\s+)?$")  # "the CT is on a CD"
_OPERATION = re.compile(r"(?<!\w)(?:surger(?:y|ies)|surgrey|operations?|operated|op)(?!\w)")

_N = r"(?:n'?t| not|not|never|no)"
_GET = r"(?:get|gets|find|obtain|access|open|locate|retrieve|have|see|reach)"
# In this order: what is said of waiting or of not knowing is never read as having.
_CUES: tuple[tuple[str, str], ...] = (
    (
        "dont_know",
        r"(?:do ?n'?t|do not|dont|not|no|did ?n'?t) (?:really )?(?:know|sure|idea|certain|clue|remember|understand)|"
        r"dunno|idk|unsure|unclear|not sure|no idea|no clue|whatever that is|never heard|\?\?+|"
        r"(?:what is|what'?s|whats) (?:that|this|it)",
    ),
    (
        "asked",
        r"(?:asked|asking|requested|requesting|applied) (?:for|it|them)?|asked|requested|ordered|apply for|await(?:ing|ed)?|wait(?:ing|ed|s)?|"
        r"pending|promised?|in the works|in progress|on (?:its|their|the) way|in the (?:mail|post)|chas(?:e|ing)|"
        r"will (?:be )?(?:send|sent|post|copy|copied|give|given|get|come|arrive|bring|phone|call|email|have|ready|receive|collect)|'ll (?:send|copy|post|get|give|have|bring|be)|"
        r"(?:is|are|getting|going to|gonna|to) (?:be )?(?:send|sent|come|coming|collect|get) (?:it|them|soon|next|tomorrow|on|by)|"
        r"com(?:ing|es?) (?:next|on|in|soon|tomorrow|by|later)|(?:is|are|'s) (?:next|tomorrow|due|booked|scheduled|being (?:copied|sent|done|made|printed|typed))|scheduled|"
        r"take[sn]? (?:\w+ ){0,3}(?:days?|weeks?|months?)|(?:in|within|next|this|ten|\d+) (?:\w+ )?(?:working )?(?:weeks?|days?)\b(?! ago)|"
        r"(?:have|has|is|are|did|was) ?n[o']?t (?:been )?(?:arrived?|come|came|ready|back|typed|sent|reported|finished)(?: back)?(?: yet)?|"
        r"not (?:arrived|come|here|ready|back|finished|received|in|out)(?: back)?(?: yet)?|still (?:being|in process|processing|not|at the lab|with the lab|outstanding)|"
        r"have ?n'?t (?:got|received|had|seen) (?:\w+ ){0,3}yet|sent (?:off|away|out)|sent (?:the|it|them|her|his|my) ?(?:\w+ )?(?:to|for)|soon|outstanding|(?:is|are|'s|'re) coming|"
        r"i'?d have to (?:ask|chase|get)|need to (?:ask|get|request)|have to (?:ask|get|request)|(?:must|should|gonna|going to) (?:ask|request)",
    ),
    (
        "not_for_me",
        r"not applicable|n\.?/?a\.?(?!\w)|do(?:es)?(?:n'?t| not) apply|not (?:for|relevant|needed|necessary)(?: (?:to|for))?(?: (?:me|us|him|her|my|our))?|"
        r"no need|not operable|inoperable",
    ),
    (
        "not_done",
        r"(?:was|were|is|has|have|had|did|do|does|been)?"
        + _N
        + r"(?: (?:been|yet|ever|even|had|have|anything|actually))*[ ]?(?:yet )?"
        r"(?:done|made|did|performed|do (?:it|that|this|one|any)\b|tested|taken|offered|carried out|happened|made yet|operated)|"
        r"never (?:had|did|tested|offered|done|got tested|took)|(?:nobody|no one|noone|they never|doctor never) (?:did|done|ordered|tested|offered|mentioned|suggested|made)|"
        r"did ?n'?t (?:do|test|order|make|have (?:it|one|any)|offer)|have ?n'?t (?:done|had|made)(?: (?:it|one|any|that))?|not (?:done|tested|made|performed|yet|taken)|undone|"
        r"(?:don'?t|doesn'?t|not) do (?:it|that|them|this|those)|not (?:available|possible|offered) (?:here|in (?:our|my))",
    ),
    (
        "lost",
        r"lost|(?:ca ?n'?t|can ?not|could ?n'?t|could not|unable to|not able to|impossible to|hard to|did ?n'?t|did not|not|wo ?n'?t) "
        r"(?:even |be able to )?(?:" + _GET + r"|got|give|gave|given|release|send|sent|share|kept|keep|received?|hand)|"
        r"missing|threw|thrown|burn(?:t|ed) (?:down|in)|fire|destroyed|flood(?:ed)?|gone|closed|shut down|bankrupt|refus\w+|deleted|erased|misplaced|disappeared|vanished|nowhere|denied|"
        r"never (?:gave|give|given|got|get|received?|sent|had a copy|kept)|(?:do|does|did)(?: ?n'?t| not) have|dont have|dosn?t have|have ?n'?t (?:got|any|the|a)?|has ?n'?t|have n[o']t?|"
        r"have no|has no|got no|had no|there(?:'s| is| are|s)? no|no (?:copy|copies|more|longer|file|files)|without|not have|not here|not with|not given|"
        r"none|nothing|(?:lab|hospital|they|clinic) keeps?|(?:ha(?:s|ve)|are|is|'s) (?:it |them )?(?:stuck|locked|unreadable|damaged|broken|corrupt\w*|empty|blank)|"
        r"(?:nobody|no ?one|none) (?:\w+ ){0,2}?(?:kept|keeps?|gave|gives?|has|have|had|wrote|saved|knows where)|"
        r"(?:do|does|did|will|would|was|were|are|is)(?: ?n'?t| not) (?:want to |like to |ever )?(?:give|given|hand|share|release|show|leave|own|possess|hold)|"
        r"(?:say|says|said|told \w+) (?:no|not)|deny|denies|scratched|stolen|faded",
    ),
    (
        "partly",
        r"part(?:ly|ial|ially)?(?: of)?|some(?: of)?(?! more| ?where| time)|half(?: of)?|most(?:ly)?(?: of)?|only(?! yesterday| today| now| another| an?\b| doctor| the doctor)|just(?= the| a\b| one| my| her| his| half)|not all|incomplete|a few|one of|"
        r"(?:conclusion|first|last|one|two) pages?(?: (?:only|missing))?|bits",
    ),
    (
        "have",
        r"have|has|had|hav|haves?|'ve|'s got|'ve got|ive|weve|got|gotten|get it|with (?:me|us)|here|yes|yeah|yea|yep|yup|ya|si|sure|ok|okay|k|"
        r"ready|in (?:my|our|the|a|her|his) (?:hands?|folder|binder|bag|drawer|email|phone|possession|file|app|portal|box|cloud|wallet|house|home|computer|laptop)|"
        r"on (?:a |an |the |my |our |his |her |their |)?(?:cd|dvd|usb|stick|disc|disk|paper|portal|phone|mychart|app|computer|laptop|hospital app|patient portal|pen ?drive|online|hard drive)s?|"
        r"as (?:a )?(?:pdf|jpe?g|photo|file)s?|in (?:pdf|paper|english|hard copy|digital)|pdf|(?:came|come|is|are|were|was) (?:back|by post|in)|arrived|received|uploaded|downloaded|saved|scanned|copied|"
        r"keep|kept|found|collected|burned|emailed (?:me|us)|e-?mailed|gave (?:me|us|my|her|him|it|them|copies)|given|printed|picked up|took home|attached|sending|send you|can send|sent (?:me|us|you)|available|in hand|complete|(?<!was )(?<!were )(?<!be )(?<!been )done|"
        r"there(?:'s| is| are|s)|at (?:home|my|her|his|our)|possess|carry|photos? of|pictures? of|screen ?shots?|of course|fine|positive|negative|neg|wrote|exists?|✓|✔|✅|👍|all good",
    ),
)
_CUE = re.compile(
    "|".join(
        f"(?P<{state}>(?<![\\w]){words}(?!\\w))" if state != "dont_know" else f"(?P<{state}>{words})"
        for state, words in _CUES
    ).replace("(?<![\\w])", "(?<![\\w])")
)
_NO_BEFORE = re.compile(r"(?<!\w)(?:no|not|nor|without|zero|minus|except(?: for)?)\s+(?:\w+\s+){0,2}$")
_NO_AFTER = re.compile(r"^\W*(?:(?:is|are|was|were)\s+)?(?:no|not|nope|none|nothing|x|❌|✗|-)(?!\w)")
_NO_OPERATION = re.compile(
    r"(?:\bno|n'?t|\bnot|\bnever|\bwithout|\bzero)\s+(?:(?!reports?|notes?|papers?|letters?|records?|copy|copies)\w+\s+){0,4}?"
    r"(?:surger(?:y|ies)|operations?|operated|op)\b(?!\s*(?:reports?|notes?|papers?|letters?|records?))|"
    r"\b(?:surger(?:y|ies)|operations?|op)\s*[:=-]?\s*(?:none|no\b|nope|not applicable|n/?a\b|does ?n'?t apply|"
    r"not (?:for|relevant|done|yet|needed|planned)|never|not happened|zero)|inoperable|not operable"
)
# What weighs more when two cues stand in one clause: to wait or to lack is said on top of to have.
_WEIGHT = {state: weight for weight, (state, _) in enumerate(reversed(_CUES))}
# "No" alone has four meanings; the likeliest by record. People lack a gene test because none was made.
_PLAIN_NO = {"molecular": "not_done"}
_CORRECTS = {"asked", "lost", "not_done", "not_for_me", "dont_know", "partly"}
_PRONOUN = re.compile(r"\b(?:it|them|that|those|these|this|one|results?|which|anything)\b")
_ALONE_NO = re.compile(r"(?:no|nope|not|none|nothing|missing)$")
_LIST = re.compile(
    r"\s*(?:[,;()\n/+&]|\.(?=\s|$)|\s[-–—]+\s|\b(?:and|n|as well as|also|plus|or|nor)\b|:\s)\s*|"
    r"\s+(?=\b(?:but|however|although|though|whereas|while|because|except|so|then|which|who)\b)|\s+(?=\d\.\s)"
)
_JOINED = re.compile(r"\b(?:and|n|or|nor|plus|as well as)\b|[&+/]")
_BARE = re.compile(r"(?:the|an?|my|her|his|our|their|all)?\s*$")
_TURNS = re.compile(r"^(?:but|however|although|though|whereas|while|except|so|then|because|which)\b")


class Record(NamedTuple):
    """One mention of a record: which, its state or None when it was only named, and the words that say so."""

    value: str
    state: str | None
    start: int
    end: int


class _Piece:
    """One item of a list, or one clause: the records named in it and what is said of them."""

    def __init__(self, span: Span, joined: str) -> None:
        self.span = span
        self.joined = joined  # what stands between the item before and this one
        self.mentions = [
            (name, m.start(), m.end()) for m in _MENTION.finditer(span.text) for name in [m.lastgroup or ""]
        ]
        taken = [(start, end) for _, start, end in self.mentions]
        cues = [
            (m.lastgroup or "", m.start(), m.end())
            for m in _CUE.finditer(span.text)
            if not any(start <= m.start() < end for start, end in taken)
        ]
        if not self.mentions and _ALONE_NO.match(span.text):
            cues = [("lost", 0, len(span.text))]
        self.cues = cues
        self.turns = bool(_TURNS.match(span.text))

    def state_of(self, name: str, start: int, end: int) -> str | None:
        """What this piece itself says of a record that stands at start..end in it."""
        before, after = self.span.text[:start], self.span.text[end:]
        if _NO_BEFORE.search(before) and not re.search(r"(?:not|no) only\s", before):
            own = self.cue()
            return own if own in ("not_done", "not_for_me", "dont_know", "asked") else _PLAIN_NO.get(name, "lost")
        own = self.cue()
        if own in (None, "have", "partly") and _NO_AFTER.match(after):
            return _PLAIN_NO.get(name, "lost")
        return own

    def cue(self) -> str | None:
        """The state said in this piece, if any."""
        if not self.cues:
            return None
        return max((state for state, _, _ in self.cues), key=lambda state: _WEIGHT[state])

    def leads(self) -> str | None:
        """The state said before the first record, which holds for a list that follows."""
        if not self.cues or (self.mentions and self.cues[0][1] > self.mentions[0][1]):
            return None
        return self.cue()

    def trails(self) -> str | None:
        """The state said after the last record, which holds for a list that went before."""
        if not self.cues or not self.mentions or self.cues[0][1] < self.mentions[-1][2]:
            return None
        return self.state_of(*self.mentions[-1])


def find_records(text: str) -> list[Record]:
    """The records that the text names, in its order, each with its state where one is said."""
    low = plain(text)
    found: list[Record] = []
    for sentence in sentences(low):
        found += _in_sentence(sentence)
    return found


def _in_sentence(sentence: Span) -> list[Record]:
    pieces = _pieces(sentence)
    found: list[Record] = []
    carried: str | None = None  # the state that a list goes on with
    for index, piece in enumerate(pieces):
        if piece.turns:
            carried = None
        if piece.mentions:
            for name, start, end in piece.mentions:
                state = piece.state_of(name, start, end) or carried or _trailing(pieces[index + 1 :])
                if state == "lost" and state == carried:
                    state = _PLAIN_NO.get(name, state)
                found.append(Record(name, state, piece.span.start + start, piece.span.start + end))
        else:
            implied = _implied(piece, sentence, found)
            if implied:
                found.append(implied)
            elif not _OPERATION.search(piece.span.text):
                _correct(found, piece)
        if piece.cues:
            carried = piece.leads()
    no_operation = _NO_OPERATION.search(sentence.text)
    if no_operation and not any(r.value == "operative_notes" and r.state in ("have", "asked") for r in found):
        start, end = (sentence.start + place for place in no_operation.span())
        found = [record for record in found if record.value != "operative_notes"]
        found.append(Record("operative_notes", "not_for_me", start, end))
    return sorted(found, key=lambda record: record.start)


def _correct(found: list[Record], piece: _Piece) -> None:
    """ "the report we had, lost it in the move": a clause without a record speaks of the record before it."""
    state = piece.cue()
    if not found or state is None:
        return
    last = found[-1]
    refers = len(piece.span.text.split()) <= 3 or _PRONOUN.search(piece.span.text) is not None
    if refers and (last.state is None or (last.state in ("have", "partly") and state in _CORRECTS)):
        state = _PLAIN_NO.get(last.value, state) if _ALONE_NO.match(piece.span.text) else state
        found[-1] = last._replace(state=state)


def _implied(piece: _Piece, sentence: Span, found: list[Record]) -> Record | None:
    """A report or pictures named without saying of what: pictures are of scans; a report is the one named last."""
    pictures, report = _PICTURES.search(piece.span.text), _REPORT.search(piece.span.text)
    match = report or pictures
    if match is None or _CARRIER.search(piece.span.text[: match.start()]):
        return None
    name = "imaging"
    if match is report and not (found and found[-1].value == "imaging") and not _PICTURES.search(sentence.text):
        if match.group() == "reports":
            return None  # of anything
        name = "pathology"
    state = piece.state_of(name, match.start(), match.end())
    if state is None:
        return None
    return Record(name, state, piece.span.start + match.start(), piece.span.start + match.end())


def _trailing(after: list[_Piece]) -> str | None:
    """ "CT and MRI yes": the state of a list whose last item says it."""
    for piece in after:
        if piece.turns or not piece.mentions or not _JOINED.search(piece.joined):
            return None
        if not _BARE.match(piece.span.text[: piece.mentions[0][1]]):
            return None
        if piece.cues:
            return piece.trails()
    return None


def _pieces(sentence: Span) -> list[_Piece]:
    pieces, start, joined = [], 0, ""
    for match in [*_LIST.finditer(sentence.text), None]:
        text = sentence.text[start : match.start() if match else len(sentence.text)]
        stripped = text.strip()
        if stripped:
            place = sentence.start + start + text.index(stripped)
            pieces.append(_Piece(Span(place, place + len(stripped), stripped), joined))
        if match:
            joined, start = match.group(), match.end()
    return pieces
