"""What comes in under /dashboard/export."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from backend.http.field_types import Timestamp
from backend.http.schemas import RequestBody

TableFormat = Literal["json", "csv", "xlsx"]


class DashboardExportIn(RequestBody):
    """What the file holds, and its format."""

    model_config = ConfigDict(validate_by_name=False, validate_by_alias=True)

    format: TableFormat = Field(description="csv is a zip of one file for each table")
    include_history: bool = Field(False, description="true: the activity log too")
    since: Timestamp | None = Field(None, alias="from", description="Only what was created then or later")
    until: Timestamp | None = Field(None, alias="to", description="Only what was created before")
