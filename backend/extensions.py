"""Flask extensions, unbound: `create_app` binds them."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, cast

from flask import Flask, current_app, g, request
from flask_caching import Cache
from flask_cors import CORS
from flask_jwt_extended import JWTManager
from flask_limiter import Limiter
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from limits.strategies import RateLimiter
from sqlalchemy import BigInteger, DateTime, MetaData, Text
from sqlalchemy.orm import DeclarativeBase

from config import Settings


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


class RequestLimiter(Limiter):
    """Flask-Limiter that falls back on memory for each request to which Redis has not replied.

    The library's own switch is a flag of the process, and looks for Redis again only after up to a minute.
    """

    def init_app(self, app: Flask) -> None:
        """Bind to an application, without the library's hooks.

        They check default limits, of which there are none, and write headers of one window.
        """
        app.extensions.setdefault("limiter", set()).add(self)
        # The access log tells of each refusal already.
        self.logger.setLevel(logging.WARNING)
        super().init_app(app)

    @property
    def limiter(self) -> RateLimiter:
        """The strategy that the current request is counted by."""
        limits = g.get("rate_limits")
        return self.in_memory if limits is not None and limits.reply is None else self.in_redis

    @property
    def in_redis(self) -> RateLimiter:
        """The strategy over Redis."""
        return cast(RateLimiter, self._limiter)

    @property
    def in_memory(self) -> RateLimiter:
        """The strategy over the memory of this process."""
        return cast(RateLimiter, self._fallback_limiter)


def limited_subject() -> str:
    """Return whom the current request counts against: `backend.http.admission` has read that."""
    return cast(str, g.rate_limits.charge.subject)


def limited_endpoint() -> str:
    """Return the endpoint of the current request; requests that no route takes are counted too."""
    return request.endpoint or "unmatched"


db = SQLAlchemy(session_options={"expire_on_commit": False})
migrate = Migrate()
jwt = JWTManager()
cors = CORS()
# `backend.http.rate_limits` registers the strategy and the storage by these names, and declares the classes of routes.
limiter = RequestLimiter(
    key_func=limited_subject,
    strategy="sliding-windows",
    storage_uri="resilient-redis://",
    in_memory_fallback_enabled=True,
    request_identifier=limited_endpoint,
)
cache = Cache(with_jinja2_ext=False)


def application() -> Flask:
    """Return the running application, for threads that outlive the current context."""
    return cast(Any, current_app)._get_current_object()  # type: ignore[no-any-return]


def current_settings() -> Settings:
    """Return the settings of the running application."""
    return cast(Settings, current_app.extensions["settings"])
