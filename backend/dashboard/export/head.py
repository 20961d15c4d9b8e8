"""What a file says about itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backend.dashboard.export.tables import Period


@dataclass(frozen=True)
class ExportHead:
    """The organization of an export, the time at which it is written, and its period."""

    organization_id: int
    organization_name: str
    written_at: datetime
    period: Period

    def told(self) -> dict[str, Any]:
        """Return this as values of JSON."""
        organization = {"id": self.organization_id, "name": self.organization_name}
        bounds = {"from": self.period.since, "to": self.period.until}
        return {"organization": organization, "exported_at": self.written_at, **bounds}
