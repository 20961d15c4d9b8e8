"""Flask extensions, unbound: `create_app` binds them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from flask import Flask, current_app
from flask_cors import CORS
from flask_jwt_extended import JWTManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
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
