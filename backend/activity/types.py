"""Types of activity, what they are about, and who may see them."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from backend.actor import Role

# Everyone in the organization, its owners, or only the person who did it.
Audience = Literal["members", "owners", "self"]
ObjectType = Literal["bookmark", "tag", "project", "task", "user", "organization"]


class ActivityType(StrEnum):
    """What was done: the kind of object, and the verb. `docs/dashboard.md` documents each."""

    BOOKMARK_CREATED = "bookmark.created"
    BOOKMARK_MERGED = "bookmark.merged"
    BOOKMARK_IMPORTED = "bookmark.imported"
    BOOKMARK_UPDATED = "bookmark.updated"
    BOOKMARK_DELETED = "bookmark.deleted"
    BOOKMARK_RESTORED = "bookmark.restored"
    BOOKMARK_ATTACHED = "bookmark.attached"
    BOOKMARK_DETACHED = "bookmark.detached"
    CAPTURE_REQUESTED = "bookmark.capture_requested"
    BOOKMARK_CAPTURED = "bookmark.captured"
    RECOMMENDATION_OPENED = "bookmark.recommendation_opened"
    FEEDBACK_GIVEN = "bookmark.feedback_given"
    FEEDBACK_WITHDRAWN = "bookmark.feedback_withdrawn"
    TAG_RENAMED = "tag.renamed"
    TAG_MERGED = "tag.merged"
    TAG_DELETED = "tag.deleted"
    PROJECT_CREATED = "project.created"
    PROJECT_UPDATED = "project.updated"
    PROJECT_DELETED = "project.deleted"
    PROJECT_RESTORED = "project.restored"
    TASK_CREATED = "task.created"
    TASK_UPDATED = "task.updated"
    TASK_COMPLETED = "task.completed"
    TASK_MOVED = "task.moved"
    TASK_DELETED = "task.deleted"
    TASK_RESTORED = "task.restored"
    MEMBER_JOINED = "user.joined"
    MEMBER_LEFT = "user.left"
    MEMBER_ROLE_CHANGED = "user.role_changed"
    ORGANIZATION_CREATED = "organization.created"
    ORGANIZATION_UPDATED = "organization.updated"

    @property
    def object_type(self) -> ObjectType:
        """The kind of object that it is about."""
        return self.value.partition(".")[0]  # type: ignore[return-value]

    @property
    def audience(self) -> Audience:
        """Who may see it."""
        return AUDIENCES.get(self, "members")


# Feedback is a person's own; roles are the owners' business.
AUDIENCES: dict[ActivityType, Audience] = {
    ActivityType.RECOMMENDATION_OPENED: "self",
    ActivityType.FEEDBACK_GIVEN: "self",
    ActivityType.FEEDBACK_WITHDRAWN: "self",
    ActivityType.MEMBER_ROLE_CHANGED: "owners",
}

Series = Literal["users", "bookmarks", "captures", "searches", "tasks_completed", "recommendations_opened"]
# What each series of the statistics counts; searches are counted in Redis.
SERIES: dict[ActivityType, Series] = {
    ActivityType.MEMBER_JOINED: "users",
    ActivityType.BOOKMARK_CREATED: "bookmarks",
    ActivityType.BOOKMARK_IMPORTED: "bookmarks",
    ActivityType.BOOKMARK_CAPTURED: "captures",
    ActivityType.TASK_COMPLETED: "tasks_completed",
    ActivityType.RECOMMENDATION_OPENED: "recommendations_opened",
}


def visible_types(role: Role) -> dict[Audience, list[str]]:
    """Return the types that a member of a role may see, by audience."""
    seen: dict[Audience, list[str]] = {"members": [], "self": []}
    for kind in ActivityType:
        audience = "members" if kind.audience == "owners" and role == "owner" else kind.audience
        if audience != "owners":
            seen[audience].append(kind.value)
    return seen
