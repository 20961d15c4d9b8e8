"""Checks before `up` starts anything."""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOPBACKS = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # nosec B104


class StartupError(Exception):
    """The stack cannot be started here; the message is one readable line."""


def connect_address(host: str) -> str:
    """Return an address to connect to for one to listen on: loopback for "every address"."""
    return LOOPBACKS.get(host, host)


def local_url(host: str, port: int) -> str:
    """Return the URL of the web server on this machine."""
    host = connect_address(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def exclusive_lock(data_dir: Path, url: str) -> Iterator[None]:
    """Lock a data directory against a second `up`, and store the URL of this one in the lock file.

    Raises:
        StartupError: another `up` runs, or the directory cannot be used.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "up.lock").open("a+")
    except OSError as error:
        raise StartupError(f"cannot use the data directory {data_dir}: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise StartupError(f"Fuze already runs on {data_dir}, at {lock.read().strip()}") from None
        lock.truncate(0)
        lock.write(url)
        lock.flush()
        yield


def refuse_busy_port(host: str, port: int) -> None:
    """Check the address that the web server will listen on.

    Raises:
        StartupError: another program listens there, or it is not an address of this machine.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StartupError(f"cannot listen on {host} port {port}: {reason}") from None
