"""/api/openapi.json and /api/docs: complete offline, without a line of inline script."""

from __future__ import annotations

from importlib.resources import files

from flask import Blueprint, Response, current_app, jsonify, request

from backend.errors import NotFound
from backend.http.openapi.document import openapi_document
from backend.http.operations import operation

blueprint = Blueprint("docs", __name__, url_prefix="/api")
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fuze API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{base}/api/docs/assets/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{base}/api/docs/assets/swagger-ui-bundle.js"></script>
<script src="{base}/api/docs/assets/start.js"></script>
</body>
</html>
"""
START = """window.ui = SwaggerUIBundle({
  url: "{base}/api/openapi.json",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  validatorUrl: null,
});
"""
# Swagger UI (Apache-2.0), as the package flask-swagger-ui ships it.
SHIPPED = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}


@blueprint.get("/openapi.json")
@operation(scope=None, limit="read", tag="docs", responses={200: None}, media_types=("application/json",))
def read_document() -> Response:
    """Read the OpenAPI document."""
    document = openapi_document(current_app)
    servers = [{**server, "url": request.script_root or server["url"]} for server in document["servers"]]
    return jsonify({**document, "servers": servers})


@blueprint.get("/docs", strict_slashes=False)
@operation(scope=None, limit="read", tag="docs", responses={200: None}, media_types=("text/html",))
def read_page() -> Response:
    """Read about the API as a person."""
    return Response(_below_base(PAGE), mimetype="text/html")


@blueprint.get("/docs/assets/<name>")
@operation(scope=None, limit="read", tag="docs", responses={200: None}, media_types=("text/javascript", "text/css"))
def read_asset(name: str) -> Response:
    """Read a script or style of that page."""
    if name == "start.js":
        return Response(_below_base(START), mimetype="text/javascript")
    if name not in SHIPPED:
        raise NotFound
    content = files("flask_swagger_ui").joinpath("dist", name).read_bytes()
    return Response(content, mimetype=SHIPPED[name], headers={"Cache-Control": "public, max-age=86400"})


def _below_base(text: str) -> str:
    """Return the text with the browser's addresses, below the path at which a proxy serves the application."""
    return text.replace("{base}", request.script_root)
