"""The steps that plain sentences name: "first … then … finally", and sentences that tell somebody to do something.

English and German. What is no instruction is told as part of the step before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from backend.tasks.breakdown.imperatives import ENGLISH_VERBS, GERMAN_ENDINGS, GERMAN_IMPERATIVES

END = re.compile(r"(?<=[.!?…])[\"”“»)]?\s+(?=[\"„“«(]?[A-ZÄÖÜÀ-ÞА-Я0-9])|\n{2,}|\n(?=\S)|(?<=[。！？])")
# What ends in a point without ending a sentence.
SHORTENED = re.compile(
    r"(?:\b(?:e\.g|i\.e|z\.\s?B|d\.\s?h|u\.\s?a|vs|etc|usw|bzw|ca|approx|Dr|Mr|Ms|Mrs|Hr|Fr|Nr|No|St|Str|[A-Z])|\b\d{1,2})\.$"
)
ORDER_EN = (
    r"first(?:ly|\s+of\s+all)?|to\s+(?:start|begin)(?:\s+with)?|second(?:ly)?|third(?:ly)?|fourth(?:ly)?|and\s+then|then"
    r"|next|after\s+(?:that|this)|afterwards?|once\s+(?:that|this)\s+is\s+done|subsequently|later(?:\s+on)?"
    r"|and\s+finally|finally|last(?:ly|\s+of\s+all)?|in\s+the\s+end|at\s+the\s+end"
)
ORDER_DE = (
    r"erst(?:mal|\s+dann)?|erstens|zweitens|drittens|viertens|zuerst|zunächst|als\s+erstes|als\s+nächstes|als\s+letztes|(?:und\s+)?dann"
    r"|(?:und\s+)?danach|(?:und\s+)?anschließend|anschliessend|daraufhin|hinterher|später|(?:und\s+)?schließlich"
    r"|schliesslich|(?:und\s+)?zum\s+(?:schluss|schluß|abschluss)|(?:und\s+)?zuletzt|abschließend|am\s+ende"
    r"|(?:und\s+)?am\s+schluss"
)
ORDER = rf"(?:{ORDER_EN}|{ORDER_DE})"
STARTS = re.compile(rf"(?:but\s+|and\s+|und\s+|aber\s+)?(?P<order>{ORDER})\b\s*[,:]?\s*", re.IGNORECASE)
# Within a sentence an order is told behind a comma, or by "and then".
WITHIN = re.compile(
    rf"\s*[,;–—]\s*(?:and\s+|und\s+)?(?={ORDER}\b)|\s+(?=(?:and\s+then|und\s+dann|and\s+finally|und\s+danach|und\s+zuletzt)\b)",
    re.IGNORECASE,
)
LEADS = re.compile(
    r"""
    (?: (?:so|also|again|here|now|today|tomorrow|bitte|please|pls|todo|to-do|kindly|außerdem|noch|also)\b\s*[,:]?\s*
    | (?:(?:we|i|you|they|one)\s*(?:will|'ll|’ll)?\s*(?:still\s+|also\s+|then\s+)?
        (?:need|have|want|ought|plan|are\s+going|am\s+going)\s+to\b
      |(?:we|i|you|one)\s*(?:should|must|can|could|will|'ll|’ll|shall)\b(?:\s+(?:also|then|probably))?
      |(?:we|i|you)\s*(?:would|'d|’d)\s+like\s+to\b
      |(?:need|have|got)\s+to\b|make\s+sure\s+(?:to|that\s+(?:we|you)|you|we)\b|be\s+sure\s+to\b|do\s?n[o'’]t\s+forget\s+to\b
      |do\s+not\s+forget\s+to\b|remember\s+to\b|let['’]?s\b|let\s+us\b|it\s+is\s+time\s+to\b)\s*
    | (?:(?:wir|ich|du|man|ihr)\s+
        (?:muss|musst|müssen|müsst|soll|sollst|sollen|sollte|sollten|will|wollen|möchte|möchten)
      |(?:muss|müssen|soll|sollen|sollte|sollten|will|wollen|möchte|möchten)\s+(?:ich|wir|man)
      |nicht\s+vergessen[,:]?)\s+(?:(?:noch|auch|dann|wir|ich)\s+)*
    )+
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Verbs that make what follows a report or a wish of others instead of an instruction.
FINITE = re.compile(
    r"\b(?:kann|können|könnte[n]?|wird|werden|würde[n]?|will|wollen|wollte[n]?|soll|sollen|sollte[n]?|muss|müssen|musste[n]?"
    r"|darf|dürfen|ist|sind|war|waren|hat|haben|hatte[n]?|möchte[n]?|lässt|gibt|bin)\b",
    re.IGNORECASE,
)
# When a step comes: "After the call, send the notes". What only happens when or if something does is often a fault.
WHEN = re.compile(r"(?:after|before|once|as\s+soon\s+as|nachdem|bevor|sobald)\b[^,.;:]{2,80},\s*", re.IGNORECASE)
# Lines that could be items of a list, if they had marks.
FEWEST_LINES, LONGEST_LINE = 3, 80
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
JOINED = re.compile(r"\s*;\s*|\s*,\s*(?:and\s+|und\s+|then\s+|dann\s+)?|\s+(?:and|und)\s+", re.IGNORECASE)


@dataclass
class Step:
    """What is to be done, and what else is said of it."""

    text: str
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Clause:
    text: str
    as_written: str
    is_ordered: bool
    is_told: bool


def read_steps(text: str) -> list[Step] | None:
    """The steps that the sentences of a text name; None where they name fewer than two."""
    lines = _bare_list(text)
    if lines is not None:
        return [Step(line) for line in lines]
    clauses = [clause for sentence in sentences_of(text) for clause in _clauses(sentence)]
    in_order = sum(clause.is_ordered for clause in clauses)
    steps: list[Step] = []
    for clause in clauses:
        # A text that tells an order begins with what comes first, whether or not it says so.
        if clause.is_told or (clause.is_ordered and in_order > 1):
            steps += [Step(part) for part in _parts(clause.text)]
        elif steps:
            steps[-1].remarks.append(clause.as_written)
    return steps if len(steps) > 1 else None


def sentences_of(text: str) -> list[str]:
    """The sentences of a text; a line is one, too."""
    found: list[str] = []
    joins = False
    for part in END.split(text):
        piece = " ".join(part.split())
        if not piece:
            continue
        if joins:
            found[-1] += f" {piece}"
        else:
            found.append(piece)
        joins = SHORTENED.search(piece) is not None
    return found


def _bare_list(text: str) -> list[str] | None:
    """The lines of a text that is a list without marks: short, not ended like sentences, most of them instructions."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < FEWEST_LINES:
        return None
    if any(len(line) > LONGEST_LINE or line[-1] in ".!?…:;,。" or STARTS.match(line) for line in lines):
        return None
    told = sum(is_instruction(line) for line in lines)
    return lines if 2 * told > len(lines) else None


def _clauses(sentence: str) -> list[_Clause]:
    clauses = []
    for part in WITHIN.split(sentence):
        order = STARTS.match(part)
        text = part[order.end() :] if order else part
        bare = LEADS.sub("", text, count=1) if LEADS.match(text) else text
        if bare.strip(" .,;:!"):
            is_told = is_instruction(_without_when(bare), is_led=bare != text)
            clauses.append(_Clause(bare.strip(), part.strip(), order is not None, is_told))
    return clauses


def _without_when(clause: str) -> str:
    found = WHEN.match(clause)
    return clause[found.end() :] if found else clause


def is_instruction(clause: str, *, is_led: bool = False) -> bool:
    """Whether a clause tells somebody to do something; `is_led` says that "we have to" or the like stood before it."""
    written = WORD.findall(clause)
    words = [word.lower() for word in written]
    if not words or clause.rstrip().endswith("?"):
        return False
    if words[0] in ENGLISH_VERBS:
        return not _is_subject(words)
    if words[0] in GERMAN_IMPERATIVES:
        return True
    # With a capital it is a noun: "der neue Laden".
    ends_in_verb = len(words) > 1 and written[-1].islower() and words[-1].endswith(GERMAN_ENDINGS)
    return ends_in_verb and (is_led or FINITE.search(clause) is None)


def _is_subject(words: Sequence[str]) -> bool:
    # "Test results are late", "Report is missing": the noun, not the verb.
    return len(words) > 1 and not {"is", "are", "was", "were", "has", "have"}.isdisjoint(words[1:3])


def _parts(text: str) -> list[str]:
    """The instructions that one sentence joins, if all of its parts are instructions."""
    parts = [part for part in JOINED.split(text) if part.strip()]
    whole = [part for part in parts if is_instruction(part)]
    return parts if len(parts) > 1 and len(whole) == len(parts) else [text]
