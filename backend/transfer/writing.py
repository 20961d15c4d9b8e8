"""Writing one batch of a file: some hundred links in a fixed number of statements, with the place that was reached.

All of it is one transaction: a worker that dies leaves either the whole batch behind, counted, or nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, text, update

from backend.activity.types import ActivityType
from backend.bookmarks.schemas import BookmarkIn, OnDuplicate
from backend.bookmarks.service import record_saved
from backend.bookmarks.tags.assignment import TooManyTags
from backend.bookmarks.upsert import MAX_ROUNDS, SaveResult, upsert_bookmarks
from backend.database import retry_on_conflict
from backend.errors import Unavailable
from backend.extensions import current_settings, db
from backend.jobs.running import ClaimedJob, JobStopped, keep_progress
from backend.text.tag_names import tag_key
from backend.transfer.batches import PreparedBatch
from backend.transfer.folders import projects_by_folder
from backend.transfer.models import Import, ImportRemark
from backend.transfer.options import ImportOptions
from backend.transfer.queries import KnownLink, known_links
from backend.transfer.tally import STORED_URL, Line, Tally
from backend.transfer.uniting import UnitedLink, unite

# A batch takes well under a second; what waits for a lock in one, ends after five.
LEASE_SECONDS = 60
KNOWN_ALREADY = "This link is already saved."
OVERFULL = "Tags were left out: the bookmark would have more than it may have."
MESSAGE = "Importing bookmarks"

REMEMBER = text("""
    INSERT INTO imported_ids (job_id, bookmark_id)
    SELECT CAST(:job_id AS uuid), id FROM unnest(CAST(:ids AS bigint[])) AS made(id)
""")
KEEP_EARLIEST = text("""
    UPDATE bookmarks b SET created_at = given.moment
      FROM unnest(CAST(:ids AS bigint[]), CAST(:moments AS timestamptz[])) AS given(id, moment)
     WHERE b.id = given.id AND b.created_at > given.moment
""")


@dataclass(frozen=True)
class ImportRun:
    """A file that is being imported: by which job, as which format, how, and how many records it has."""

    job: ClaimedJob
    format: str
    options: ImportOptions
    total: int


@dataclass(frozen=True)
class WrittenBatch:
    """How the import stands after a batch, and whether pages of it are to be captured."""

    tally: Tally
    is_capture_due: bool


@dataclass(frozen=True)
class _TagsLeftOut:
    """What there is no room for: all tags of these links, and these tags."""

    links: frozenset[bytes] = frozenset()
    tag_keys: frozenset[str] = frozenset()

    def and_those_of(self, fault: TooManyTags) -> _TagsLeftOut:
        return _TagsLeftOut(self.links | fault.links, self.tag_keys | fault.tag_keys)


@retry_on_conflict
def write_batch(reading: ImportRun, tally: Tally, batch: PreparedBatch) -> WrittenBatch:
    """Save the links of a batch and count its records, in one transaction.

    Raises:
        JobStopped: the job was cancelled, another worker has it, or its person has lost the right to it: nothing of
            the batch is saved.
        Unavailable: others keep changing the same tags.
    """
    left_out = _TagsLeftOut()
    for _ in range(MAX_ROUNDS):
        lines = [Line(line.record, line.outcome, list(line.reasons)) for line in batch.lines]
        try:
            saved = _save(reading, batch, lines, left_out)
        except TooManyTags as fault:
            db.session.rollback()
            left_out = left_out.and_those_of(fault)
            continue
        after = _keep(reading, tally, lines, saved)
        record_saved(reading.job.requester, ActivityType.BOOKMARK_IMPORTED, saved)
        db.session.commit()
        return WrittenBatch(after, any(end.is_capture_due for end in saved))
    raise Unavailable("Another client keeps changing these tags.")


def _save(reading: ImportRun, batch: PreparedBatch, lines: list[Line], left_out: _TagsLeftOut) -> list[SaveResult]:
    links = unite(_savable(reading, batch, lines))
    known = known_links(reading.job.requester, reading.job.id, links.keys())
    policy = reading.options.on_duplicate
    if policy != "merge":
        _end_known(lines, links, known, policy)
    for key, link in links.items():
        _leave_tags_out(key, link, lines, left_out)
    ours = {key: link for key, link in links.items() if key in known and known[key].is_ours}
    others = {key: link for key, link in links.items() if key not in ours}
    saved = _save_links(reading, batch, lines, others, "merge" if policy == "merge" else "keep")
    if ours:
        united = _save_links(reading, batch, lines, ours, "merge")
        _keep_earliest(list(zip(united, ours.values(), strict=True)))
        saved += united
    return saved


def _savable(reading: ImportRun, batch: PreparedBatch, lines: list[Line]) -> Iterator[tuple[bytes, BookmarkIn, int]]:
    projects = projects_by_folder(reading.job.requester, lines) if reading.options.folders == "projects" else {}
    for place, line in enumerate(batch.lines):
        if line.item is not None:
            attached = {"project_ids": [projects[place]]} if place in projects else {}
            yield line.key, line.item.model_copy(update=attached) if attached else line.item, place


def _end_known(
    lines: list[Line], links: dict[bytes, UnitedLink], known: Mapping[bytes, KnownLink], policy: OnDuplicate
) -> None:
    """Leave alone what was saved before the import: its lines are duplicates already, or have failed."""
    for key in [key for key in links if key in known and not known[key].is_ours]:
        link = links.pop(key)
        for place in link.places if policy == "error" else ():
            lines[place].end("failed", KNOWN_ALREADY)


def _leave_tags_out(key: bytes, link: UnitedLink, lines: list[Line], left_out: _TagsLeftOut) -> None:
    first = lines[link.places[0]]
    tags = [] if key in left_out.links else link.item.tags
    if link.has_left_tags_out or len(tags) < len(link.item.tags):
        first.reasons.append(OVERFULL)
    fitting = [name for name in tags if tag_key(name) not in left_out.tag_keys] if left_out.tag_keys else tags
    if len(fitting) < len(tags):
        most = current_settings().MAX_TAGS_PER_ORGANIZATION
        first.reasons.append(f"Tags were left out: this organization has room for {most:,}.")
    if len(fitting) < len(link.item.tags):
        link.item = link.item.model_copy(update={"tags": fitting})


def _save_links(
    reading: ImportRun,
    batch: PreparedBatch,
    lines: list[Line],
    links: dict[bytes, UnitedLink],
    on_duplicate: OnDuplicate,
) -> list[SaveResult]:
    if not links:
        return []
    items = [link.item for link in links.values()]
    saved = upsert_bookmarks(
        reading.job.requester, items, on_duplicate, "import", is_import=True, known_documents=batch.documents
    )
    for end, link in zip(saved, links.values(), strict=True):
        if end.created:
            lines[link.places[0]].outcome = "created"
        elif reading.options.on_duplicate == "error" and on_duplicate == "keep":
            for place in link.places:  # Somebody has saved it at this moment.
                lines[place].end("failed", KNOWN_ALREADY)
    return saved


def _keep_earliest(found: Sequence[tuple[SaveResult, UnitedLink]]) -> None:
    dated = [(end.id, link.item.created_at) for end, link in found if link.item.created_at]
    if dated:
        values = {"ids": [id_ for id_, _ in dated], "moments": [moment for _, moment in dated]}
        db.session.execute(KEEP_EARLIEST, values)


def _keep(reading: ImportRun, tally: Tally, lines: Sequence[Line], saved: Sequence[SaveResult]) -> Tally:
    """Write down what was done, in the transaction that does it."""
    job_id, after = reading.job.id, tally.plus(lines)
    made = [end.id for end in saved if end.created]
    if made:
        db.session.execute(REMEMBER, {"job_id": job_id, "ids": made})
    remarks = list(_remarks(reading, tally.position, lines))
    if remarks:
        db.session.execute(insert(ImportRemark), remarks)
    here = update(Import).where(Import.job_id == job_id, Import.position == tally.position)
    values = {**after.counts(), "position": after.position}
    if db.session.scalar(here.values(**values).returning(Import.job_id)) is None:
        raise JobStopped  # Another worker has been here.
    total = max(reading.total, after.position)
    keep_progress(
        reading.job, after.result(reading.format), after.position, total, MESSAGE, lease_seconds=LEASE_SECONDS
    )
    return after


def _remarks(reading: ImportRun, start: int, lines: Sequence[Line]) -> Iterator[dict[str, Any]]:
    for position, line in enumerate(lines, start):
        if line.reasons:
            outcome = "mended" if line.is_taken else line.outcome
            told = {"line": line.record.line, "url": _storable(line.record.url), "reason": _storable(line.reason)}
            yield {"job_id": reading.job.id, "position": position, "outcome": outcome, **told}


def _storable(value: str) -> str:
    return value[:STORED_URL].replace("\x00", "").encode("utf-8", "replace").decode()
