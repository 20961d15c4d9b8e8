"""PgBouncer in transaction mode, where it is installed."""

from __future__ import annotations

import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.local_stack.processes import spawn, terminate
from tests.support.processes import eventually, free_port

PGBOUNCER = shutil.which("pgbouncer", path="/usr/sbin:/usr/local/bin:/usr/bin")
CONFIGURATION = """
[databases]
fuze = host={socket} dbname=fuze user={role} pool_size={size}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
logfile =
{more}
"""


@contextmanager
def readable_directory(name: str) -> Iterator[Path]:
    """A directory that the user of an embedded server can enter, thrown away in the end."""
    directory = Path(f"/tmp/fuze-{name}-{free_port()}")
    directory.mkdir(mode=0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


@contextmanager
def pooler(
    socket_dir: Path, user: int | None, more: str = "", *, role: str = "fuze_app", size: int = 3
) -> Iterator[str]:
    """PgBouncer in front of an embedded server, run as its user; the address to give to Fuze."""
    port = free_port()
    with readable_directory("pgbouncer") as directory:
        configuration = directory / "pgbouncer.ini"
        configuration.write_text(CONFIGURATION.format(socket=socket_dir, role=role, size=size, port=port, more=more))
        with (directory / "log").open("wb") as log:
            process = spawn([str(PGBOUNCER), str(configuration)], user=user, cwd=Path("/"), output=log)
        try:
            assert eventually(lambda: _listens(port)), (directory / "log").read_text()
            yield f"postgresql://{role}@127.0.0.1:{port}/fuze"
        finally:
            terminate(process, signal.SIGINT, 10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
