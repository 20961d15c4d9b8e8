"""Makes what tests need, below the API where the API would be slow."""

from __future__ import annotations

import functools
from itertools import count

from flask import Flask
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend.auth.clients import Client
from backend.auth.models import User
from backend.auth.passwords import hash_password
from backend.auth.service import create_session
from backend.extensions import db
from backend.http.response_cache.invalidation import invalidate
from backend.organizations.service import add_owner, add_personal_organization
from backend.redis.resilient import ResilientRedis
from backend.text.account_keys import account_key
from tests.support.api import PASSWORD, Api

_numbers = count(1)


@functools.cache
def _hash() -> str:
    return hash_password(PASSWORD)


def unreachable_gate() -> ResilientRedis:
    """A gate to a Redis that is away and stays away: no thread goes on trying after the test."""
    gate = ResilientRedis(
        lambda hook: Redis(
            host="127.0.0.1", port=1, socket_connect_timeout=0.1, retry=Retry(NoBackoff(), 0), redis_connect_func=hook
        )
    )
    gate._send_later = lambda: None  # type: ignore[method-assign]
    return gate


def make_person(app: Flask, username: str | None = None, *, admin: bool = False) -> Api:
    """A person with an account, a personal organization and a login. The slow hash is made once for all."""
    name = username or f"person{next(_numbers)}"
    email = f"{name}@example.org"
    with app.app_context():
        organization = add_personal_organization(name)
        user = User(
            email=email,
            email_key=account_key(email),
            username=name,
            username_key=account_key(name),
            password_hash=_hash(),
            role="admin" if admin else "user",
            personal_organization_id=organization.id,
        )
        db.session.add(user)
        db.session.flush()
        add_owner(organization, user.id)
        session = create_session(user, Client("tests", "127.0.0.1"))
        db.session.commit()
        invalidate([], [user.id])
        db.session.remove()
    return Api(app, session=session.model_dump(mode="json"))
