"""Personal data: everything that is stored about a person, as the files of an export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from backend.activity.models import Activity
from backend.actor import Actor, Role
from backend.ai.models import AiProvider, LlmUsage
from backend.auth.models import ApiToken, SecurityEvent, Session, User
from backend.bookmarks.models import Bookmark, BookmarkContent, BookmarkTag, Tag
from backend.database import read_by_keyset
from backend.digests.models import Digest
from backend.extensions import db
from backend.jobs.models import Job
from backend.linkding.bundles.models import Bundle
from backend.organizations.models import Membership, Organization
from backend.projects.models import Project, ProjectBookmark
from backend.recommendations.models import Feedback
from backend.search.recent import MOST_SEARCHES, recent_searches
from backend.tasks.models import Task
from backend.transfer.feeds.models import Feed

BATCH = 200
# Page texts in memory at once, except for a single longer one.
PORTION_BYTES = 8 * 1024 * 1024
USER_COLUMNS = (
    User.id, User.email, User.email_verified_at, User.username, User.role, User.time_zone, User.week_start,
    User.language, User.digest_due_at, User.created_at,
)  # fmt: skip
SESSION_COLUMNS = (
    Session.id, Session.user_agent, Session.ip, Session.created_at, Session.last_used_at, Session.expires_at,
    Session.revoked_at,
)  # fmt: skip
TOKEN_COLUMNS = (
    ApiToken.id, ApiToken.organization_id, ApiToken.name, ApiToken.prefix, ApiToken.scopes, ApiToken.expires_at,
    ApiToken.last_used_at, ApiToken.created_at,
)  # fmt: skip
EVENT_COLUMNS = (
    SecurityEvent.id, SecurityEvent.kind, SecurityEvent.ip, SecurityEvent.user_agent, SecurityEvent.organization_id,
    SecurityEvent.detail, SecurityEvent.created_at,
)  # fmt: skip
JOB_COLUMNS = (
    Job.id, Job.organization_id, Job.kind, Job.status, Job.result, Job.error, Job.created_at, Job.finished_at,
)  # fmt: skip
PROVIDER_COLUMNS = (AiProvider.base_url, AiProvider.model, AiProvider.api_key_hint, AiProvider.updated_at)
USAGE_COLUMNS = (
    LlmUsage.day, LlmUsage.is_servers, LlmUsage.calls, LlmUsage.prompt_tokens, LlmUsage.completion_tokens,
)  # fmt: skip
BOOKMARK_COLUMNS = (
    Bookmark.id, Bookmark.organization_id, Bookmark.url, Bookmark.title, Bookmark.description, Bookmark.notes,
    Bookmark.site_name, Bookmark.author, Bookmark.published_at, Bookmark.image_url, Bookmark.language,
    Bookmark.word_count, Bookmark.is_read, Bookmark.read_at, Bookmark.is_favorite, Bookmark.is_archived,
    Bookmark.capture_status, Bookmark.captured_at, Bookmark.created_at, Bookmark.updated_at, Bookmark.deleted_at,
)  # fmt: skip
PROJECT_COLUMNS = (
    Project.id, Project.organization_id, Project.name, Project.description, Project.technologies, Project.status,
    Project.created_at, Project.updated_at, Project.deleted_at,
)  # fmt: skip
ATTACHMENT_COLUMNS = (
    ProjectBookmark.project_id, ProjectBookmark.bookmark_id, ProjectBookmark.organization_id, ProjectBookmark.note,
    ProjectBookmark.attached_at,
)  # fmt: skip
TASK_COLUMNS = (
    Task.id, Task.organization_id, Task.project_id, Task.parent_id, Task.title, Task.description, Task.status,
    Task.priority, Task.due_at, Task.completed_at, Task.position, Task.created_at, Task.updated_at, Task.deleted_at,
)  # fmt: skip
FEEDBACK_COLUMNS = (
    Feedback.id, Feedback.organization_id, Feedback.bookmark_id, Feedback.subject, Feedback.kind, Feedback.created_at,
    Feedback.updated_at,
)  # fmt: skip
BUNDLE_COLUMNS = (
    Bundle.id, Bundle.organization_id, Bundle.name, Bundle.search, Bundle.any_tags, Bundle.all_tags,
    Bundle.excluded_tags, Bundle.filter_unread, Bundle.filter_shared, Bundle.position, Bundle.created_at,
    Bundle.updated_at,
)  # fmt: skip
ACTIVITY_COLUMNS = (
    Activity.id, Activity.organization_id, Activity.type, Activity.object_type, Activity.object_id, Activity.data,
    Activity.request_id, Activity.created_at,
)  # fmt: skip
DIGEST_COLUMNS = (Digest.week, Digest.is_mailed, Digest.bookmark_ids, Digest.created_at)
FEED_COLUMNS = (Feed.id, Feed.organization_id, Feed.name, Feed.filter, Feed.created_at)

Progress = Callable[[int, int, str], None]


def personal_files(user_id: int, visible: Sequence[int], progress: Progress) -> Iterator[tuple[str, Iterable[Any]]]:
    """Yield each file of the export: its name and rows. `visible` are the organizations whose rows may be in them."""
    yield "profile", _rows(select(*USER_COLUMNS).where(User.id == user_id))
    yield (
        "organizations",
        _rows(
            select(Organization.id, Organization.name, Organization.slug, Organization.personal, Membership.role)
            .join(Membership, Membership.organization_id == Organization.id)
            .where(Membership.user_id == user_id, Organization.id.in_(visible))
            .order_by(Organization.id)
        ),
    )
    yield "sessions", _rows(select(*SESSION_COLUMNS).where(Session.user_id == user_id).order_by(Session.created_at))
    yield "api_tokens", _rows(select(*TOKEN_COLUMNS).where(ApiToken.user_id == user_id).order_by(ApiToken.id))
    events = select(*EVENT_COLUMNS).where(SecurityEvent.user_id == user_id)
    yield "security_events", _rows(events.order_by(SecurityEvent.id))
    yield "recent_searches", _recent_searches(user_id, visible)
    jobs = select(*JOB_COLUMNS).where(Job.user_id == user_id, Job.organization_id.in_(visible))
    yield "jobs", _rows(jobs.order_by(Job.created_at))
    yield "ai_provider", _rows(select(*PROVIDER_COLUMNS).where(AiProvider.user_id == user_id))
    usage = select(*USAGE_COLUMNS).where(LlmUsage.user_id == user_id)
    yield "ai_usage", _rows(usage.order_by(LlmUsage.day, LlmUsage.is_servers))
    projects = select(*PROJECT_COLUMNS).where(_own(user_id, visible, Project.organization_id, Project.user_id))
    yield "projects", _in_order(projects, Project.id)
    organization, person = ProjectBookmark.organization_id, ProjectBookmark.attached_by
    attachments = select(*ATTACHMENT_COLUMNS).where(_own(user_id, visible, organization, person))
    yield "project_bookmarks", _in_order(attachments, ProjectBookmark.project_id, ProjectBookmark.bookmark_id)
    tasks = select(*TASK_COLUMNS).where(_own(user_id, visible, Task.organization_id, Task.user_id))
    yield "tasks", _in_order(tasks, Task.id)
    feedback = select(*FEEDBACK_COLUMNS).where(Feedback.user_id == user_id, Feedback.organization_id.in_(visible))
    yield "feedback", _in_order(feedback, Feedback.id)
    bundles = select(*BUNDLE_COLUMNS).where(_own(user_id, visible, Bundle.organization_id, Bundle.user_id))
    yield "bundles", _in_order(bundles, Bundle.id)
    feeds = select(*FEED_COLUMNS).where(Feed.user_id == user_id, Feed.organization_id.in_(visible))
    yield "feeds", _in_order(feeds, Feed.id)
    yield "digests", _rows(select(*DIGEST_COLUMNS).where(Digest.user_id == user_id).order_by(Digest.week))
    activity = select(*ACTIVITY_COLUMNS).where(Activity.user_id == user_id, Activity.organization_id.in_(visible))
    yield "activity", _in_order(activity, Activity.created_at, Activity.id)
    yield "bookmarks", _bookmarks(user_id, visible, progress)


def _own(
    user_id: int,
    visible: Sequence[int],
    organization: InstrumentedAttribute[int],
    person: InstrumentedAttribute[int | None],
) -> ColumnElement[bool]:
    """Return the condition for rows of the personal organization, and the person's own rows in visible teams."""
    personal = select(User.personal_organization_id).where(User.id == user_id).scalar_subquery()
    return or_(organization == personal, (person == user_id) & organization.in_(visible))


def _in_order(statement: Select[*tuple[Any, ...]], *key: InstrumentedAttribute[Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a statement in the order of a key, one batch in memory at a time."""
    for rows in read_by_keyset(statement, *key, size=BATCH):
        yield from (dict(row._mapping) for row in rows)


def _rows(statement: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in db.session.execute(statement)]


def _recent_searches(user_id: int, visible: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield the searches in the visible organizations, the newest first; none while Redis is away."""
    memberships = select(Membership).where(Membership.user_id == user_id, Membership.organization_id.in_(visible))
    for membership in db.session.scalars(memberships.order_by(Membership.organization_id)).all():
        actor = Actor(user_id, membership.organization_id, cast(Role, membership.role))
        for search in recent_searches(actor, "", MOST_SEARCHES):
            yield {"organization_id": membership.organization_id, "search": search}


def _bookmarks(user_id: int, visible: Sequence[int], progress: Progress) -> Iterator[dict[str, Any]]:
    """Yield the bookmarks of the personal organization, and the person's own in visible teams."""
    ids = _bookmark_ids(user_id, visible)
    for start in range(0, len(ids), BATCH):
        progress(start, len(ids), "Writing bookmarks")
        batch = ids[start : start + BATCH]
        bookmarks = db.session.execute(select(*BOOKMARK_COLUMNS).where(Bookmark.id.in_(batch)).order_by(Bookmark.id))
        rows = cast("Sequence[Row[Any]]", bookmarks.all())
        tags, sizes = _tags(batch), _text_sizes(batch)
        for portion in _portions(rows, sizes):
            pages = _pages([row.id for row in portion if row.id in sizes])
            for row in portion:
                yield {**row._mapping, "tags": tags.get(row.id, []), "page": pages.get(row.id)}


def _bookmark_ids(user_id: int, visible: Sequence[int]) -> list[int]:
    personal = select(User.personal_organization_id).where(User.id == user_id).scalar_subquery()
    own = db.session.scalars(select(Bookmark.id).where(Bookmark.organization_id == personal)).all()
    in_teams = db.session.scalars(
        select(Bookmark.id).where(
            Bookmark.user_id == user_id, Bookmark.organization_id.in_(visible), Bookmark.organization_id != personal
        )
    )
    return sorted([*own, *in_teams])


def _tags(ids: Sequence[int]) -> dict[int, list[str]]:
    tags: dict[int, list[str]] = {}
    for bookmark_id, name in db.session.execute(
        select(BookmarkTag.bookmark_id, Tag.name)
        .join(Tag, Tag.id == BookmarkTag.tag_id)
        .where(BookmarkTag.bookmark_id.in_(ids))
        .order_by(BookmarkTag.bookmark_id, BookmarkTag.position)
    ):
        tags.setdefault(bookmark_id, []).append(name)
    return tags


def _text_sizes(ids: Sequence[int]) -> dict[int, int]:
    size = func.octet_length(BookmarkContent.text)
    rows = db.session.execute(select(BookmarkContent.bookmark_id, size).where(BookmarkContent.bookmark_id.in_(ids)))
    return {row[0]: row[1] for row in rows}


def _portions(rows: Sequence[Row[Any]], sizes: dict[int, int]) -> Iterator[list[Row[Any]]]:
    portion: list[Row[Any]] = []
    total = 0
    for row in rows:
        size = sizes.get(row.id, 0)
        if portion and total + size > PORTION_BYTES:
            yield portion
            portion, total = [], 0
        portion.append(row)
        total += size
    if portion:
        yield portion


def _pages(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    columns = (BookmarkContent.bookmark_id, BookmarkContent.title, BookmarkContent.byline, BookmarkContent.text)
    if not ids:
        return {}
    rows = db.session.execute(select(*columns).where(BookmarkContent.bookmark_id.in_(ids)))
    return {row.bookmark_id: {"title": row.title, "byline": row.byline, "text": row.text} for row in rows}
