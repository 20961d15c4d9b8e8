"""What a digest says to a person: new bookmarks, due tasks, recommendations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row

from backend.actor import Actor
from backend.bookmarks.queries import WORDS_PER_MINUTE
from backend.digests.dates import due_date
from backend.digests.links import unsubscribe_token
from backend.digests.queries import LOOKED_AT, due_tasks, new_bookmarks, recommending_place
from backend.digests.recipients import Recipient
from backend.digests.schedule import WEEK
from backend.mail.message import MailValues
from backend.recommendations.schemas import RecommendationOut, RecommendationQuery
from backend.recommendations.service import recommend

MOST_RECOMMENDED = 2
# More are asked for than are shown: some are new anyway, or were recommended in earlier weeks.
ASKED_FOR = 30
# How far back new bookmarks go after weeks in which no digest could be made.
LONGEST_PERIOD = 2 * WEEK
# Tasks that are overdue for longer are not urgent any more.
LONGEST_OVERDUE = 4 * WEEK


@dataclass(frozen=True)
class Offer:
    """Recommendations for a person, best first, and the organization that they are from."""

    organization_id: int
    items: Sequence[RecommendationOut]


@dataclass(frozen=True)
class DigestContents:
    """What a digest says. `total` of new bookmarks and tasks counts those that are not listed, too."""

    new: Sequence[Row[Any]]
    tasks: Sequence[Row[Any]]
    recommended: Sequence[RecommendationOut]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say."""
        return not (self.new or self.tasks or self.recommended)


def offer(recipient: Recipient) -> Offer | None:
    """Recommend unread bookmarks to a person; None where nothing is unread. Commits, as recommending does."""
    place = recommending_place(recipient)
    if place is None:
        return None
    actor = Actor(recipient.id, place.organization_id, place.role)
    query = RecommendationQuery(limit=ASKED_FOR, exclude_read=True)
    answer = recommend(actor, query, recipient.mail_language, recipient.zone)
    return Offer(place.organization_id, answer.items)


def read_contents(
    recipient: Recipient,
    organizations: Mapping[int, str],
    offered: Offer | None,
    earlier: Sequence[Row[Any]],
    now: datetime,
) -> DigestContents:
    """Read what a digest says. Two statements.

    Args:
        recipient: The person.
        organizations: Theirs at this moment, with the names of teams: nothing of another one is in the digest.
        offered: The recommendations.
        earlier: The digests of earlier weeks, the newest first.
        now: The present time.
    """
    since = max(earlier[0].created_at, now - LONGEST_PERIOD) if earlier else now - WEEK
    new = new_bookmarks(organizations, since)
    known = {row.id for row in new}.union(*(digest.bookmark_ids for digest in earlier))
    items = offered.items if offered is not None and offered.organization_id in organizations else []
    # What is new has a part of its own.
    fresh = sorted((item for item in items if item.bookmark.id not in known), key=lambda item: _is_new(item, since))
    tasks = due_tasks(recipient, organizations, now - LONGEST_OVERDUE, _end_of_week(recipient, now))
    return DigestContents(new, tasks, fresh[:MOST_RECOMMENDED])


def mail_values(
    recipient: Recipient, contents: DigestContents, organizations: Mapping[int, str], now: datetime
) -> MailValues:
    """Return the values of the mail."""
    return {
        "token": unsubscribe_token(recipient.id, recipient.email_key),
        "new_total": _total(contents.new),
        "new": [_new_item(row, organizations) for row in contents.new],
        "tasks_total": _total(contents.tasks),
        "tasks": [_task_item(row, organizations, recipient, now) for row in contents.tasks],
        "recommendations": [_recommended_item(item) for item in contents.recommended],
    }


def _is_new(item: RecommendationOut, since: datetime) -> bool:
    return item.bookmark.created_at > since


def _end_of_week(recipient: Recipient, now: datetime) -> datetime:
    """Return the end of the same weekday in the next week, in the person's time zone."""
    day = now.astimezone(recipient.zone).date() + timedelta(days=8)
    return datetime.combine(day, time(), recipient.zone).astimezone(UTC)


def _total(rows: Sequence[Row[Any]]) -> str:
    total = rows[0].total if rows else 0
    # No more than so many of an organization are counted.
    return f"{total}+" if total >= LOOKED_AT else str(total)


def _new_item(row: Row[Any], organizations: Mapping[int, str]) -> dict[str, str]:
    minutes = -(-row.word_count // WORDS_PER_MINUTE) if row.word_count else 0
    return {
        "id": str(row.id),
        "title": row.title or row.url,
        "domain": row.domain,
        "minutes": str(minutes or ""),
        "team": organizations[row.organization_id],
    }


def _task_item(row: Row[Any], organizations: Mapping[int, str], recipient: Recipient, now: datetime) -> dict[str, str]:
    return {
        "id": str(row.id),
        "title": row.title,
        "due": due_date(row.due_at, now, recipient.zone, recipient.mail_language),
        "is_overdue": "yes" if row.due_at < now else "",
        "team": organizations[row.organization_id],
    }


def _recommended_item(item: RecommendationOut) -> dict[str, str]:
    return {
        "id": str(item.bookmark.id),
        "title": item.bookmark.title or item.bookmark.url,
        "domain": item.bookmark.domain or "",
        "reason": item.reasons[0],
    }
