"""Command `up`: the whole stack in the foreground."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from backend.cli.settings import refuse, settings_or_exit
from backend.local_stack.checks import StartupError, exclusive_lock, local_url, refuse_busy_port
from backend.local_stack.database import DatabaseUnreachable, database_faults
from backend.local_stack.servers import ServerError
from backend.local_stack.stack import Stack
from backend.local_stack.supervisor import ServiceFailed, StopRequested
from backend.machine import count_cores, is_small
from backend.observability.log_lines import name_process
from config import Settings


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on. [env PORT, default 8000]")
@click.option("--host", help="Address to listen on. [env HOST, default 127.0.0.1]")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Embedded servers, development secrets, unsent mail. [env FUZE_DATA_DIR, default ./var]",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Web processes. [env WEB_CONCURRENCY, default by the number of cores]",
)
@click.option(
    "--rq-workers",
    type=click.IntRange(1, 64),
    help="Job workers. [default: half the number of cores, at most 4]",
)
def up(port: int | None, host: str | None, data_dir: Path | None, workers: int | None, rq_workers: int | None) -> None:
    """Run all of Fuze in the foreground, until Ctrl-C.

    PostgreSQL and Redis are embedded unless DATABASE_URL and REDIS_URL point to others.
    """
    name_process("up")
    options = {"PORT": port, "HOST": host, "FUZE_DATA_DIR": data_dir, "WEB_CONCURRENCY": workers}
    overrides: dict[str, object] = {name: value for name, value in options.items() if value is not None}
    settings = settings_or_exit(**overrides)
    settings.FUZE_DATA_DIR = settings.FUZE_DATA_DIR.expanduser().absolute()
    # Without the addresses that load_settings fills in: a killed `up` may have left them behind.
    configured = Settings(**overrides)  # type: ignore[arg-type]
    url = local_url(settings.HOST, settings.PORT)
    try:
        with exclusive_lock(settings.FUZE_DATA_DIR, url):
            refuse_busy_port(settings.HOST, settings.PORT)
            if configured.DATABASE_URL:
                _refuse_database(configured)
            _serve(Stack(settings, configured, rq_workers or _default_rq_workers(), _load_application), url)
    except (StartupError, ServerError, ServiceFailed) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        # All files of the start are in the data directory: the disk is full, or it is not writable.
        click.echo(f"Error: cannot use the data directory {settings.FUZE_DATA_DIR}: {error.strerror}", err=True)
        sys.exit(1)


def _load_application() -> None:
    # A start that is refused does without it.
    from backend.cli.preloading import load_application  # noqa: PLC0415

    load_application()


def _refuse_database(settings: Settings) -> None:
    try:
        faults = database_faults(settings.libpq_address)
    except DatabaseUnreachable as away:
        faults = [away.message]
    if faults:
        refuse(*faults)


def _serve(stack: Stack, url: str) -> None:
    supervisor = stack.supervisor
    supervisor.listen_to_signals()
    try:
        stack.bring_up()
        supervisor.say(_welcome(stack.settings, url))
        supervisor.watch()
    except StopRequested:
        return
    finally:
        supervisor.say("Stopping")
        stack.take_down()
        supervisor.say("Stopped")


def _welcome(settings: Settings, url: str) -> str:
    python = Path(sys.executable)
    shown = python.relative_to(Path.cwd()) if python.is_relative_to(Path.cwd()) else python
    elsewhere = Path("var").absolute() != settings.FUZE_DATA_DIR
    environment = f"FUZE_DATA_DIR={settings.FUZE_DATA_DIR} " if elsewhere else ""
    create_user = f"{environment}{shown} -m backend create-user EMAIL USERNAME"
    account = f"POST {url}/api/v1/auth/register, or {create_user}"
    lines = {
        "Fuze is ready": url,
        "API docs": f"{url}/api/docs",
        "First account": account if settings.REGISTRATION == "open" else create_user,
        "Data": str(settings.FUZE_DATA_DIR),
        "Stop": "Ctrl-C",
    }
    return "\n".join(f"{label + ':':<15} {value}" for label, value in lines.items())


def _default_rq_workers() -> int:
    return 1 if is_small() else max(1, min(4, count_cores() // 2))
