"""Extension objects, unbound: `create_app` binds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

import redis
from flask import Flask, current_app
from flask_cors import CORS
from flask_jwt_extended import JWTManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from redis import BlockingConnectionPool
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import BigInteger, DateTime, Engine, Executable, MetaData, Text, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import NullPool

from backend.database import DatabaseConnections
from backend.redis.resilient import RedisGate
from config import Settings

TRIES = 4
# What PostgreSQL says of a dead-lock, and of a key that is taken.
LOST_RACES = ("40P01", "23505")
# Where a session remembers that its transaction has compared what is there with what the caller wants to change.
COMPARED = "compared"

P = ParamSpec("P")
R = TypeVar("R")


class Base(DeclarativeBase):
    """Base of every model. Constraint names are fixed so that migrations and error translation can rely on them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {int: BigInteger, str: Text, datetime: DateTime(timezone=True)}  # noqa: RUF012


db = SQLAlchemy(session_options={"expire_on_commit": False})
migrate = Migrate()
jwt = JWTManager()
cors = CORS()


def application() -> Flask:
    """The application that is running, for threads that outlive the context at hand."""
    return cast(Any, current_app)._get_current_object()  # type: ignore[no-any-return]


def current_settings() -> Settings:
    """The settings of the application that is running."""
    return cast(Settings, current_app.extensions["settings"])


def redis_client() -> redis.Redis:
    """The process's Redis client: one pool of 20 connections, short time-outs, no retry of what failed."""
    return redis_gate().client


def redis_gate() -> RedisGate:
    """The process's gate to Redis, for what every request needs."""
    return cast(RedisGate, current_app.extensions["redis_gate"])


def bind_redis(app: Flask, settings: Settings) -> None:
    """Attach the Redis client; connects on first use, so a missing Redis does not stop the start."""
    app.extensions["redis_gate"] = RedisGate(
        lambda hook: connect_redis(
            settings, BlockingConnectionPool, socket_timeout=2, max_connections=20, timeout=2, redis_connect_func=hook
        )
    )


def connect_redis(
    settings: Settings, pool: type[redis.ConnectionPool] = redis.ConnectionPool, **options: Any
) -> redis.Redis:
    """A Redis client that connects on first use and does not repeat what failed."""
    password = settings.REDIS_PASSWORD.get_secret_value()
    if password and "@" not in settings.REDIS_URL:
        options["password"] = password
    url = settings.REDIS_URL or "redis://127.0.0.1:6379/0"
    return redis.Redis(
        connection_pool=pool.from_url(url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=1, **options)
    )


def bind_database(app: Flask, settings: Settings, url: str) -> None:
    """Attach an engine for an address; connects on first use, so a missing PostgreSQL does not stop the start.

    Sizes are for each process; time-outs keep one slow statement from holding everything.
    """
    connections = app.extensions["database_connections"] = DatabaseConnections(url, settings)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS={
            "pool_size": settings.DATABASE_POOL_SIZE,
            "max_overflow": 5,
            "pool_timeout": 5,
            "pool_pre_ping": True,
            "pool_recycle": 1800,
            "hide_parameters": True,  # An error's message goes into the logs, what people wrote does not.
            "creator": connections,
        },
    )
    db.init_app(app)
    migrate.init_app(app, db)
    with app.app_context():
        connections.watch(db.engine)


@contextmanager
def owner_engine() -> Iterator[Engine]:
    """The engine of the owner of the tables, past any pooler: for what changes tables or indexes, or holds a lock."""
    settings = current_settings()
    if not settings.DATABASE_MIGRATION_URL:
        yield db.engine
        return
    connections = DatabaseConnections(settings.migration_url, settings)
    engine = create_engine(settings.migration_url, poolclass=NullPool, creator=connections)
    connections.watch(engine)
    try:
        yield engine
    finally:
        engine.dispose()


_bound: list[Flask] = []


def remember_app(app: Flask) -> None:
    """Keep the application for hooks that run outside any context, such as a fork."""
    _bound[:] = [app]


def after_fork() -> None:
    """Forget connections that a parent process opened: two processes must never share one."""
    for app in _bound:
        with app.app_context():
            db.engine.dispose(close=False)


def in_batches(statement: Executable, values: Mapping[str, Any] | None = None) -> Iterator[int]:
    """Execute a statement that changes a bounded number of rows until none is left, each time in its own transaction.

    Yields how many rows each changed, after its commit.
    """
    while number := db.session.execute(statement, values).rowcount:  # type: ignore[attr-defined]
        db.session.commit()
        yield number
    db.session.commit()


def again_after_lost_race(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function that makes one whole transaction anew when a concurrent one got in its way.

    Saving waits for links that others are saving, in the order of the unique index, before it locks those that are
    there: with deletions in between the two can still dead-lock. So can two deletions that take the same rows along.
    And a check for a name or link that is taken can be overtaken; the next try sees what overtook it, and says so.
    """

    @wraps(function)
    def run(*arguments: P.args, **named: P.kwargs) -> R:
        for _ in range(TRIES - 1):
            try:
                return function(*arguments, **named)
            except DBAPIError as error:
                is_race = getattr(error.orig, "pgcode", None) in LOST_RACES
                if not is_race or db.session.info.get(COMPARED):
                    raise  # What was compared is not what another try would see.
                db.session.rollback()
        return function(*arguments, **named)

    return run


def utc_now() -> datetime:
    """The present, aware, in UTC."""
    return datetime.now(UTC)
