"""The application: configuration, extensions, middleware, blueprints."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

from flask import Flask, Request

from backend.activity import models as activity
from backend.admin.cache.routes import blueprint as cache
from backend.admin.routes import blueprint as admin
from backend.auth.authenticator import RequestAuthenticator
from backend.auth.entry_signing import bind_entry_signer
from backend.auth.mail.routes import blueprint as auth_mail
from backend.auth.routes import blueprint as auth
from backend.auth.tokens import CLOCK_SKEW_SECONDS
from backend.bookmarks.attachments.routes import blueprint as project_bookmarks
from backend.bookmarks.facets.routes import blueprint as facets
from backend.bookmarks.routes import blueprint as bookmarks
from backend.bookmarks.tags.routes import blueprint as tags
from backend.capture.link_checks import models as link_checks
from backend.capture.routes import blueprint as captures
from backend.dashboard.charts.routes import blueprint as dashboard_charts
from backend.dashboard.export.routes import blueprint as dashboard_exports
from backend.dashboard.insights.routes import blueprint as dashboard_insights
from backend.dashboard.routes import blueprint as dashboard
from backend.database import MAX_OVERFLOW, bind_database, track_app
from backend.digests.routes import blueprint as digests
from backend.extensions import cache as values
from backend.extensions import jwt
from backend.health.routes import blueprint as health
from backend.health.service import bind_health
from backend.http.authentication import bind_authenticator
from backend.http.middleware.compression import register_compression
from backend.http.middleware.cors import register_cors
from backend.http.middleware.input_validation import register_input_validation
from backend.http.middleware.no_sessions import NoSessions
from backend.http.middleware.proxies import TrustedProxyFix
from backend.http.middleware.read_timeout import bound_reads
from backend.http.middleware.security_headers import register_security_headers
from backend.http.openapi.routes import blueprint as docs
from backend.http.pipeline import register_pipeline
from backend.http.problems import register_error_handlers
from backend.http.request_state import current_request_fields
from backend.http.routing import IdConverter
from backend.http.validation import BODY_LIMIT_BYTES
from backend.jobs.routes import blueprint as jobs
from backend.linkding.account.routes import blueprint as linkding_account
from backend.linkding.bookmarks.routes import blueprint as linkding_bookmarks
from backend.linkding.bundles.routes import blueprint as linkding_bundles
from backend.linkding.refusals import register_linkding_refusals
from backend.linkding.tags.routes import blueprint as linkding_tags
from backend.metrics.routes import blueprint as metrics
from backend.metrics.service import bind_metrics
from backend.observability.logging import configure_logging, name_requests
from backend.observability.metrics.database import measure_database
from backend.observability.metrics.storage import storage
from backend.observability.slow_statements import log_slow_statements
from backend.organizations.routes import blueprint as organizations
from backend.organizations.routes import invitations_blueprint as invitations
from backend.profile.ai.routes import blueprint as profile_ai
from backend.profile.routes import blueprint as profile
from backend.projects.routes import blueprint as projects
from backend.recommendations.feedback.routes import blueprint as feedback
from backend.recommendations.routes import blueprint as recommendations
from backend.redis.client import bind_redis
from backend.registration.routes import blueprint as registration
from backend.replica.service import bind_replica
from backend.search.routes import blueprint as search
from backend.tasks.routes import blueprint as tasks
from backend.transfer.export.routes import blueprint as exports
from backend.transfer.feeds.routes import blueprint as feeds
from backend.transfer.routes import blueprint as imports
from backend.transfer.routes import jobs_blueprint as imports_of_jobs
from backend.transfer.share_target.routes import blueprint as share_target
from backend.web.middleware import register_web_client
from config import Settings, load_settings

VERSIONED = (
    *(registration, auth, auth_mail, profile, profile_ai, organizations, invitations),
    *(projects, bookmarks, facets, tags, project_bookmarks, captures, tasks, search, recommendations, feedback),
    *(imports, imports_of_jobs, exports, feeds, jobs, cache, admin),
    *(dashboard, dashboard_charts, dashboard_exports, dashboard_insights, digests),
)
# Tables that no route's module imports belong to the metadata of every process too.
OTHER_MODELS = (activity, link_checks)
COMPRESSED = [
    *("application/json", "application/problem+json", "image/svg+xml"),
    *("text/html", "text/css", "text/javascript"),
]
LINKDING = (linkding_account, linkding_bookmarks, linkding_tags, linkding_bundles)


class Application(Flask):
    """Flask, for views and hooks that are all plain functions."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is: Flask would look at each of a dozen, for every request, whether it is a coroutine."""
        return func

    def raise_routing_exception(self, request: Request) -> NoReturn:
        """Refuse a request that no route matches, once it is counted."""
        self.extensions["unmatched_requests"].receive()
        super().raise_routing_exception(request)


def create_app(settings: Settings | None = None) -> Flask:
    """The application, wired. Connects to nothing: it starts without a database and recovers by itself."""
    settings = settings or load_settings()
    configure_logging(settings)
    name_requests(current_request_fields)
    storage.use(settings.metrics_dir)
    app = Application("fuze", static_folder=None)
    _configure(app, settings)
    _bind_extensions(app, settings)
    register_input_validation(app)
    register_web_client(app)
    register_pipeline(app, settings)
    app.wsgi_app = TrustedProxyFix(app.wsgi_app, settings.TRUSTED_PROXIES, settings.BASE_PATH)  # type: ignore[method-assign]
    register_security_headers(app)
    register_error_handlers(app)
    register_linkding_refusals(app)
    _register_blueprints(app)
    bind_health(app)
    bind_metrics(app)
    track_app(app)
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        # The packages of OpenTelemetry take 3 MB and 100 ms: they are loaded where traces are sent, and nowhere else.
        from backend.observability.tracing.setup import start_tracing  # noqa: PLC0415

        start_tracing(app, settings)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.extensions["settings"] = settings
    app.session_interface = NoSessions()
    app.url_map.converters["id"] = IdConverter
    app.url_map.merge_slashes = False
    app.config.update(
        SECRET_KEY=settings.SECRET_KEY.get_secret_value(),
        JWT_SECRET_KEY=settings.JWT_SECRET_KEY.get_secret_value(),
        JWT_ACCESS_TOKEN_EXPIRES=timedelta(minutes=settings.ACCESS_TOKEN_MINUTES),
        JWT_REFRESH_TOKEN_EXPIRES=timedelta(days=settings.REFRESH_TOKEN_DAYS),
        JWT_DECODE_LEEWAY=CLOCK_SKEW_SECONDS,
        MAX_CONTENT_LENGTH=BODY_LIMIT_BYTES,
        CACHE_TYPE="backend.http.response_cache.flask_caching_backend.CacheBackend",
        CACHE_DEFAULT_TIMEOUT=settings.CACHE_DEFAULT_TTL,
        COMPRESS_MIN_SIZE=1024,
        COMPRESS_BR_LEVEL=4,
        COMPRESS_EVALUATE_CONDITIONAL_REQUEST=False,  # `backend.serving` has done so.
        COMPRESS_MIMETYPES=COMPRESSED,
    )


def _bind_extensions(app: Flask, settings: Settings) -> None:
    bind_database(app, settings, settings.database_url)
    bind_replica(app, settings)
    bound_reads(app)
    measure_database(app, pool_size=settings.DATABASE_POOL_SIZE, max_overflow=MAX_OVERFLOW)
    log_slow_statements(app, settings.SLOW_QUERY_MS)
    jwt.init_app(app)
    register_compression(app)
    bind_redis(app, settings)
    values.init_app(app)
    bind_entry_signer(app, settings)
    bind_authenticator(app, RequestAuthenticator(app))
    register_cors(app, settings)


def _register_blueprints(app: Flask) -> None:
    for blueprint in (health, metrics, docs, share_target, *LINKDING):
        app.register_blueprint(blueprint)
    for blueprint in VERSIONED:
        app.register_blueprint(blueprint, url_prefix=f"/api/v1{blueprint.url_prefix}")
