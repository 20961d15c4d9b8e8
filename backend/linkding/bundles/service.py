"""What linkding's clients do with bundles. Every public function commits once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select, update

from backend.actor import Actor
from backend.clock import utc_now
from backend.database import again_after_lost_race
from backend.errors import Invalid, NotFound
from backend.extensions import db
from backend.linkding.bundles.models import Bundle
from backend.linkding.bundles.queries import bundle_out, mine
from backend.linkding.bundles.schemas import BundleIn, BundleOut, BundlePatch

MOST_BUNDLES = 1_000


def create_bundle(actor: Actor, item: BundleIn) -> BundleOut:
    """Store a search, as the last one unless its place is given.

    Raises:
        Invalid: the organization has as many bundles as it may have.
    """
    count, last = db.session.execute(select(func.count(Bundle.id), func.max(Bundle.position)).where(mine(actor))).one()
    if count >= MOST_BUNDLES:
        raise Invalid.field("body.name", f"There is room for {MOST_BUNDLES} bundles.", "too_many_bundles")
    values = {"position": 0 if last is None else min(last + 1, 2**31 - 1), **_values(item)}
    bundle = Bundle(organization_id=actor.organization_id, user_id=actor.user_id, **values)
    db.session.add(bundle)
    db.session.flush()
    made = bundle_out(bundle)
    db.session.commit()
    return made


def update_bundle(actor: Actor, bundle_id: int, patch: BundlePatch) -> BundleOut:
    """Change what is given.

    Raises:
        NotFound: there is no such bundle.
    """
    values = {**_values(patch), "updated_at": utc_now()}
    statement = update(Bundle).where(mine(actor), Bundle.id == bundle_id).values(**values).returning(Bundle)
    bundle = db.session.scalar(statement)
    if bundle is None:
        raise NotFound
    changed = bundle_out(bundle)
    db.session.commit()
    return changed


@again_after_lost_race
def delete_bundle(actor: Actor, bundle_id: int) -> None:
    """Delete a bundle; those after it move up.

    Raises:
        NotFound: there is no such bundle.
    """
    position = db.session.scalar(delete(Bundle).where(mine(actor), Bundle.id == bundle_id).returning(Bundle.position))
    if position is None:
        raise NotFound
    after = update(Bundle).where(mine(actor), Bundle.position > position)
    db.session.execute(after.values(position=Bundle.position - 1))
    db.session.commit()


def _values(patch: BundlePatch) -> dict[str, Any]:
    """Put what a client has sent into the names of the columns."""
    sent = {name: getattr(patch, name) for name in patch.model_fields_set}
    if "order" in sent:
        sent["position"] = sent.pop("order")
    return sent
