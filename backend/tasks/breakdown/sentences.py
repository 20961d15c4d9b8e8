"""Steps in prose: "first … then … finally", and instructions. English and German.

Other sentences become remarks of the step before them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from backend.tasks.breakdown.imperatives import ENGLISH_VERBS, GERMAN_ENDINGS, GERMAN_IMPERATIVES

END = re.compile(r"(?<=[.!?…])[\"”“»)]?\s+(?=[\"„“«(]?[A-ZÄÖÜÀ-ÞА-Я0-9])|\n{2,}|\n(?=\S)|(?<=[。！？])")
# Abbreviations: a full stop that does not end a sentence.
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
# Within a sentence an order word follows a comma, or is "and then".
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
# Verbs that make a clause a report or a request of others instead of an instruction.
FINITE = re.compile(
    r"\b(?:kann|können|könnte[n]?|wird|werden|würde[n]?|will|wollen|wollte[n]?|soll|sollen|sollte[n]?|muss|müssen|musste[n]?"
    r"|darf|dürfen|ist|sind|war|waren|hat|haben|hatte[n]?|möchte[n]?|lässt|gibt|bin)\b",
    re.IGNORECASE,
)
# A time clause before an instruction: "After the call, send the notes". Conditions ("when", "if") often describe
# faults.
WHEN = re.compile(r"(?:after|before|once|as\s+soon\s+as|nachdem|bevor|sobald)\b[^,.;:]{2,80},\s*", re.IGNORECASE)
# Lines that may be a list without marks.
FEWEST_LINES, LONGEST_LINE = 3, 80
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
JOINED = re.compile(r"\s*;\s*|\s*,\s*(?:and\s+|und\s+|then\s+|dann\s+)?|\s+(?:and|und)\s+", re.IGNORECASE)


@dataclass
class Step:
    """An instruction and its remarks."""

    text: str
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Clause:
    text: str
    as_written: str
    is_ordered: bool
    is_told: bool


def read_steps(text: str) -> list[Step] | None:
    """Return the steps in the sentences of a text, or None for fewer than two."""
    lines = _bare_list(text)
    if lines is not None:
        return [Step(line) for line in lines]
    clauses = [clause for sentence in sentences_of(text) for clause in _clauses(sentence)]
    in_order = sum(clause.is_ordered for clause in clauses)
    steps: list[Step] = []
    for clause in clauses:
        # In an ordered text the first instruction is a step, with or without an order word.
        if clause.is_told or (clause.is_ordered and in_order > 1):
            steps += [Step(part) for part in _parts(clause.text)]
        elif steps:
            steps[-1].remarks.append(clause.as_written)
    return steps if len(steps) > 1 else None


def sentences_of(text: str) -> list[str]:
    """Split a text into sentences; a line ends one too."""
    sentences: list[str] = []
    joins = False
    for part in END.split(text):
        piece = " ".join(part.split())
        if not piece:
            continue
        if joins:
            sentences[-1] += f" {piece}"
        else:
            sentences.append(piece)
        joins = SHORTENED.search(piece) is not None
    return sentences


def _bare_list(text: str) -> list[str] | None:
    """Return the lines of a list without marks: short, without full stops, most of them instructions; else None."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < FEWEST_LINES:
        return None
    if any(len(line) > LONGEST_LINE or line[-1] in ".!?…:;,。" or STARTS.match(line) for line in lines):
        return None
    instructions = sum(is_instruction(line) for line in lines)
    return lines if 2 * instructions > len(lines) else None


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
    match = WHEN.match(clause)
    return clause[match.end() :] if match else clause


def is_instruction(clause: str, *, is_led: bool = False) -> bool:
    """Tell whether a clause is an instruction; `is_led` says that "we have to" or the like stood before it."""
    written = WORD.findall(clause)
    words = [word.lower() for word in written]
    if not words or clause.rstrip().endswith("?"):
        return False
    if words[0] in ENGLISH_VERBS:
        return not _is_subject(words)
    if words[0] in GERMAN_IMPERATIVES:
        return True
    # A capital letter marks a noun: "der neue Laden".
    ends_in_verb = len(words) > 1 and written[-1].islower() and words[-1].endswith(GERMAN_ENDINGS)
    return ends_in_verb and (is_led or FINITE.search(clause) is None)


def _is_subject(words: Sequence[str]) -> bool:
    # "Test results are late", "Report is missing": a noun, not a verb.
    return len(words) > 1 and not {"is", "are", "was", "were", "has", "have"}.isdisjoint(words[1:3])


def _parts(text: str) -> list[str]:
    """Split a sentence into the instructions that it joins, if all of its parts are instructions."""
    parts = [part for part in JOINED.split(text) if part.strip()]
    whole = [part for part in parts if is_instruction(part)]
    return parts if len(parts) > 1 and len(whole) == len(parts) else [text]
