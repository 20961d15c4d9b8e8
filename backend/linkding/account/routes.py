"""/linkding/health and /linkding/api/user."""

from __future__ import annotations

from flask import Blueprint

from backend.linkding.account import service
from backend.linkding.account.schemas import LinkdingHealthOut, PreferencesOut
from backend.linkding.operations import linkding_operation

blueprint = Blueprint("linkding_account", __name__, url_prefix="/linkding")
UNCACHED = {"Cache-Control": "no-store"}


@blueprint.get("/health/", strict_slashes=False)
@linkding_operation(scope=None, limit="exempt", responses={200: LinkdingHealthOut, 500: LinkdingHealthOut})
def read_health() -> tuple[LinkdingHealthOut, int, dict[str, str]]:
    """Report the version of linkding that is spoken, and whether it can answer."""
    health = service.check_health()
    return health, 200 if health.status == "healthy" else 500, UNCACHED


@blueprint.get("/api/user/profile/", strict_slashes=False)
@linkding_operation(scope="any", limit="read", responses={200: PreferencesOut})
def read_profile() -> PreferencesOut:
    """Read the preferences of linkding's own pages."""
    return PreferencesOut()
