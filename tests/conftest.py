"""Real servers for every test: PostgreSQL and Redis of the run's own, in a directory that is thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext
from pathlib import Path

import flask_migrate
import pytest
from flask import Flask
from werkzeug.security import generate_password_hash

from backend.app import create_app
from backend.auth import passwords
from backend.extensions import current_settings, db
from backend.health.service import health_monitor
from backend.local_stack.postgres import EmbeddedPostgres
from backend.local_stack.redis import EmbeddedRedis
from backend.observability.metrics.storage import storage
from backend.redis.client import redis_client, resilient_redis
from backend.redis.resilient import ResilientRedis
from config import Settings, load_settings
from tests.support.api import Api
from tests.support.cpu_time import untraced
from tests.support.factories import make_person, unreachable_gate
from tests.support.live import LiveServer, serving
from tests.support.secrecy import secrets_in
from tests.support.sql import SqlCounter
from tests.support.tables import empty_tables

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 30.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that start processes come first: they take longest, and of two halves the longer one should not be last."""
    slow = {item.path for item in items if item.get_closest_marker("processes")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Keep coverage out of tests marked `untraced`: it takes a third of the time of most, and more of loops."""
    with untraced() if item.get_closest_marker("untraced") else nullcontext():
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def cheap_password_hashes() -> Iterator[None]:
    """Hash passwords in this process at a thirtieth of the cost; a hash says itself how it is to be checked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            passwords,
            "generate_password_hash",
            lambda password, method: generate_password_hash(password, f"{method}:1024:8:1"),
        )
        yield


@pytest.fixture(scope="session", autouse=True)
def patient_checks() -> Iterator[None]:
    """Let checks take longer than a second in this process: on a busy machine a healthy one may."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backend.health.service.BUDGET_SECONDS", PATIENCE_SECONDS)
        patch.setattr("backend.metrics.service.BUDGET_SECONDS", PATIENCE_SECONDS)
        yield


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, str]]:
    """Addresses of a PostgreSQL and a Redis that only this process of the run uses."""
    with (
        tempfile.TemporaryDirectory(prefix="fuze-test-") as directory,
        EmbeddedPostgres(Path(directory), durable=False) as postgres,
        EmbeddedRedis(Path(directory), durable=False) as redis,
    ):
        yield {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url, "FUZE_DATA_DIR": directory}


@pytest.fixture(scope="session")
def settings(servers: dict[str, str]) -> Iterator[Settings]:
    """Settings for tests: nothing from the machine's environment but what a test sets.

    What the run logs is looked through at its end: no password, token or key may stand there (R-LOG 5).
    """
    logs = Path(servers["FUZE_DATA_DIR"]) / "logs"
    yield load_settings(
        _env_file=None,
        ENVIRONMENT="testing",
        LOG_LEVEL="INFO",
        LOG_DIR=logs,
        LOG_PROBES_EVERY=1,
        EMBEDDING_PROVIDER="none",
        ALLOWED_ORIGINS="https://app.example.org",
        CAPTURE_ALLOWED_NETWORKS="127.0.0.0/8",
        AI_ALLOWED_NETWORKS="127.0.0.1",
        ENABLE_RATE_LIMITING=False,
        **servers,
    )

    written = [path.read_text() for path in logs.glob("*.log")]
    assert written
    assert secrets_in("\n".join(written)) == set()


@pytest.fixture(scope="session")
def migrated_app(settings: Settings) -> Flask:
    """One application for the run, over migrated tables."""
    app = create_app(settings)
    app.testing = True
    with app.app_context():
        flask_migrate.upgrade(directory=str(ROOT / "migrations"))
    return app


@pytest.fixture(scope="session")
def production(migrated_app: Flask, settings: Settings) -> dict[str, str]:
    """The settings of a process in production mode, on the same servers and with the same keys as `app`."""
    return {
        "ENVIRONMENT": "production",
        "FRONTEND_URL": "https://app.example.org",
        "SECRET_KEY": settings.SECRET_KEY.get_secret_value(),
        "JWT_SECRET_KEY": settings.JWT_SECRET_KEY.get_secret_value(),
        "DATABASE_URL": settings.DATABASE_URL,
        "REDIS_URL": settings.REDIS_URL,
        "FUZE_DATA_DIR": str(settings.FUZE_DATA_DIR),
        "EMBEDDING_PROVIDER": "none",
        "ALLOWED_ORIGINS": "https://app.example.org",
        "ENABLE_RATE_LIMITING": "false",
        "LOG_PROBES_EVERY": "1",
    }


@pytest.fixture(scope="session")
def live(production: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One gunicorn for the run, in production mode."""
    with serving(tmp_path_factory.mktemp("live"), production) as server:
        yield server
    keys = production["SECRET_KEY"], production["JWT_SECRET_KEY"]
    assert secrets_in(server.logged(), keys) == set()


@pytest.fixture
def app(migrated_app: Flask) -> Iterator[Flask]:
    """The application over empty tables and an empty Redis."""
    with migrated_app.app_context():
        with db.engine.begin() as connection:
            empty_tables(connection)
        resilient_redis().forget_failures()
        redis_client().flushall()
        health_monitor().forget()
        storage.use(current_settings().metrics_dir)
        db.session.remove()
    yield migrated_app
    with migrated_app.app_context():
        db.session.remove()


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """An application context, for tests that call services."""
    with app.app_context():
        yield app


@pytest.fixture
def anonymous(app: Flask) -> Api:
    """A client without a token."""
    return Api(app)


@pytest.fixture
def person(app: Flask) -> Callable[..., Api]:
    """Makes people: each call a client who is logged in with an account of their own."""

    def make(username: str | None = None, *, admin: bool = False) -> Api:
        return make_person(app, username, admin=admin)

    return make


@pytest.fixture
def ada(person: Callable[..., Api]) -> Api:
    """A client who is logged in."""
    return person("ada")


@pytest.fixture
def bob(person: Callable[..., Api]) -> Api:
    """Another client, a stranger to the first."""
    return person("bob")


@pytest.fixture
def sql(app: Flask) -> Iterator[SqlCounter]:
    """Counts the SQL statements of a request: `with sql.expect(3): …`."""
    with app.app_context():
        counter = SqlCounter(db.engine)
    yield counter
    counter.close()


@pytest.fixture
def no_redis(app: Flask, monkeypatch: pytest.MonkeyPatch) -> ResilientRedis:
    """Redis away, for this process; whoever leaves the fixture's patch finds it again."""
    gate = unreachable_gate()
    monkeypatch.setitem(app.extensions, "resilient_redis", gate)
    return gate
