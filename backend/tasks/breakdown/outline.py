"""Steps read from texts, without any model: what a task says itself, and what a how-to page says of its subject."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.tasks.breakdown.estimates import estimate, without_length
from backend.tasks.breakdown.headings import page_steps
from backend.tasks.breakdown.lists import Item, read_items, without_lists
from backend.tasks.breakdown.sentences import read_steps

# A longer item is cut where its first sentence or clause ends; what follows becomes its description.
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
    """A step: what to do, what belongs to it, about how long it takes, in minutes, and the bookmarks that help."""

    title: str
    description: str
    estimate_minutes: int
    bookmark_ids: tuple[int, ...] = ()


def outline_task(title: str, description: str, most: int) -> list[Subtask] | None:
    """At most so many steps that the task names itself; an empty list if all of them are done.

    Its lists come first, then what its sentences tell in order or as instructions; those of the title last.
    None where it names no steps.
    """
    items = read_items(description)
    if items is not None:
        return distinct(most, (_from_item(item) for item in items))
    for text in (without_lists(description), title, _after_colon(title)):
        steps = read_steps(text)
        if steps is not None:
            return distinct(most, (subtask_of(step.text, step.remarks, 0) for step in steps))
    return None


def outline_page(html: str, text: str, most: int) -> list[Subtask] | None:
    """At most so many steps of a how-to page, as captures store it: its headings. None where it has none."""
    steps = page_steps(html, text)
    if steps is None:
        return None
    return distinct(most, (subtask_of(step.text, step.points, len(step.points)) for step in steps))


def subtask_of(text: str, remarks: Sequence[str], points: int) -> Subtask:
    """A step from its text as it was written and from the lines that belong to it; `points` of them take time."""
    shown, rest, urls = _split(text)
    below = [line for line in (rest, *urls, *remarks) if line]
    title = without_length(shown).strip(TRAILING) or shown
    description = "\n".join(below)[:MOST_DESCRIPTION]
    return Subtask(title[:1].upper() + title[1:], description, estimate(shown, points))


def title_key(title: str) -> str:
    """The form in which titles of steps are compared: without case, marks and spaces at their ends."""
    return " ".join(re.sub(r"[\W_]+", " ", title).casefold().split()) or title


def distinct(most: int, found: Iterable[Subtask]) -> list[Subtask]:
    """At most so many steps, the first of each title."""
    by_title: dict[str, Subtask] = {}
    for subtask in found:
        if subtask.title:
            by_title.setdefault(title_key(subtask.title), subtask)
    return list(by_title.values())[:most]


def _from_item(item: Item) -> Subtask:
    return subtask_of(item.text, item.points, item.nested)


def _split(text: str) -> tuple[str, str, list[str]]:
    """A title, what else the text says, and where its links lead."""
    urls = [found["url"] for found in LINK.finditer(text)]
    lead = BOLD_LEAD.match(text)
    if lead:
        return _plain(lead["lead"]), _plain(lead["rest"]), urls
    plain = _plain(text)
    if len(plain) <= LONGEST_TITLE:
        return plain, "", urls
    ends = list(CLAUSE_END.finditer(plain, 10, LONGEST_TITLE))
    sentences = [found for found in ends if found[0] in ".!?。"]
    if not ends:
        at = plain.rfind(" ", 0, LONGEST_TITLE)
        at = at if at > 0 else LONGEST_TITLE
        return f"{plain[:at]}…", f"…{plain[at:].strip()}", urls
    end = (sentences or ends)[0 if sentences else -1]
    return plain[: end.start()], plain[end.end() :].strip(), urls


def _plain(text: str) -> str:
    without_links = LINK.sub(lambda found: found["text"] or found["url"], text)
    return EMPHASIS.sub(lambda found: found["text"], without_links).strip()


def _after_colon(title: str) -> str:
    found = AFTER_COLON.match(title)
    return found["rest"] if found else ""
