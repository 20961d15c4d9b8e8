"""How a person wants a file to be imported: kept with the job, as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from backend.bookmarks.schemas import OnDuplicate
from backend.transfer.schemas import Folders, ImportForm, ImportQuery


@dataclass(frozen=True)
class ImportOptions:
    """How to import. `capture` is None where nothing was said: new links are captured, known ones are left."""

    format: str = "auto"
    on_duplicate: OnDuplicate = "merge"
    capture: bool | None = None
    folders: Folders = "tags"

    @classmethod
    def of(cls, query: ImportQuery, form: ImportForm) -> ImportOptions:
        """Take what a request says: the query wins."""
        said = {name: getattr(query, name) for name in query.model_fields_set}
        meant = {name: getattr(form, name) for name in ("format", "on_duplicate", "capture", "folders")}
        return cls(**(meant | {name: value for name, value in said.items() if value is not None}))

    @classmethod
    def from_arguments(cls, arguments: dict[str, Any]) -> ImportOptions:
        """Read what `as_arguments` wrote."""
        return cls(**arguments)

    def as_arguments(self) -> dict[str, Any]:
        """Write it as a job's arguments."""
        return asdict(self)
