"""Content codings: responses, cached ones among them, in the coding that was negotiated."""

from __future__ import annotations

from dataclasses import replace

from flask import Flask
from flask_compress.flask_compress import _compress_data

from backend.http.negotiation import IDENTITY, Negotiation
from backend.http.response_cache.store import CachedResponse, store_encoded_command
from backend.redis.resilient import ResilientRedis


def encode(app: Flask, response: CachedResponse, negotiation: Negotiation) -> CachedResponse:
    """Return an identity response in the negotiated coding; unchanged where encoding neither pays nor is required."""
    coding, body = negotiation.coding, response.body
    if coding in (None, IDENTITY) or not body or (negotiation.takes_identity and not _pays(app, body)):
        return response
    return replace(response, body=_compress_data(app, body, coding or IDENTITY), coding=coding or IDENTITY)


def negotiated(app: Flask, gate: ResilientRedis, cached: CachedResponse, negotiation: Negotiation) -> CachedResponse:
    """Return a cached response in the negotiated coding. One round trip the first time: it stores the variant."""
    if cached.coding != IDENTITY or cached.body is None:
        return cached
    encoded = encode(app, cached, negotiation)
    # Nobody else would be sent the variant of a short body.
    if encoded is not cached and cached.identity_key and _pays(app, cached.body):
        gate.execute(lambda: [store_encoded_command(cached, encoded)])
    return encoded


def entity_tag(response: CachedResponse) -> str:
    """Return the ETag of a response without quotes: each coding has its own, made from that of the identity body."""
    return response.etag if response.coding == IDENTITY else f"{response.etag}:{response.coding}"


def _pays(app: Flask, body: bytes) -> bool:
    return len(body) >= int(app.config["COMPRESS_MIN_SIZE"])
