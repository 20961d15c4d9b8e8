"""Streaming replica of an embedded PostgreSQL, copied with pg_basebackup while that runs."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import psutil

from backend.local_stack.postgres import EmbeddedPostgres, find_programs
from backend.local_stack.processes import spawn
from backend.local_stack.servers import ServerError


class StreamingReplica(EmbeddedPostgres):
    """A replica of the server whose socket is in a directory."""

    def __init__(self, data_dir: Path, primary_socket: str) -> None:
        super().__init__(data_dir, durable=False)
        self.primary_socket = primary_socket

    def prepare(self) -> bool:
        self.make_data_dir()
        self._allow_access()
        self.make_private(self.directory)
        self.make_private(self.socket_dir)
        options = ["--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream", "--no-sync"]
        process = spawn(
            [str(BASE_BACKUP), "-D", str(self.directory), "-h", self.primary_socket, "-U", "postgres", *options],
            env=self.environment(),
            user=self.user,
            cwd=Path("/"),
            output=subprocess.PIPE,
        )
        output = process.communicate()[0].decode(errors="replace")
        if process.returncode != 0:
            raise ServerError(output)
        # The primary has its socket among its data.
        (self.directory / f"{self.socket_name}.lock").unlink(missing_ok=True)
        return True

    def is_ready(self) -> bool:
        return self._reports_ready()

    def freeze(self) -> None:
        """Stop all its processes where they are: connections stay open, and nothing is answered."""
        assert self.process is not None
        server = psutil.Process(self.process.pid)
        for process in (server, *server.children()):
            process.suspend()

    def kill(self) -> None:
        """End all its processes at once."""
        assert self.process is not None
        server = psutil.Process(self.process.pid)
        for process in (server, *server.children()):
            process.send_signal(signal.SIGKILL)
        self.process.wait()


BASE_BACKUP = find_programs() / "pg_basebackup"
