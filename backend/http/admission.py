"""Admission: who sends a request, whether it passes the limits, and whether its response is cached; one round trip."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import request

from backend.actor import Actor
from backend.errors import Forbidden, Unauthenticated
from backend.http.admission_script import admission_command
from backend.http.authentication import RequestCredential, authenticator
from backend.http.cache_lookup import CacheLookup, WriteIntent, cached_for, intent_of, lookup_of
from backend.http.client_addresses import address_digest
from backend.http.operations import LimitClass, Operation
from backend.http.rate_limits.charge import Charge, request_limits
from backend.http.rate_limits.service import begin_limits, count, enforce, enforce_also, rate_limits, settle_limits
from backend.http.rate_limits.windows import Verdict
from backend.http.request_state import Recognised, request_state
from backend.http.response_cache.flask_caching_backend import cache_backend
from backend.http.response_cache.store import CachedResponse, CacheMiss
from backend.redis.client import resilient_redis

READS = ("GET", "HEAD")


@dataclass(frozen=True)
class Admission:
    """Who acts (None on public routes), the cache lookup of a read, and its result.

    The result is None where nothing was looked up, and while another process computes the response.
    """

    actor: Actor | None
    lookup: CacheLookup | None = None
    cached: CachedResponse | CacheMiss | None = None


def admit(operation: Operation, bookmark_id: int | None = None, *, looks_up: bool = True) -> Admission:
    """Count the current request, find out who acts, and look its response up. One round trip, or that of the fast path.

    Callers without a valid token are counted by address, like all callers of public routes.

    Args:
        operation: What the route declares.
        bookmark_id: The one bookmark that the request is about.
        looks_up: Whether the cache is asked.

    Raises:
        TooManyRequests: a window is full; nothing was counted.
        Unauthenticated: no valid token.
        Forbidden: the token lacks the scope, or the role does not allow it.
        NotFound: X-Organization-ID names an organization that the person does not belong to.
    """
    state = request_state()
    recognised, state.recognised = state.recognised, None
    if recognised is not None:
        return _admit_recognised(operation, recognised)
    try:
        credential = (
            authenticator().read_credential(request.headers, operation.schemes) if operation.scope is not None else None
        )
    except Unauthenticated:
        _count_anonymous(operation)
        raise
    if credential is None:
        _count_anonymous(operation)
        return Admission(None)
    charge = Charge(credential.subject, operation.limit, rate_limits())
    sent = _sent(operation, bookmark_id) if looks_up else None
    answered = _ask(charge, credential, sent)
    _check_limits(operation, charge, answered)
    return _authorize(operation, credential, sent, answered)


def _sent(operation: Operation, bookmark_id: int | None) -> CacheLookup | WriteIntent | None:
    if request.method in READS:
        return lookup_of(operation, request.environ, request.headers, bookmark_id)
    return intent_of(operation)


def _admit_recognised(operation: Operation, recognised: Recognised) -> Admission:
    """Take what the fast path has found out; only what PostgreSQL has to say of the caller may be missing."""
    prepared, reply, actor = recognised.lookup, recognised.reply, recognised.actor
    settle_limits(prepared.charge, reply[0])
    if actor is None:
        return _authorize(operation, prepared.credential, prepared.lookup, reply)
    _attach(actor, reply)
    return Admission(actor, prepared.lookup, recognised.cached)


def _authorize(
    operation: Operation,
    credential: RequestCredential,
    sent: CacheLookup | WriteIntent | None,
    reply: list[Any] | None,
) -> Admission:
    actor = authenticator().actor_of(credential, reply[1] if reply else None)
    _attach(actor, reply)
    cached = cached_for(actor, sent, reply)
    try:
        actor.require(operation.scope or "")
    except Forbidden:
        if isinstance(cached, CacheMiss) and isinstance(sent, CacheLookup):
            cache_backend().abandon(cached)
        raise
    return Admission(actor, sent if isinstance(sent, CacheLookup) else None, cached)


def _attach(actor: Actor, reply: list[Any] | None) -> None:
    """Attach to the current request who acts, and count a token's request for its person."""
    request_state().actor = actor
    if not actor.is_login:
        limited: Any = reply[0] if reply else None
        _charge_person(actor, is_counted=bool(limited) and limited[5] > 1)


def _count_anonymous(operation: Operation) -> None:
    """Count a request by its address."""
    charge = Charge(_by_address(), operation.limit, rate_limits())
    # Probes of health are not limited: they do not wait for Redis.
    _check_limits(operation, charge, _ask(charge, None, None) if charge.limits is not None else None)


def _check_limits(operation: Operation, charge: Charge, reply: list[Any] | None) -> None:
    """Have Flask-Limiter check the class of the route, by Redis's reply or in memory."""
    begin_limits(charge, reply[0] if reply else None)
    operation.check_limit()


def _ask(
    charge: Charge, credential: RequestCredential | None, sent: CacheLookup | WriteIntent | None
) -> list[Any] | None:
    """Return the reply of `admit.lua`; None while Redis is away. One round trip."""
    gate = resilient_redis()
    replies = gate.execute(lambda: [admission_command(authenticator(), gate.key(""), charge, credential, sent)])
    return replies[0] if replies else None


def charge_more(operation: Operation, cost: int) -> None:
    """Count what a request costs beyond the one that it is: an item of many is not free. One round trip.

    Raises:
        TooManyRequests: a window has no room for it; then the request itself is not counted either.
    """
    limits = request_limits()
    if limits is not None:
        enforce(replace(limits.charge, cost=cost, refund=1))


def remaining(limit_class: LimitClass) -> Verdict | None:
    """Return what remains to the address of a request that was refused before it was counted. One round trip."""
    return count(Charge(_by_address(), limit_class, rate_limits(), cost=0))


def charge_unmatched(limit_class: LimitClass) -> None:
    """Count a request that no route takes, by its address. One round trip."""
    enforce(Charge(_by_address(), limit_class, rate_limits()))


def _charge_person(actor: Actor, *, is_counted: bool) -> None:
    """Count a token's request for its person too, where Redis did not know whose it is. One round trip.

    Then the token's own windows have counted it even if the person's have no room.
    """
    person, limits = authenticator().subject_of_person(actor.user_id), request_limits()
    if limits is not None:
        charge = limits.charge
        limits.charge = replace(charge, person=person)
        if not is_counted:
            enforce_also(replace(charge, subject=person))


def _by_address() -> str:
    return f"address:{address_digest(request.remote_addr or '')}"
