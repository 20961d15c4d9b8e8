"""/metrics, for Prometheus."""

from __future__ import annotations

from flask import Blueprint, Response, request

from backend.extensions import current_settings
from backend.http.middleware.proxies import PEER
from backend.http.operations import operation
from backend.metrics.access import authorize_scrape
from backend.metrics.service import OPEN_METRICS, render_metrics

blueprint = Blueprint("metrics", __name__, url_prefix="/metrics")


@blueprint.get("")
@operation(
    scope=None,
    limit="exempt",
    tag="health",
    responses={200: None, 401: None, 403: None},
    media_types=("text/plain", OPEN_METRICS),
)
def read_metrics() -> Response:
    """Read the metrics of all processes, in the text format of Prometheus or in OpenMetrics."""
    authorize_scrape(current_settings(), request.headers, request.environ.get(PEER, ""))
    text, content_type = render_metrics(request.accept_mimetypes)
    return Response(text, content_type=content_type, headers={"Cache-Control": "no-store"})
