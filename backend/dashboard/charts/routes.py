"""/dashboard/charts: statistics and insights as pictures."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response

from backend.actor import Actor
from backend.dashboard.charts import queries
from backend.dashboard.charts.drawing import MEDIA_TYPE, draw
from backend.http.operations import operation

blueprint = Blueprint("dashboard_charts", __name__, url_prefix="/dashboard/charts")
picture = partial(
    operation,
    scope="dashboard:read",
    limit="dashboard",
    tag="dashboard",
    responses={200: None},
    media_types=(MEDIA_TYPE,),
)


@blueprint.get("/activity.svg")
@picture(cache="statistics")
def draw_activity(actor: Actor) -> Response:
    """Draw what an organization has done on each of the last thirty days."""
    return Response(draw(queries.activity_chart(actor)), mimetype=MEDIA_TYPE)


@blueprint.get("/growth.svg")
@picture(cache="statistics")
def draw_growth(actor: Actor) -> Response:
    """Draw what an organization has added in twelve months."""
    return Response(draw(queries.growth_chart(actor)), mimetype=MEDIA_TYPE)


@blueprint.get("/tags.svg")
@picture(cache="dashboard")
def draw_tags(actor: Actor) -> Response:
    """Draw which tags you have saved most, and whether more than before."""
    return Response(draw(queries.tags_chart(actor)), mimetype=MEDIA_TYPE)


@blueprint.get("/reading.svg")
@picture(cache="dashboard")
def draw_reading(actor: Actor) -> Response:
    """Draw how much you have read in each of the last twelve weeks."""
    return Response(draw(queries.reading_chart(actor)), mimetype=MEDIA_TYPE)
