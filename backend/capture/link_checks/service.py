"""Which links are checked next, and what the result of a check changes. Every function commits once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from backend.capture.failures import REASONS
from backend.capture.fetch import LinkStatus
from backend.extensions import current_settings, db
from backend.http.response_cache.invalidation import invalidate_bookmark
from backend.named_blocks import read_statements
from backend.outbound.failures import FetchError

ARCHIVE = "https://web.archive.org/web/"
# On so many days nothing has to answer before a link counts as dead.
MOST_FAILURES = 3
GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
# These say nothing about the page: it is looked for another day.
UNDECIDED = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
LONGEST_VALIDATOR = 500
SCHEDULED_AT_ONCE, LOOKED_AT = 5_000, 10_000
LEASE_SECONDS = 900


SQL = read_statements(__file__)


@dataclass(frozen=True)
class LinkClaim:
    """A link that this process checks; `is_checked` is false where there is nothing to check at the moment."""

    bookmark_id: int
    organization_id: int
    url: str
    host: str
    etag: str | None
    last_modified: str | None
    is_checked: bool

    @property
    def validators(self) -> dict[str, str]:
        """The headers of a conditional request (RFC 9110, 13.1)."""
        known = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in known.items() if value}


def schedule_checks() -> None:
    """Schedule the first check of every captured bookmark that has none, in batches; nothing while checks are off."""
    days = current_settings().LINK_CHECK_DAYS
    last: int | None = 0 if days else None
    while last is not None:
        values = {"after": last, "limit": SCHEDULED_AT_ONCE, "days": days}
        last = db.session.scalar(SQL["schedule"], values)
        db.session.commit()


def claim_links(free: int, busy: Sequence[str]) -> list[LinkClaim]:
    """Take so many links that are due, none of a host that is busy."""
    # Not `leases.DueRows`: turns by person and host choose the rows. Without a fence: results name the URL they are of,
    # and a check that comes late says what a second one would.
    values = {"free": free, "busy": list(busy), "looked_at": LOOKED_AT, "lease": LEASE_SECONDS}
    claims = [LinkClaim(*row) for row in db.session.execute(SQL["claim"], values)]
    db.session.commit()
    return claims


def put_off(claim: LinkClaim, days: int) -> None:
    """Check a link another day."""
    db.session.execute(SQL["put_off"], {"bookmark_id": claim.bookmark_id, "days": days})
    db.session.commit()


def settle_check(claim: LinkClaim, result: LinkStatus | FetchError) -> None:
    """Write the result of a check."""
    if isinstance(result, FetchError):
        _fail(claim, result.reason)
    elif result.status in GONE:
        _fail(claim, REASONS[result.status], is_gone=True)
    elif result.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _fail(claim, f"The site has trouble of its own ({result.status}).")
    elif result.status in UNDECIDED:
        put_off(claim, 1)
    else:
        _recover(claim, result)


def _fail(claim: LinkClaim, reason: str, *, is_gone: bool = False) -> None:
    told = f"{reason} The Internet Archive may have a copy: {ARCHIVE}{claim.url}"
    values = {"url": claim.url, "reason": told, "is_gone": is_gone, "most_failures": MOST_FAILURES}
    is_marked = bool(_execute("fail", claim, **values))
    if is_marked:
        db.session.execute(SQL["set_dead"], {"bookmark_id": claim.bookmark_id})
    _end(claim, is_changed=is_marked)


def _recover(claim: LinkClaim, answer: LinkStatus) -> None:
    is_same = answer.status == HTTPStatus.NOT_MODIFIED
    etag = claim.etag if is_same else _validator(answer.etag)
    last_modified = claim.last_modified if is_same else _validator(answer.last_modified)
    is_unmarked = bool(_execute("recover", claim, url=claim.url, etag=etag, last_modified=last_modified))
    _end(claim, is_changed=is_unmarked)


def _end(claim: LinkClaim, *, is_changed: bool) -> None:
    values = {"bookmark_id": claim.bookmark_id, "days": current_settings().LINK_CHECK_DAYS}
    db.session.execute(SQL["schedule_next"], values)
    db.session.commit()
    if is_changed:
        invalidate_bookmark(claim.organization_id, claim.bookmark_id, retagged=False)


def _execute(name: str, claim: LinkClaim, **values: Any) -> int:
    return db.session.scalar(SQL[name], {"bookmark_id": claim.bookmark_id, **values}) or 0


def _validator(value: str | None) -> str | None:
    """The value, if it can be sent back as it came."""
    usable = value is not None and len(value) <= LONGEST_VALIDATOR and value.isascii() and value.isprintable()
    return value if usable else None
