"""What comes in under /digests."""

from __future__ import annotations

from pydantic import Field

from backend.http.field_types import SafeText
from backend.http.schemas import QueryParams


class UnsubscribeQuery(QueryParams):
    """The token of a mailed link."""

    token: SafeText = Field(min_length=1, max_length=256, description="`token` of the link in the mail")
