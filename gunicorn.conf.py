"""gunicorn: processes of threads, the application loaded once before they part."""

from __future__ import annotations

import gc
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.glogging import Logger
from gunicorn.http import message
from sqlalchemy.orm import configure_mappers

from backend.ai.service import preload
from backend.allocator import return_free_memory
from backend.cache_warmup.service import start_refreshing
from backend.database import after_fork
from backend.http.connections.client_limits import ClientLimits
from backend.http.event_streams.response import stop_event_streams
from backend.http.middleware.input_validation import REQUEST_LINE_BYTES
from backend.jobs.events import start_job_events
from backend.local_stack.processes import end_forks_with_parent
from backend.machine import count_web_processes
from backend.observability.flushing import flush_telemetry
from backend.observability.logging import configure_logging, flush_batches, start_batches
from backend.observability.metrics.exemplars import exemplars_dir
from backend.observability.metrics.storage import empty_directory
from backend.observability.stdlib_logging import begin_process
from backend.web.middleware import preload_web_client
from config import ConfigurationError, load_settings

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.config import Config
    from gunicorn.http.message import Request
    from gunicorn.http.wsgi import Response
    from gunicorn.workers.base import Worker

# Python's own are 700, 10 and 10: a full collection every hundred searches, which stops the process for 50 ms and finds
# some hundred objects. What a request leaves in cycles dies young.
COLLECTION_THRESHOLDS = (5_000, 20, 100)

try:
    settings = load_settings()
except ConfigurationError as error:
    sys.exit(str(error))

# Before the application is loaded: what goes wrong meanwhile is a line of the log too.
begin_process("web")
configure_logging(settings)

wsgi_app = "wsgi:app"
bind = f"[{settings.HOST}]:{settings.PORT}" if ":" in settings.HOST else f"{settings.HOST}:{settings.PORT}"
# Each holds up to DATABASE_POOL_SIZE connections.
workers = settings.WEB_CONCURRENCY or count_web_processes()
worker_class = "backend.http.gunicorn_worker.Worker"
threads = 8
preload_app = True
timeout = 60
graceful_timeout = 30
keepalive = 15
backlog = 2048
# Each process listens for itself, and the kernel deals connections out evenly: from a common queue one process may take
# all that come at once, and a process computes on one core only.
reuse_port = sys.platform == "linux"
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # nosec B108
control_socket_disable = True
# A letter of three bytes takes nine in an address. gunicorn takes 8,190 bytes at most, whatever is set.
limit_request_line = message.MAX_REQUEST_LINE = REQUEST_LINE_BYTES
forwarded_allow_ips = ""  # TRUSTED_PROXIES alone says whom to believe; gunicorn would believe every local caller.
accesslog = None  # The application writes its own.
errorlog = "-"
loglevel = "warning"
proc_name = "fuze"

# The kernel ends a worker whose arbiter was killed, at once.
end_forks_with_parent()

# After a response or a request that is larger, what it took goes back to the system.
LARGE_RESPONSE, LARGE_REQUEST = 262_144, 1_048_576


def post_request(worker: Worker, req: Request, environ: dict[str, Any], resp: Response) -> None:
    """Give memory back after a large response or request."""
    if (resp.sent or 0) >= LARGE_RESPONSE or int(environ.get("CONTENT_LENGTH") or 0) >= LARGE_REQUEST:
        return_free_memory()


def on_starting(server: Arbiter) -> None:
    """Count from zero, unless other processes of the service run already."""
    empty_directory(settings.metrics_dir)
    empty_directory(exemplars_dir(settings.metrics_dir))


def when_ready(server: Arbiter) -> None:
    """Before the first fork: load what every process needs, and take it out of garbage collection.

    The processes go on sharing its memory, and each ends in a tenth of the time.
    """
    configure_mappers()
    app = server.app.wsgi()
    preload(app)
    preload_web_client(app)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTION_THRESHOLDS)


class ServerLog(Logger):
    """gunicorn's own messages, on their way through the application's log."""

    def setup(self, cfg: Config) -> None:
        """Leave form and place to the application's log."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.error_log.addFilter(_without_input)


def _without_input(record: logging.LogRecord) -> bool:
    """Keep the kind of a fault; what the caller wrote, maybe with a token in it, goes."""
    text = record.getMessage()
    if text.startswith("Invalid request from"):
        text = ": ".join(text.split(": ")[:2])
    record.msg, record.args = text.partition("?")[0], ()
    return True


logger_class = ServerLog


def post_fork(server: Arbiter, worker: Worker) -> None:
    """Connections made before the fork belong to the parent."""
    after_fork()
    worker.limits = ClientLimits.of(settings)


def post_worker_init(worker: Worker) -> None:
    """Start in each serving process: refresh lists after writes, batch access lines."""
    start_batches(settings)
    start_refreshing(worker.wsgi)
    with worker.wsgi.app_context():
        start_job_events()


def worker_exit(server: Arbiter, worker: Worker) -> None:
    """End streams of events, write the last access lines, send the last spans and errors."""
    if worker.wsgi is not None:
        with worker.wsgi.app_context():
            stop_event_streams()
    flush_batches()
    flush_telemetry()
