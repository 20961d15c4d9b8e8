"""Header values that responses through Flask and from the fast path share."""

from __future__ import annotations

JSON = "application/json"
# For the caller alone, and to be revalidated each time.
PRIVATE = "private, no-cache"
VARY = "Authorization, X-Organization-ID"
