"""Stack of `up`: what starts, in which order, and how it stops."""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from pathlib import Path

from backend.local_stack.checks import connect_address
from backend.local_stack.postgres import EmbeddedPostgres
from backend.local_stack.processes import inherited_environment
from backend.local_stack.redis import EmbeddedRedis
from backend.local_stack.servers import EmbeddedServer
from backend.local_stack.stack_log import printer_of
from backend.local_stack.supervisor import Service, ServiceFailed, ServiceSupervisor
from backend.observability.metrics.storage import empty_directory
from config import ADDRESSES, Settings

ROOT = Path(__file__).parents[2]
SERVER_SECONDS = 60.0
READY_SECONDS = 120.0
FOR_MIGRATIONS = ("DATABASE_MIGRATION_URL", "DATABASE_ADMIN_URL")


class Stack:
    """Embedded servers without configured ones, migrations, then web server, workers and scheduler."""

    def __init__(
        self, settings: Settings, configured: Settings, rq_workers: int, load_application: Callable[[], None]
    ) -> None:
        """Take the addresses from `configured`, which names no embedded servers, the rest from `settings`.

        `load_application` runs once, before the first process of the application is forked.
        """
        self._load_application = load_application
        self.data_dir = settings.FUZE_DATA_DIR
        self.settings = settings
        self.stack_file = settings.stack_file
        self.workers = [f"worker.{number}" for number in range(1, rq_workers + 1)]
        name_width = max(map(len, ["scheduler", *self.workers]))
        self.supervisor = ServiceSupervisor(printer_of(settings, name_width))
        self.servers: list[EmbeddedServer] = []
        self.addresses = {name: getattr(configured, name) for name in ADDRESSES if getattr(configured, name)}
        servers: dict[str, EmbeddedServer] = {
            "DATABASE_URL": EmbeddedPostgres(self.data_dir),
            "REDIS_URL": EmbeddedRedis(self.data_dir, maxmemory_mb=settings.EMBEDDED_REDIS_MAXMEMORY_MB),
        }
        for variable, server in servers.items():
            if variable not in self.addresses:
                self.servers.append(server)
                self.addresses |= server.settings()

    def bring_up(self) -> None:
        """Start everything, each part after those that it needs.

        Raises:
            ServerError, ServiceFailed: the message is one line.
            StopRequested: a stop was requested meanwhile.
        """
        empty_directory(self.settings.metrics_dir)
        for server in self.servers:
            self._start_server(server)
        self._write_addresses()
        self.supervisor.say("Bringing the database up to date")
        if self.supervisor.run(self._migrations()) != 0:
            raise ServiceFailed("the migrations failed, see above")
        self._load_application()
        self.supervisor.start(self._web())
        for name in self.workers:
            self.supervisor.start(self._forked(name, "backend", "worker", stop_seconds=30))
        self.supervisor.start(self._forked("scheduler", "backend", "scheduler"))
        self.supervisor.wait_until(self._is_serving, "Fuze", READY_SECONDS)

    def take_down(self) -> None:
        """Stop everything: first the sources of work, then the workers, then the servers."""
        for names in (["scheduler", "web", "migrate"], self.workers, ["redis"], ["postgres"]):
            self.supervisor.stop(names)
        for server in self.servers:
            server.clean_up()
        self.stack_file.unlink(missing_ok=True)

    def _start_server(self, server: EmbeddedServer) -> None:
        if not server.directory.exists():
            self.supervisor.say(f"First start: making {server.directory}")
        self.supervisor.start(
            Service(
                server.name,
                server.command(),
                env=server.environment(),
                user=server.user,
                cwd=Path("/"),
                stop_signal=server.stop_signal,
                stop_seconds=60,
                death_signal=server.death_signal,
                before_start=server.prepare,
            )
        )
        self.supervisor.wait_until(server.is_ready, server.name, SERVER_SECONDS)

    def _write_addresses(self) -> None:
        draft = self.stack_file.with_suffix(".draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self.addresses, file)
        draft.replace(self.stack_file)

    def _web(self) -> Service:
        options = ("--config", str(ROOT / "gunicorn.conf.py"), "wsgi:app")
        return self._forked("web", "gunicorn", *options, stop_seconds=35)

    def _migrations(self) -> Service:
        """Make the service of the migrations, the only one with the address of the owner of the tables."""
        command = [sys.executable, "-m", "backend", "db", "upgrade"]
        return Service("migrate", command, env={**self._environment(), **self.addresses})

    def _forked(self, name: str, *module: str, stop_seconds: float = 10) -> Service:
        command = [sys.executable, "-m", *module]
        return Service(name, command, env=self._environment(), stop_seconds=stop_seconds, is_forked=True)

    def _environment(self) -> dict[str, str]:
        settings = self.settings
        more = {"WEB_CONCURRENCY": str(settings.WEB_CONCURRENCY)} if settings.WEB_CONCURRENCY else {}
        if settings.LOG_COLOR == "auto" and sys.stdout.isatty():
            more["LOG_COLOR"] = "always"
        environment = inherited_environment(
            **self.addresses,
            **more,
            HOST=settings.HOST,
            PORT=str(settings.PORT),
            FUZE_DATA_DIR=str(self.data_dir),
            PYTHONUNBUFFERED="1",
            # Fewer arenas of glibc: each holds freed memory back.
            MALLOC_ARENA_MAX="2",
        )
        return {name: value for name, value in environment.items() if name not in FOR_MIGRATIONS}

    def _is_serving(self) -> bool:
        host = connect_address(self.settings.HOST)
        with closing(http.client.HTTPConnection(host, self.settings.PORT, timeout=5)) as connection:
            try:
                connection.request("GET", "/api/health/ready")
                return connection.getresponse().status == HTTPStatus.OK
            except (OSError, http.client.HTTPException):
                return False
