"""Restores what a JSON export holds beside bookmarks: tags, projects, tasks, attachments, pages, feedback.

An import job first saves the bookmarks that `formats/fuze_json.py` reads, then runs this in steps:

    for position in restore_account(actor, file, position):
        keep the position with the job; commit; say how far it is; stop if the job is cancelled

In the end it sends `embed_subjects_message()` and announces the change of the organization. Importing a file twice adds
nothing: `restore/` tells how each kind is matched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

from backend.actor import Actor
from backend.transfer.formats.fuze_json import check_version, read_section
from backend.transfer.records import SkippedLine
from backend.transfer.restore.attachments import restore_attachments
from backend.transfer.restore.feedback import restore_feedback
from backend.transfer.restore.items import RestoredIds
from backend.transfer.restore.projects import restore_projects, restore_tags
from backend.transfer.restore.tasks import restore_tasks

BATCH = 200
Restore = Callable[[Actor, int, Sequence[Any], RestoredIds], list[SkippedLine]]


@dataclass(frozen=True)
class RestoreStage:
    """A section of the file.

    Attributes:
        name: What it is called in the file.
        scope: What the actor must be allowed to do.
        restore: Puts a batch of it back, given the number of its first item.
        makes_ids: Whether later sections refer to its items: a restore that goes on runs through it once more.
    """

    name: str
    scope: str
    restore: Restore
    makes_ids: bool = False


STAGES = (
    RestoreStage("tags", "bookmarks:write", restore_tags),
    RestoreStage("projects", "projects:write", restore_projects, makes_ids=True),
    RestoreStage("tasks", "tasks:write", restore_tasks, makes_ids=True),
    RestoreStage("bookmarks", "bookmarks:write", restore_attachments),
    RestoreStage("feedback", "recommendations:write", restore_feedback),
)


@dataclass(frozen=True, slots=True)
class RestorePosition:
    """How far a restore has come. Numbers only: a job can keep it as JSON.

    Attributes:
        stage: Which of `STAGES` is under way; their number once all is done.
        items: How many items of that section are done.
        skipped: What the last step left out, and why; `line` is the item's place in its section, from 1.
    """

    stage: int = 0
    items: int = 0
    skipped: tuple[SkippedLine, ...] = ()

    @property
    def is_complete(self) -> bool:
        return self.stage == len(STAGES)


def restore_account(actor: Actor, file: BinaryIO, position: RestorePosition | None = None) -> Iterator[RestorePosition]:
    """Restore a batch for each step, in the caller's transaction; the caller commits after each.

    Args:
        actor: Who imports; sections that they may not write are left out, and said to be.
        file: A JSON export of ours, seekable.
        position: The last one that was committed, to go on from there; None to begin.

    Raises:
        UnreadableFile: the file is of a later version, cut off, or no JSON.
    """
    check_version(file)
    begun = position or RestorePosition()
    again = RestorePosition(begun.stage, begun.items)
    ids = RestoredIds()
    for number, stage in enumerate(STAGES):
        if number < begun.stage and not stage.makes_ids:
            continue
        done = begun.items if number == begun.stage and not stage.makes_ids else 0
        for step in _run(stage, number, done, actor, file, ids):
            # What was told before is not told again.
            yield again if (number, step.items) <= (begun.stage, begun.items) else step
    yield RestorePosition(len(STAGES))


def _run(
    stage: RestoreStage, number: int, done: int, actor: Actor, file: BinaryIO, ids: RestoredIds
) -> Iterator[RestorePosition]:
    items = islice(read_section(file, stage.name), done, None)
    may = actor.may(stage.scope)
    while batch := list(islice(items, BATCH)):
        if not may:
            reason = f"{stage.name}: you may not change these here; they are left out"
            yield RestorePosition(number, done, (SkippedLine(1, "", reason),))
            return
        skipped = stage.restore(actor, done + 1, batch, ids)
        done += len(batch)
        yield RestorePosition(number, done, tuple(skipped))
