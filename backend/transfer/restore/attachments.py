"""What bookmarks of an export are attached to, and their captured pages, put back once the bookmarks are saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from backend.actor import Actor
from backend.bookmarks.models import Bookmark, BookmarkContent
from backend.bookmarks.queries import not_trashed
from backend.bookmarks.search_documents import refresh_documents
from backend.capture.extract.page import ExtractedPage
from backend.capture.extract.sanitize import sanitize_html
from backend.capture.extract.text import clean_text
from backend.capture.service import store_content
from backend.extensions import db
from backend.projects.models import ProjectBookmark
from backend.projects.service import hold_projects
from backend.text.urls import url_hash
from backend.transfer.records import SkippedLine
from backend.transfer.restore.items import ExportedAttachment, ExportedBookmark, ExportedPage, RestoredIds, read_items

PAGE_FIELDS = ("site_name", "author", "published_at", "image_url", "language", "word_count")


def restore_attachments(actor: Actor, first: int, raw: Sequence[Any], ids: RestoredIds) -> list[SkippedLine]:
    """Attach bookmarks to projects with their notes, and store pages that have not been captured here.

    All in the caller's transaction. A note that is there stays.
    """
    items, skipped = read_items(ExportedBookmark, "bookmarks", first, raw)
    here = find_by_url(actor, [item.url for _, item in items])
    known = [(number, item, here[url_hash(item.url)]) for number, item in items if url_hash(item.url) in here]
    _attach(actor, [(item, id_) for _, item, id_ in known], ids.projects)
    for number, item, _ in known:
        lost = [attachment.project_id for attachment in item.projects if attachment.project_id not in ids.projects]
        skipped += [SkippedLine(number, item.url, f"bookmarks: the file has no project {project}") for project in lost]
    _store_pages([(item, id_) for _, item, id_ in known if item.page is not None])
    return skipped


def find_by_url(actor: Actor, urls: Sequence[str]) -> dict[bytes, int]:
    """Find the bookmarks outside the trash by the hash of their URL, held until the end of the transaction."""
    statement = select(Bookmark.id, Bookmark.url_hash).where(
        not_trashed(actor), Bookmark.url_hash.in_(map(url_hash, urls))
    )
    rows = db.session.execute(statement.order_by(Bookmark.id).with_for_update(key_share=True))
    return {bytes(row.url_hash): row.id for row in rows}


def _attach(actor: Actor, known: Sequence[tuple[ExportedBookmark, int]], projects: Mapping[int, int]) -> None:
    """Attach bookmarks: two statements, none if nothing is to be attached."""
    held = hold_projects(
        actor, {projects[attachment.project_id] for attachment in _listed(known) if attachment.project_id in projects}
    )
    # Of two mentions the later one counts; a statement may touch a row only once.
    rows = {
        (bookmark_id, projects[attachment.project_id]): attachment
        for item, bookmark_id in known
        for attachment in item.projects
        if projects.get(attachment.project_id) in held
    }
    if rows:
        new = insert(ProjectBookmark)
        filled = new.on_conflict_do_update(
            index_elements=["project_id", "bookmark_id"],
            set_={"note": new.excluded.note, "attached_at": new.excluded.attached_at},
            where=ProjectBookmark.note == "",
        )
        db.session.execute(filled, [_row(actor, *key, rows[key]) for key in sorted(rows)])


def _listed(known: Sequence[tuple[ExportedBookmark, int]]) -> Iterator[ExportedAttachment]:
    return (attachment for item, _ in known for attachment in item.projects)


def _row(actor: Actor, bookmark_id: int, project_id: int, attachment: ExportedAttachment) -> dict[str, Any]:
    return {
        "bookmark_id": bookmark_id,
        "project_id": project_id,
        "organization_id": actor.organization_id,
        "note": attachment.note,
        "attached_by": actor.user_id,
        "attached_at": attachment.attached_at,
    }


def _store_pages(known: Sequence[tuple[ExportedBookmark, int]]) -> None:
    ids = [id_ for _, id_ in known]
    if not ids:
        return
    read = set(db.session.scalars(select(BookmarkContent.bookmark_id).where(BookmarkContent.bookmark_id.in_(ids))))
    stored = [(item, id_) for item, id_ in known if id_ not in read]
    for item, bookmark_id in stored:
        assert item.page is not None
        _describe(item, item.page, bookmark_id)
        store_content(bookmark_id, _extracted(item, item.page))
        moment = update(BookmarkContent).where(BookmarkContent.bookmark_id == bookmark_id)
        db.session.execute(moment.values(captured_at=item.page.captured_at))
    refresh_documents([bookmark_id for _, bookmark_id in stored])


def _describe(item: ExportedBookmark, page: ExportedPage, bookmark_id: int) -> None:
    # A capture that is asked for goes on, and refreshes what is restored here.
    waits = Bookmark.capture_status == "pending"
    values: dict[str, Any] = {name: getattr(item, name) for name in PAGE_FIELDS}
    values |= {
        "captured_at": page.captured_at,
        "capture_status": case((waits, "pending"), else_="captured"),
        "capture_error": case((waits, Bookmark.capture_error)),
        "embedding_due_at": case((waits, Bookmark.embedding_due_at), else_=func.now()),
    }
    db.session.execute(update(Bookmark).where(Bookmark.id == bookmark_id).values(**values))


def _extracted(item: ExportedBookmark, page: ExportedPage) -> ExtractedPage:
    """Take a page of a file as one of the web: it is just as hostile."""
    return ExtractedPage(
        title=clean_text(page.title),
        author=page.byline,
        site_name=item.site_name,
        description=None,
        published_at=item.published_at,
        language=item.language,
        image_url=item.image_url,
        text=clean_text(page.text),
        html=sanitize_html(page.html),
        word_count=item.word_count or 0,
    )
