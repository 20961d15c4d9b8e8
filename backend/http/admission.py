"""Who sends a request, whether it may pass now, and whether its answer is kept: one round trip to Redis for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import g, request
from werkzeug.datastructures import Headers

from backend.actor import Actor
from backend.errors import Forbidden, Unauthenticated
from backend.extensions import current_settings
from backend.http.authentication import Authenticator, Credential, authenticator
from backend.http.client_addresses import address_digest
from backend.http.content_coding import negotiate
from backend.http.operations import LimitClass, Operation
from backend.http.preconditions import known_etags
from backend.http.rate_limits.charge import Charge, request_limits
from backend.http.rate_limits.service import begin_limits, count, enforce, enforce_also, rate_limits
from backend.http.rate_limits.windows import LUA_CHECK, Verdict, numbers
from backend.http.request_state import request_state
from backend.http.response_cache import store as answers
from backend.http.response_cache.flask_caching_backend import cache_backend
from backend.http.response_cache.scripts import LUA_LOOKUP
from backend.http.response_cache.store import (
    IDENTITY,
    MAKING_MS,
    CachedResponse,
    CacheKey,
    CacheMiss,
    CachePartition,
    Subject,
)
from backend.redis.client import redis_gate
from backend.redis.resilient import Command, Script

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

ADMIT = (Path(__file__).parent / "admit.lua").read_text()
NO_LIMITS = (0,) * 6
# What was asked within this time is worth making anew after a write, unless its query is longer than that.
ASKED_SECONDS, LONGEST_REMADE = 60, 300
JSON = "application/json"
PRIVATE = "private, no-cache"
VARY = "Authorization, X-Organization-ID"


@lru_cache(maxsize=1)
def admit_script(credentials: str) -> Script:
    """Return the script of an admission, given the functions of the authenticator."""
    return Script(LUA_CHECK + credentials + LUA_LOOKUP + ADMIT)


@dataclass(frozen=True)
class CacheLookup:
    """What a read asks of the cache.

    Attributes:
        namespace: Where its answer is kept.
        digest: By which name.
        known: The ETags that the caller has.
        subject: What the answer shows.
        bookmark_id: The one bookmark that it is about.
        path: Path and query, if the response is to be refreshed ahead after a write; else empty.
        coding: The content coding that the client prefers.
    """

    namespace: answers.Namespace
    digest: str
    known: list[str]
    subject: Subject = "organization"
    bookmark_id: int | None = None
    path: str = ""
    coding: str = IDENTITY


class WriteIntent:
    """In the place of a question: a write comes, and its answer may be kept."""


@dataclass(frozen=True)
class Admission:
    """Who acts (None on public routes), and what the cache holds; None if it was not asked, or has not said."""

    actor: Actor | None
    found: CachedResponse | CacheMiss | None


def admit(operation: Operation, question: CacheLookup | WriteIntent | None) -> Admission:
    """Count the request, find out who acts, and look for the answer. One round trip.

    Whoever shows no valid token is counted by address, like all callers of public routes.

    Raises:
        TooManyRequests: a window is full; nothing was counted.
        Unauthenticated: no token that is good for anything.
        Forbidden: the token lacks the scope, or the role does not allow it.
        NotFound: X-Organization-ID names an organization that the person does not belong to.
    """
    credential, fault = _credential(operation)
    charge = Charge(credential.subject if credential else _by_address(), operation.limit, rate_limits())
    # Probes of health are neither limited nor anybody's: they do not wait for Redis.
    is_known = charge.limits is None and credential is None
    state = request_state()
    asked, state.reply = state.reply, None
    if asked is None and not is_known:
        asked = ask(charge, credential, question)
    limited, known = asked[:2] if asked else (None, None)
    begin_limits(charge, limited)
    operation.check_limit()
    if fault:
        raise fault
    if credential is None:
        return Admission(None, None)
    actor = authenticator().actor_of(credential, known)
    g.actor = actor
    if not credential.is_login:
        _charge_person(charge, actor, is_counted=_counts_person(limited))
    found = cached_for(actor, question, asked)
    try:
        actor.require(operation.scope or "")
    except Forbidden:
        if isinstance(found, CacheMiss) and isinstance(question, CacheLookup):
            cache_backend().abandon(found)
        raise
    return Admission(actor, found)


def ask(charge: Charge, credential: Credential | None, question: CacheLookup | WriteIntent | None) -> list[Any] | None:
    """What `ADMIT` answers; None while Redis is away. One round trip."""
    answered = redis_gate().ask(
        lambda: [admission_command(authenticator(), redis_gate().key(""), charge, credential, question)]
    )
    return answered[0] if answered else None


def lookup_of(
    operation: Operation, environ: WSGIEnvironment, headers: Headers, bookmark_id: int | None
) -> CacheLookup | None:
    """What a read asks of the cache; None where answers are not kept, or are not to be believed."""
    if operation.cache is None or not is_kept_anything():
        return None
    path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
    asked = operation.kept.asks(bookmark_id, query) if operation.kept.asks else None
    subject: Subject = operation.kept.shows or ("organization" if bookmark_id is None else "bookmarks-of")
    return CacheLookup(
        operation.cache,
        answers.digest_of([path, sorted(query.split("&"))] if asked is None else asked),
        known_etags(headers),
        subject,
        bookmark_id,
        f"{path}?{query}" if subject in ("organization", "tags") and len(query) <= LONGEST_REMADE else "",
        negotiate(environ.get("HTTP_ACCEPT_ENCODING")).coding or IDENTITY,
    )


def is_kept_anything() -> bool:
    """Whether answers are kept, and may be believed."""
    return current_settings().ENABLE_CACHING and redis_gate().is_trusted


def charge_more(operation: Operation, cost: int) -> None:
    """Count what a request asks for beyond the one that it is: an item of many is not free. One round trip.

    Raises:
        TooManyRequests: a window has no room for it; then the request itself is not counted either.
    """
    limits = request_limits()
    if limits is not None:
        enforce(replace(limits.charge, cost=cost, refund=1))


def remaining(limit_class: LimitClass) -> Verdict | None:
    """What is left to the address of a request that was answered before it was counted. One round trip."""
    return count(Charge(_by_address(), limit_class, rate_limits(), cost=0))


def charge_unmatched(limit_class: LimitClass) -> None:
    """Count a request that no route takes, by its address. One round trip."""
    enforce(Charge(_by_address(), limit_class, rate_limits()))


def admission_command(
    authenticator: Authenticator,
    prefix: str,
    charge: Charge,
    credential: Credential | None,
    question: CacheLookup | WriteIntent | None,
) -> Command:
    """The command that asks all; `prefix` is that of Redis's keys, only good while the question is made."""
    windows = numbers(charge.limits) if charge.limits else NO_LIMITS
    kind, name, user_id = credential.question if credential else ("", "", 0)
    asked = credential.asked if credential and credential.asked is not None else ""
    return admit_script(authenticator.script).command(
        [],
        prefix,
        charge.name if charge.limits else "",
        charge.bounded_cost,
        *windows,
        kind,
        name,
        user_id,
        authenticator.first_use_seconds,
        asked,
        *_asked(question),
    )


def _asked(question: CacheLookup | WriteIntent | None) -> Iterator[Any]:
    if isinstance(question, CacheLookup):
        yield from (question.namespace, question.subject, question.bookmark_id or "", question.digest, MAKING_MS)
        yield from (question.path, ASKED_SECONDS, question.coding, *question.known)
    else:
        yield "write" if question else ""


def cached_for(
    actor: Actor, question: CacheLookup | WriteIntent | None, asked: Sequence[Any] | None
) -> CachedResponse | CacheMiss | None:
    """The cached response in what `ADMIT` has answered, or leave to make it; None if there is neither.

    Redis has looked for whom it takes the caller to be. What it has found counts only if that is who acts: what stands
    there of a credential may be out of date, or not be believed.
    """
    if question is None or not asked or not asked[2]:
        return None
    key = cache_key_of(actor, question)
    coding = question.coding if isinstance(question, CacheLookup) else IDENTITY
    return answers.decode_reply(key, asked[2], coding) if asked[3] == key.partition.name.encode() else None


def partition_of(actor: Actor) -> CachePartition:
    """Whose cached responses are shown to an actor."""
    return CachePartition(actor.organization_id, actor.user_id, actor.reach)


def cache_key_of(actor: Actor, question: CacheLookup | WriteIntent) -> CacheKey:
    """Where the answer to a question is kept."""
    if isinstance(question, WriteIntent):
        return CacheKey("bookmark", partition_of(actor), "")
    return CacheKey(question.namespace, partition_of(actor), question.digest, question.subject, question.bookmark_id)


def _counts_person(limited: Any) -> bool:
    """Whether Redis has counted a request both for the token and for its person."""
    return bool(limited) and limited[5] > 1


def _charge_person(charge: Charge, actor: Actor, *, is_counted: bool) -> None:
    """Count a token's request for its person too, where Redis did not know whose it is. One round trip.

    Then the token's own windows have counted it even if the person's have no room.
    """
    person, limits = authenticator().subject_of_person(actor.user_id), request_limits()
    if limits is not None:
        limits.charge = replace(charge, person=person)
    if not is_counted:
        enforce_also(replace(charge, subject=person))


def _credential(operation: Operation) -> tuple[Credential | None, Unauthenticated | None]:
    if operation.scope is None:
        return None, None
    try:
        return authenticator().read_credential(request.headers), None
    except Unauthenticated as fault:
        return None, fault


def _by_address() -> str:
    return f"address:{address_digest(request.remote_addr or '')}"
