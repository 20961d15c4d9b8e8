"""Text in place of scripts: what a page tells browsers that run none."""

from __future__ import annotations

import re

# The name is the same in nearly all languages.
_ABOUT_SCRIPTS = re.compile(r"java\s?script|\bJS\b", re.IGNORECASE)
_TURN_ON = r"enabl|turn(?:ed)? (?:it )?on|switch(?:ed)? on|allow|activ|aktivier|einschalt|habilit|abilita|inschakel"
_REQUEST = re.compile(
    rf"(?:{_TURN_ON})\w*\b.{{0,40}}java\s?script|java\s?script\b.{{0,40}}\b(?:{_TURN_ON}|required|disabled|must|needed)"
    r"|\b(?:without|needs|requires)\s+java\s?script",
    re.IGNORECASE | re.DOTALL,
)
# Fewer words are a notice or the text of a counting pixel.
FEWEST_WORDS = 20
LONGEST_NOTICE = 150


def unscripted_content(text: str) -> str:
    """Return the paragraphs of a `<noscript>` text that do not ask for scripts, if they are enough for a page."""
    paragraphs = [part for part in text.split("\n\n") if not _ABOUT_SCRIPTS.search(part)]
    return "\n\n".join(paragraphs) if len(" ".join(paragraphs).split()) >= FEWEST_WORDS else ""


def asks_for_scripts(text: str) -> bool:
    """Tell whether a text is nothing but a notice to turn on scripts."""
    return len(text) <= LONGEST_NOTICE and _REQUEST.search(text) is not None
