"""An example for every body that comes in or goes out: from the examples of its fields, else by what they are called.

In go the schemas of the OpenAPI document, out come values that the schemas take (tests/http/openapi/test_examples.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.http.problems import phrase

Schema = Mapping[str, Any]
TIME, DAY = "2026-01-31T12:00:00Z", "2026-01-31"
UUID = "0b6f3c52-8f0e-4c55-9d2e-6a5d0f4b7c11"
REQUEST_ID = "5f2c9a4e7d1b4c0e8a3f6b9d2e1c7a40"
# By the names of fields, for those that bring no example of their own. A name that stands for several kinds of things
# has one example of each: the first that fits is taken.
BY_NAME: dict[str, tuple[Any, ...]] = {
    "access_token": ("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl",),
    "api_key": ("sk-example-key-of-the-provider",),
    "api_key_hint": ("…1234",),
    "author": ("Ada Lovelace",),
    "base_url": ("https://llm.example.org/v1",),
    "byline": ("Ada Lovelace",),
    "code": ("missing", "query_timeout"),
    "current_password": ("correct horse battery",),
    "description": ("How indexes of PostgreSQL are built and used.",),
    "detail": ("A field is missing.", {"address": "192.0.2.7"}),
    "domain": ("example.org",),
    "email": ("ada@example.org",),
    "available": (True,),
    "completed_at": (None,),
    "connected": (True,),
    "current": (True,),
    "deleted_at": (None,),
    "disabled_at": (None,),
    "error": (None, "The page took too long to answer."),
    "field": ("body.url",),
    "finished_at": (None,),
    "has_api_key": (True,),
    "html": ("<p>An index is a sorted copy of a column.</p>",),
    "image_url": ("https://example.org/indexes.png",),
    "instance": ("/api/v1/bookmarks",),
    "ip": ("192.0.2.7",),
    "is_read": (True,),
    "kind": ("tag",),
    "language": ("en",),
    "message": ("Field required",),
    "model": ("gpt-5-mini",),
    "name": ("Reading list",),
    "next_cursor": (None,),
    "parent_id": (None,),
    "note": ("Compare with what we do.",),
    "notes": ("Read before the migration.",),
    "password": ("correct horse battery",),
    "new_password": ("another long password",),
    "prefix": ("fz_8ZkQ",),
    "provider": ("own",),
    "reason": (None, "No language model is set."),
    "reasons": (["has the word “index” in common"],),
    "refresh_token": ("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI3IiwicmUiOjF9.c2lnbmF0dXJl",),
    "result": (None, {"bookmark_id": 42}),
    "role": ("editor", "owner"),
    "scopes": (["bookmarks:read", "search:read"],),
    "site_name": ("Example",),
    "slug": ("reading-list",),
    "snippet": ("How <mark>indexes</mark> are built",),
    "tags": (["databases", "postgresql"],),
    "technologies": (["PostgreSQL"],),
    "text": ("An index is a sorted copy of a column.",),
    "title": ("Indexes of PostgreSQL",),
    "token": ("Zk3J9sVwQ2mB7vYt4NcXeWq1RpLs9",),
    "url": ("https://example.org/indexes",),
    "user_agent": ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",),
    "time_zone": ("Europe/Berlin",),
    "username": ("ada",),
    "value": ("postgresql",),
    "version": ("0.1.0",),
    # Where the name alone says too little: with the schema that it is a field of.
    "CaptureOut.status": ("captured",),
    "CheckOut.detail": (None,),
    "EmbeddingsCheckOut.detail": (None,),
    "EngineOut.description": ("What is close in meaning to the subject.",),
    "EngineOut.name": ("semantic",),
    "JobOut.kind": ("capture",),
    "JobOut.status": ("running",),
    "OrganizationOut.name": ("Analytical Engines",),
    "OrganizationOut.slug": ("analytical-engines",),
    "ProfileOut.email_verified_at": (TIME,),
    "Facets.domain": ([{"value": "example.org", "count": 12}],),
    "Facets.language": ([{"value": "en", "count": 30}],),
    "Facets.state": ([{"value": "unread", "count": 25}],),
    "Facets.tags": ([{"value": "databases", "count": 12}],),
    "Facets.year": ([{"value": "2026", "count": 30}],),
    "ImportForm.capture": (True,),
    "DashboardExportIn.format": ("xlsx",),
    "ProgressOut.message": ("Reading the page",),
    "ProjectOut.description": ("From one database to two.",),
    "TagOut.name": ("databases",),
    "TagPatch.name": ("databases",),
    "TaskIn.description": ("All tables but the logs.",),
    "TaskOut.description": ("All tables but the logs.",),
    "TaskOut.title": ("Copy the data",),
    "TaskPatch.description": ("All tables but the logs.",),
    "TokenCreatedOut.name": ("backup script",),
    "TokenCreatedOut.token": ("fz_8ZkQ2mB7vYt4NcXeWq1RpLs9",),
    "TokenOut.name": ("backup script",),
    "WorkerCheckOut.detail": (None,),
}
NUMBERS: dict[str, float] = {
    "attempts": 1, "created": 2, "done": 1, "duplicates": 1, "errors": 0, "hit_rate_percent": 92.5, "hits": 370,
    "index": 0, "invalid": 0, "latency_ms": 0.8, "misses": 30, "organization_id": 7, "page": 1, "page_size": 20,
    "project_id": 7, "reading_minutes": 6, "score": 0.83, "took_ms": 12.4, "total_pages": 1, "total_requests": 400,
    "uptime_seconds": 86_400.0, "user_id": 7, "word_count": 1_240,
    "JobOut.attempts": 1, "ProgressOut.total": 3, "SubtaskCounts.total": 3, "TaskCounts.total": 3, "total": 1,
}  # fmt: skip
USUAL_ID, USUAL_NUMBER = 42, 3
# Bodies of which a field alone does not tell what goes with it.
BY_SCHEMA: dict[str, Any] = {
    "ActionIn": {"ids": [42, 43], "action": "add_tags", "tags": ["to read"]},
    "ActionFilter": {"tag": ["databases"], "is_archived": "any", "created_after": DAY},
    "BulkIn": {
        "items": [{"url": "https://example.org/indexes", "tags": ["databases"]}, {"url": "https://example.com/"}]
    },
    "FeedbackIn": {"bookmark_id": 42, "project_id": 7, "kind": "relevant"},
    "MoveIn": {"after_id": 41},
    "TasksIn": {"items": [{"title": "Copy the data", "priority": "high"}, {"title": "Switch over"}]},
}
# Of bodies that are no JSON, or the document itself.
BY_MEDIA_TYPE: dict[str, Any] = {
    "application/json": {"openapi": "3.1.0", "info": {"title": "Fuze", "version": "0.1.0"}, "paths": {}},
    "application/atom+xml": '<?xml version="1.0"?>\n<feed xmlns="http://www.w3.org/2005/Atom">…</feed>',
    "application/zip": "PK\x03\x04…",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "PK\x03\x04…",
    "image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg" role="img"><title>Activity in 30 days</title></svg>',
    "text/css": "body { margin: 0 }",
    "text/csv": "url,title\r\nhttps://example.org/indexes,Indexes of PostgreSQL\r\n",
    "text/event-stream": 'id: 8f3a5c2b1d4e6f70\ndata: {"status": "running", "progress": {"done": 1, "total": 3}}\n\n',
    "text/html": "<!doctype html>\n<title>Fuze</title>",
    "text/javascript": '"use strict";',
}


def example_of(schema: Schema, components: Mapping[str, Schema], name: str = "") -> Any:
    """Return a value that a schema describes; `name` is its field, as `Schema.field`."""
    if "$ref" in schema:
        component = schema["$ref"].rpartition("/")[2]
        whole = BY_SCHEMA.get(component)
        # What stands for a word and not for an object is known by the field that it is used in.
        within = component if "properties" in components[component] else name
        return whole if whole is not None else example_of(components[component], components, within)
    if "const" in schema or schema.get("examples"):
        return schema["const"] if "const" in schema else schema["examples"][0]
    known = [value for value in _by_name(name) if _fits(value, schema)]
    if known or "default" in schema:
        return known[0] if known else schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema and "type" not in schema:
        return example_of(_first_kind(schema), components, name)
    return _of_type(schema, components, name)


def problem_example(status: int) -> dict[str, Any]:
    """Return a problem with this status (RFC 9457)."""
    told = {"type": "about:blank", "title": phrase(status), "status": status, "detail": f"{phrase(status)}."}
    fault = {"field": "body.url", "message": "Field required", "code": "missing"}
    more: dict[str, Any] = {"errors": [fault]} if status == 422 else {}
    return {**told, "instance": "/api/v1/bookmarks/42", "request_id": REQUEST_ID, **more}


def _of_type(schema: Schema, components: Mapping[str, Schema], name: str) -> Any:
    kind, field = schema.get("type"), name.rpartition(".")[2]
    if kind == "object":
        return _object(schema, components, name)
    if kind == "array":
        return [example_of(schema["items"], components, field.removesuffix("s"))] if schema.get("items") else []
    if kind in ("integer", "number"):
        usual = USUAL_ID if field == "id" or field.endswith("_id") else USUAL_NUMBER
        return NUMBERS.get(name, NUMBERS.get(field, max(usual, schema.get("minimum", usual))))
    if kind == "boolean":
        return False
    if kind == "string":
        return {"date-time": TIME, "date": DAY, "uuid": UUID}.get(schema.get("format", ""), field.replace("_", " "))
    return None


def _object(schema: Schema, components: Mapping[str, Schema], name: str) -> dict[str, Any]:
    fields = schema.get("properties", {})
    if fields:
        told = {field: example_of(one, components, f"{name}.{field}") for field, one in fields.items()}
        # What comes in need not say what holds without it.
        is_sent = schema.get("additionalProperties") is False
        needed = [field for field, one in fields.items() if not is_sent or _is_told(schema, field, one)]
        return {field: told[field] for field in needed or fields}
    more = schema.get("additionalProperties")
    return {"list": example_of(more, components)} if isinstance(more, Mapping) and more else {}


def _is_told(schema: Schema, name: str, field: Schema) -> bool:
    if name in schema.get("required", ()) or "default" not in field or field.get("examples"):
        return True
    return field["default"] is not False and any(_fits(value, field) for value in _by_name(name))


def _by_name(name: str) -> tuple[Any, ...]:
    return BY_NAME.get(name, ()) or BY_NAME.get(name.rpartition(".")[2], ())


def _first_kind(schema: Schema) -> Schema:
    kinds = [kind for kind in schema["anyOf"] if kind.get("type") != "null"]
    return kinds[0] if kinds else {"type": "null"}


def _fits(value: Any, schema: Schema) -> bool:
    """Return whether a value has the type of a schema, and is one of its allowed values."""
    if "anyOf" in schema and "type" not in schema:
        return any(_fits(value, kind) for kind in schema["anyOf"])
    kinds = {"string": str, "boolean": bool, "array": list, "object": dict, "null": type(None)}
    kind = kinds.get(schema.get("type", ""))
    if kind is None or not isinstance(value, kind) or schema.get("format") in ("date-time", "uuid"):
        return False
    if isinstance(value, dict) and "properties" in schema:
        return False
    return value in schema["enum"] if "enum" in schema else True
