"""/metrics, for Prometheus."""

from __future__ import annotations

from flask import Blueprint, Response, request
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from backend.extensions import current_settings
from backend.http.middleware.proxies import PEER
from backend.http.operations import operation
from backend.metrics.access import authorize_scrape
from backend.metrics.service import render_metrics

blueprint = Blueprint("metrics", __name__, url_prefix="/metrics")


@blueprint.get("")
@operation(
    scope=None, limit="exempt", tag="health", responses={200: None, 401: None, 403: None}, media_types=("text/plain",)
)
def read_metrics() -> Response:
    """Read the metrics of all processes, in the text format of Prometheus."""
    authorize_scrape(current_settings(), request.headers, request.environ.get(PEER, ""))
    return Response(render_metrics(), content_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"})
