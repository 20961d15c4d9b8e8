"""Who sends a request, and whether it may pass now: the limits and the session in one round trip to Redis."""

from __future__ import annotations

from flask import g, request

from backend.actor import Actor
from backend.addresses import address_digest
from backend.api import LimitClass, Operation
from backend.auth.authentication import Credential, actor_of, read_credential
from backend.errors import Unauthenticated
from backend.extensions import redis_gate
from backend.limits.service import Charge, enforce
from backend.limits.windows import Verdict


def admit(operation: Operation) -> Actor | None:
    """Count the request and find out who acts; None on public routes. One round trip.

    Whoever shows no valid token is counted by address, like all callers of public routes.

    Raises:
        TooManyRequests: a window is full; nothing was counted.
        Unauthenticated: no token that is good for anything.
        Forbidden: the token lacks the scope, or the role does not allow it.
        NotFound: X-Organization-ID names an organization that the person does not belong to.
    """
    credential, fault = _credential(operation)
    charge = Charge(credential.subject if credential else _by_address(), operation.limit)
    answers = redis_gate().ask(lambda: [*charge.commands(), *([credential.command()] if credential else [])])
    _settle(charge, answers[0] if answers and charge.limits else None)
    if fault:
        raise fault
    if credential is None:
        return None
    actor = actor_of(credential, answers[-1] if answers else None)
    g.actor = actor
    actor.require(operation.scope or "")
    return actor


def charge_more(operation: Operation, cost: int) -> None:
    """Count what a request asks for beyond the one that it is: an item of many is not free. One round trip.

    Raises:
        TooManyRequests: a window has no room for it; then the request itself is not counted either.
    """
    charge = Charge(g.subject, operation.limit, cost, refund=1)
    answers = redis_gate().ask(charge.commands)
    _settle(charge, answers[0] if answers else None)


def look(limit_class: LimitClass) -> Verdict | None:
    """What is left to the address of a request that was answered before it was counted. One round trip."""
    charge = Charge(_by_address(), limit_class, cost=0)
    answers = redis_gate().ask(charge.commands)
    return charge.settle(answers[0] if answers else None)


def charge_stranger(limit_class: LimitClass) -> None:
    """Count a request that no route takes, by its address. One round trip."""
    charge = Charge(_by_address(), limit_class)
    answers = redis_gate().ask(charge.commands)
    _settle(charge, answers[0] if answers else None)


def _settle(charge: Charge, answer: object) -> None:
    g.subject = charge.subject
    g.limits = charge.settle(answer)
    enforce(g.limits)


def _credential(operation: Operation) -> tuple[Credential | None, Unauthenticated | None]:
    if operation.scope is None:
        return None, None
    try:
        return read_credential(request), None
    except Unauthenticated as fault:
        return None, fault


def _by_address() -> str:
    return f"address:{address_digest(request.remote_addr or '')}"
