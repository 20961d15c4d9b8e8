"""Reading bundles, and what one leaves of the bookmarks."""

from __future__ import annotations

import re
from typing import cast

from sqlalchemy import ColumnElement, func, select

from backend.actor import Actor
from backend.errors import NotFound
from backend.extensions import db
from backend.http.field_types import MAX_ID
from backend.linkding.bookmarks.expressions import all_of, any_of, opposite, tagged
from backend.linkding.bookmarks.filters import Narrowing
from backend.linkding.bookmarks.search import read_search
from backend.linkding.bundles.models import Bundle
from backend.linkding.bundles.schemas import BundleOut, FilterState
from backend.linkding.pages import ListPart, OffsetRange, fitting

ID = re.compile(r"[0-9]{1,19}")


def mine(actor: Actor) -> ColumnElement[bool]:
    """Select bundles of the actor's organization."""
    return Bundle.organization_id == actor.organization_id


def list_bundles(actor: Actor, window: OffsetRange) -> ListPart[BundleOut]:
    """Read the bundles in a window, in their order. Two statements."""
    statement = select(Bundle).where(mine(actor)).order_by(Bundle.position, Bundle.id)
    rows = db.session.scalars(statement.limit(window.rows).offset(window.offset)).all()
    count = db.session.scalar(select(func.count(Bundle.id)).where(mine(actor))) or 0
    return ListPart(fitting(map(bundle_out, rows)), count, window)


def get_bundle(actor: Actor, bundle_id: int) -> BundleOut:
    """Read the bundle, if it is the organization's.

    Raises:
        NotFound: it is not, or never was.
    """
    bundle = find_bundle(actor, bundle_id)
    if bundle is None:
        raise NotFound
    return bundle_out(bundle)


def find_bundle(actor: Actor, bundle_id: int) -> Bundle | None:
    """Find the row of the bundle, if it is the organization's."""
    return db.session.scalar(select(Bundle).where(mine(actor), Bundle.id == bundle_id))


def narrowing_of(actor: Actor, written_id: str) -> Narrowing:
    """Tell what the bundle with this id leaves of the bookmarks: all, where there is none, as in linkding."""
    bundle_id = int(written_id) if ID.fullmatch(written_id) else 0
    bundle = find_bundle(actor, bundle_id) if 0 < bundle_id <= MAX_ID else None
    return Narrowing() if bundle is None else _narrowing(bundle)


def bundle_out(row: Bundle) -> BundleOut:
    """Put a bundle into the API's shape."""
    return BundleOut(
        id=row.id,
        name=row.name,
        search=row.search,
        any_tags=row.any_tags,
        all_tags=row.all_tags,
        excluded_tags=row.excluded_tags,
        filter_unread=cast(FilterState, row.filter_unread),
        filter_shared=cast(FilterState, row.filter_shared),
        order=row.position,
        date_created=row.created_at,
        date_modified=row.updated_at,
    )


def _narrowing(bundle: Bundle) -> Narrowing:
    expressions = [read_search(bundle.search)]
    if bundle.any_tags.split():
        expressions.append(any_of(map(tagged, bundle.any_tags.split())))
    expressions += [tagged(name) for name in bundle.all_tags.split()]
    expressions += [opposite(tagged(name)) for name in bundle.excluded_tags.split()]
    return Narrowing(all_of(expressions), bundle.filter_unread, bundle.filter_shared)
