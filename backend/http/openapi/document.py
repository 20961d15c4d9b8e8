"""The OpenAPI 3.1 document: what the routes declare, completed with what holds for all of them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Flask

from backend.http.openapi.examples import BY_MEDIA_TYPE, example_of, problem_example
from backend.http.operations import Operation, declared_operation, spec
from backend.http.problems import phrase
from backend.http.schemas import OptionalRequestBody
from backend.http.validation import JSON_TYPES_OF_PATCH
from config import VERSION

DESCRIPTION = "Save links, have them read, find them again by word and by meaning, and use them for your work."
PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}
ORGANIZATION_HEADER = {
    "name": "X-Organization-ID",
    "in": "header",
    "required": False,
    "description": "The organization to act in; default: the personal one",
    "schema": {"type": "integer", "format": "int64", "minimum": 1},
}
HEADERS = {
    "X-Request-ID": (
        "Finds the request in the server's logs",
        {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
    ),
    "Location": ("Where to look next", {"type": "string", "format": "uri-reference"}),
    "WWW-Authenticate": ("How to authenticate", {"type": "string"}),
    "Retry-After": ("Seconds to wait", {"type": "integer", "minimum": 1}),
}
HEADERS_OF = {
    202: ["Location"],
    302: ["Location"],
    401: ["WWW-Authenticate"],
    429: ["Retry-After"],
    503: ["Retry-After"],
}
CONVERTER_SCHEMAS = {"id": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 10**18 - 1}}
# Generated clients call operations by their ids: a view keeps its id when it moves to another blueprint.
ID_PREFIXES = {"registration": "auth"}


def openapi_document(app: Flask) -> dict[str, Any]:
    """Return the document of an application; built once for each."""
    if "openapi_document" not in app.extensions:
        with app.app_context():
            app.extensions["openapi_document"] = _complete(app, spec._generate_spec())
    document: dict[str, Any] = app.extensions["openapi_document"]
    return document


def _complete(app: Flask, document: dict[str, Any]) -> dict[str, Any]:
    document["openapi"] = "3.1.0"
    document["info"] = {"title": "Fuze", "version": VERSION, "description": DESCRIPTION}
    document["servers"] = [{"url": "/", "description": "The server that gives out this document"}]
    document["security"] = []
    document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    document["components"]["headers"] = {
        name: {"description": description, "schema": schema} for name, (description, schema) in HEADERS.items()
    }
    for rule in app.url_map.iter_rules():
        declared = declared_operation(app, rule.endpoint)
        path = _template(rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            if declared is not None:
                operation = document["paths"][path][method.lower()]
                operation["operationId"] = _operation_id(rule.endpoint)
                _add_scheme(document["components"]["securitySchemes"], declared)
                _complete_operation(operation, declared)
                _add_examples(operation, declared, document["components"])
                if method == "PATCH":
                    content = operation["requestBody"]["content"]
                    content |= dict.fromkeys(JSON_TYPES_OF_PATCH, content["application/json"])
    return document


def _complete_operation(operation: dict[str, Any], declared: Operation) -> None:
    if "requestBody" in operation:
        operation["requestBody"]["description"] = f"At most {declared.body_limit >> 20} MiB"
        operation["requestBody"]["required"] = not _is_omittable(operation["requestBody"])
    if declared.scope is not None:
        operation["security"] = [{name: []} for name in _security_schemes(declared)]
        operation["x-scope"] = declared.scope
        operation["parameters"].append(ORGANIZATION_HEADER)
    operation["x-rate-limit-class"] = declared.limit
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            _complete_path_parameter(parameter)
    responses = operation["responses"]
    if declared.dialect is not None:
        # Input that breaks a rule is a 400 there.
        responses.pop("422", None)
    for status in _refusals(operation, declared):
        if declared.responses.get(status) is None:
            more = (
                f": more than {declared.body_limit >> 20} MiB" if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else ""
            )
            responses[str(status)] = {"description": phrase(status) + more, "content": _problem(status)}
    for shown in (name for name in ("200", "206") if name in responses and declared.media_types):
        responses[shown]["content"] = {
            name: {"schema": {} if name == "application/json" else {"type": "string"}} for name in declared.media_types
        }
    for status, response in responses.items():
        names = ["X-Request-ID", *HEADERS_OF.get(int(status), [])]
        response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    operation["responses"] = dict(sorted(responses.items()))


def _security_schemes(declared: Operation) -> list[str]:
    return [declared.dialect.scheme_name, "bearer"] if declared.dialect else ["bearer"]


def _add_scheme(schemes: dict[str, Any], declared: Operation) -> None:
    if declared.dialect is not None:
        schemes[declared.dialect.scheme_name] = declared.dialect.scheme


def _problem(status: int) -> dict[str, Any]:
    told = {phrase(status): {"$ref": f"#/components/examples/{status}"}}
    return {"application/problem+json": {"schema": PROBLEM_SCHEMA, "examples": told}}


def _add_examples(operation: dict[str, Any], declared: Operation, components: dict[str, Any]) -> None:
    """Add an example to each body; refusals share one for each status."""
    told = components.setdefault("examples", {})
    for status in (int(status) for status in operation["responses"] if int(status) >= 400):
        told.setdefault(str(status), {"summary": phrase(status), "value": problem_example(status)})
    bodies = [operation["requestBody"]["content"]] if "requestBody" in operation else []
    bodies += [response["content"] for response in operation["responses"].values() if "content" in response]
    for content in bodies:
        for name, media in content.items():
            if "examples" not in media and declared.media_types and media["schema"] in ({}, {"type": "string"}):
                media["example"] = BY_MEDIA_TYPE.get(name, "")
            elif "examples" not in media:
                media["example"] = example_of(media["schema"], components["schemas"])


def _is_omittable(body: dict[str, Any]) -> bool:
    reference = body["content"].get("application/json", {}).get("schema", {}).get("$ref", "")
    return reference.rpartition("/")[2] in {model.__name__ for model in OptionalRequestBody.__subclasses__()}


def _refusals(operation: dict[str, Any], declared: Operation) -> list[int]:
    told = {status for status in declared.responses if status >= 400}
    if declared.dialect is not None:
        return sorted(told)
    statuses = {422, *told}
    if declared.limit != "exempt":
        statuses |= {429, 503}
    if declared.scope is not None:
        statuses |= {401, 403, 404}
    if any(parameter["in"] == "path" for parameter in operation["parameters"]):
        statuses.add(404)
    if "requestBody" in operation:
        statuses |= {400, 413, 415}
    return sorted(statuses)


def _complete_path_parameter(parameter: dict[str, Any]) -> None:
    if parameter["schema"] is None:
        parameter["schema"] = CONVERTER_SCHEMAS["id"]
    parameter["description"] = parameter["description"] or parameter["name"].replace("_", " ").capitalize()


def _template(rule: str) -> str:
    parts = rule.replace("<", "{").replace(">", "}").split("{")
    return parts[0] + "".join("{" + part.partition(":")[2] if ":" in part else "{" + part for part in parts[1:])


def _operation_id(endpoint: str) -> str:
    blueprint, _, view = endpoint.rpartition(".")
    return f"{ID_PREFIXES.get(blueprint, blueprint)}_{view}"
