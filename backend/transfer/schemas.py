"""What comes in under /bookmarks/import."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from backend.bookmarks.schemas import OnDuplicate
from backend.http.field_types import QueryBoolean, SafeText, UploadedFile
from backend.http.schemas import FormBody, QueryParams

Folders = Literal["tags", "projects", "ignore"]
FORMAT = "The name of a format, or auto: it is known by the content, whatever the file is called"
ON_DUPLICATE = (
    "Of links that are saved already. merge (default): unite tags, fill empty fields, set marks that are true; "
    "keep: leave them; error: count the line as failed"
)
CAPTURE = "Fetch and read the pages in the background, after what is saved singly (default: true)"
FOLDERS = "What becomes of folders. tags (default): a tag for each; projects: a project for each path; ignore"


class ImportQuery(QueryParams):
    """How to import; the fields of the form say the same, and the query wins."""

    format: SafeText | None = Field(None, max_length=40, description=FORMAT)
    on_duplicate: OnDuplicate | None = Field(None, description=ON_DUPLICATE)
    capture: QueryBoolean | None = Field(None, description=CAPTURE)
    folders: Folders | None = Field(None, description=FOLDERS)


class ImportForm(FormBody):
    """A file of bookmarks, and how to import it."""

    file: UploadedFile = Field(description="At most 64 MiB")
    format: SafeText = Field("auto", max_length=40, description=FORMAT)
    on_duplicate: OnDuplicate = Field("merge", description=ON_DUPLICATE)
    capture: QueryBoolean | None = Field(None, description=CAPTURE)
    folders: Folders = Field("tags", description=FOLDERS)
