"""Outlines: steps read by rules from a task's text or from a how-to page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.tasks.breakdown.estimates import estimate, without_length
from backend.tasks.breakdown.headings import page_steps
from backend.tasks.breakdown.lists import ListItem, read_items, without_lists
from backend.tasks.breakdown.sentences import read_steps
from backend.text.sort_keys import bare_words

# A longer item is cut after its first sentence or clause; the rest becomes its description.
LONGEST_TITLE = 120
MOST_DESCRIPTION = 10_000
BOLD_LEAD = re.compile(
    r"(?:\*\*|__)(?P<lead>[^*_]{2,100}?)\s*+[:.–—-]?\s*+(?:\*\*|__)\s*+[:.–—-]?\s*+(?P<rest>\S.*)", re.DOTALL
)
LINK = re.compile(r"!?\[(?P<text>[^\]]{0,300})\]\((?P<url>[^()\s]+)(?:\s+\"[^\"]*\")?\)")
EMPHASIS = re.compile(r"(?P<mark>\*\*|__|~~|`|(?<!\w)[*_](?=\S))(?P<text>(?:(?!\1).)+?)(?P=mark)(?!\w)")
CLAUSE_END = re.compile(r"[.!?。](?=\s|$)|\s[–—-]\s|[:;](?=\s)|,(?=\s)")
AFTER_COLON = re.compile(r"[^:]{1,80}:\s+(?P<rest>\S.*)", re.DOTALL)
TRAILING = " \t.,;:–—-"


@dataclass(frozen=True)
class Subtask:
    """A step: title, description, estimate in minutes, and ids of helpful bookmarks."""

    title: str
    description: str
    estimate_minutes: int
    bookmark_ids: tuple[int, ...] = ()


def outline_task(title: str, description: str, most: int) -> list[Subtask] | None:
    """Return at most `most` steps in the task's own text; an empty list if all are done, None if there are none.

    Its lists come first, then ordered sentences and instructions of the description, then those of the title.
    """
    items = read_items(description)
    if items is not None:
        return distinct(most, (_from_item(item) for item in items))
    for text in (without_lists(description), title, _after_colon(title)):
        steps = read_steps(text)
        if steps is not None:
            return distinct(most, (build_subtask(step.text, step.remarks, 0) for step in steps))
    return None


def outline_page(html: str, text: str, most: int) -> list[Subtask] | None:
    """Return at most `most` steps from the headings of a captured how-to page, or None."""
    steps = page_steps(html, text)
    if steps is None:
        return None
    return distinct(most, (build_subtask(step.text, step.points, len(step.points)) for step in steps))


def build_subtask(text: str, remarks: Sequence[str], points: int) -> Subtask:
    """Build a step from its text and the lines under it; `points` of them take time."""
    shown, rest, urls = _split(text)
    below = [line for line in (rest, *urls, *remarks) if line]
    title = without_length(shown).strip(TRAILING) or shown
    description = "\n".join(below)[:MOST_DESCRIPTION]
    return Subtask(title[:1].upper() + title[1:], description, estimate(shown, points))


def title_key(title: str) -> str:
    """Normalise a title for comparison: without case, marks and surrounding spaces."""
    return bare_words(title) or title


def distinct(most: int, subtasks: Iterable[Subtask]) -> list[Subtask]:
    """Return at most `most` steps, the first of each title."""
    by_title: dict[str, Subtask] = {}
    for subtask in subtasks:
        if subtask.title:
            by_title.setdefault(title_key(subtask.title), subtask)
    return list(by_title.values())[:most]


def _from_item(item: ListItem) -> Subtask:
    return build_subtask(item.text, item.points, item.nested)


def _split(text: str) -> tuple[str, str, list[str]]:
    """Split a text into a title, the rest, and the URLs of its links."""
    urls = [match["url"] for match in LINK.finditer(text)]
    lead = BOLD_LEAD.match(text)
    if lead:
        return _plain(lead["lead"]), _plain(lead["rest"]), urls
    plain = _plain(text)
    if len(plain) <= LONGEST_TITLE:
        return plain, "", urls
    ends = list(CLAUSE_END.finditer(plain, 10, LONGEST_TITLE))
    sentences = [match for match in ends if match[0] in ".!?。"]
    if not ends:
        at = plain.rfind(" ", 0, LONGEST_TITLE)
        at = at if at > 0 else LONGEST_TITLE
        return f"{plain[:at]}…", f"…{plain[at:].strip()}", urls
    end = (sentences or ends)[0 if sentences else -1]
    return plain[: end.start()], plain[end.end() :].strip(), urls


def _plain(text: str) -> str:
    without_links = LINK.sub(lambda match: match["text"] or match["url"], text)
    return EMPHASIS.sub(lambda match: match["text"], without_links).strip()


def _after_colon(title: str) -> str:
    match = AFTER_COLON.match(title)
    return match["rest"] if match else ""
