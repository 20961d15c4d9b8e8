"""The real stack as a person starts it: `python -m backend up`, in a directory that is thrown away."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from tests.support.processes import eventually, free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 240
STOP_SECONDS = 200  # All that the supervisor allows its children together, and some more.
NOT_INHERITED = ("DATABASE_URL", "REDIS_URL", "FUZE_DATA_DIR", "PORT", "HOST", "ENVIRONMENT")


def environment(**more: str) -> dict[str, str]:
    """What a command started by a test sees: nothing of the settings of the run."""
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    return {**inherited, "EMBEDDING_PROVIDER": "none", **more}


def backend(*arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "backend", *arguments],
        cwd=ROOT,
        env=environment(**more),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class RunningStack:
    """One `up` and everything below it. As a context it is ended with SIGTERM."""

    def __init__(self, data_dir: Path, *options: str, **more: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.log_file = data_dir.parent / f"{data_dir.name}.log"
        command = ["up", "--port", str(self.port), "--data-dir", str(data_dir), "--workers", "1", "--rq-workers", "1"]
        with self.log_file.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "backend", *command, *options],
                cwd=ROOT,
                env=environment(**more),
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def is_ready(self) -> bool:
        try:
            return self.get("/api/health/ready")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def wait_ready(self) -> RunningStack:
        ready = eventually(lambda: "Fuze is ready" in self.log or self.process.poll() is not None, START_SECONDS)
        assert ready, self.log
        assert self.process.poll() is None, self.log
        return self

    def family(self) -> list[int]:
        """Every process below `up`."""
        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]

    def child(self, words: str) -> int | None:
        """The direct child of `up` whose command line has these words."""
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.NoSuchProcess):
                if words in " ".join(child.cmdline()):
                    return int(child.pid)
        return None

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        self.process.send_signal(signal_number)
        return self.process.wait(STOP_SECONDS)

    def __enter__(self) -> RunningStack:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
