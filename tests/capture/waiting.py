"""Bookmarks that wait for their capture, made below the API: many at once, of many people and hosts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import text

from backend.capture.extract.indexed_page import read_page
from backend.capture.fetch import fetch_page
from backend.capture.service import MAX_ATTEMPTS, NEVER_FINISHED, Outcome, capture_outcome, fetch_policy, store_outcome
from backend.capture.turns import Claim, ClaimLimits, claim_next
from backend.extensions import current_settings, db
from backend.outbound.failures import FetchError
from tests.support.api import Api

ADD = text("""
    INSERT INTO bookmarks (organization_id, user_id, url, url_hash, domain, capture_status, capture_due_at,
                           capture_priority)
    SELECT :organization, :person, 'https://' || host || '/' || place,
           sha256(convert_to(:seed || host || place, 'UTF8')),
           host, 'pending', now() - interval '1 minute' + place * interval '1 ms', :priority
      FROM unnest(CAST(:hosts AS text[])) WITH ORDINALITY AS given(host, place)
    RETURNING id
""")
READ_ALL = ClaimLimits(free=10, per_person=10, alone=10, per_host=10)
# As many as can be taken, unless a test says otherwise.
PLACES = ClaimLimits(free=10, per_person=2, alone=8, per_host=2)


def add_waiting(person: Api, hosts: Iterable[str], *, priority: int = 0) -> list[int]:
    """A bookmark of a person for each of the hosts, the first waiting longest; within an application context."""
    values = {
        "organization": person.organization_id,
        "person": person.user_id,
        "hosts": list(hosts),
        "priority": priority,
        "seed": f"{person.user_id}.{priority}.",
    }
    ids = list(db.session.scalars(ADD, values))
    db.session.commit()
    return ids


def claim(
    places: ClaimLimits = PLACES, here: dict[int, int] | None = None, busy: Iterable[str] = (), after: int = 0
) -> Any:
    """What is to be read next."""
    claims: list[Claim] = claim_next(places, here=here or {}, busy=list(busy), after=after)
    return claims


def capture(bookmark_id: int) -> Outcome:
    """Read the page of a bookmark in this process, as a run does it, if its time has come."""
    taken = [one for one in claim(READ_ALL) if one.bookmark_id == bookmark_id]
    if not taken:
        return capture_outcome(bookmark_id)
    if taken[0].attempt > MAX_ATTEMPTS:
        return store_outcome(taken[0], NEVER_FINISHED)
    try:
        reading = read_page(fetch_page(taken[0].url, fetch_policy(current_settings())), taken[0].page_average)
    except FetchError as failure:
        return store_outcome(taken[0], failure)
    return store_outcome(taken[0], reading)
