"""The embedded PostgreSQL and Redis, for real, in throw-away directories."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import psycopg2
import pytest
import redis
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import create_engine, text

from backend.local_stack import redis as embedded_redis
from backend.local_stack.postgres import EmbeddedPostgres
from backend.local_stack.redis import EmbeddedRedis
from backend.local_stack.servers import SOCKET_PATH_MAX, ServerError
from tests.support.processes import alive, eventually

pytestmark = [pytest.mark.integration, pytest.mark.processes]


def ask(url: str, statement: str):
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return result.all() if result.returns_rows else None
    finally:
        engine.dispose()


@pytest.fixture
def postgres(directory):
    with EmbeddedPostgres(directory, durable=False) as server:
        yield server


def test_postgres_18_speaks_unicode_and_vectors(postgres):
    [(version, distance, lower)] = ask(
        postgres.url,
        "SELECT current_setting('server_version_num')::int, '[1,2]'::vector <-> '[1,3]', lower('ÄÖ')",
    )
    assert (version // 10000, distance, lower) == (18, 1.0, "äö")


def test_words_are_found_between_typographic_quotes_and_dashes(postgres):
    """With LC_CTYPE=C the parser takes every non-ASCII character for a letter."""
    [(lexemes,)] = ask(postgres.url, "SELECT to_tsvector('simple', '“héllo”—wörld 漢字、語')::text")
    assert re.findall(r"'([^']+)'", lexemes) == ["héllo", "wörld", "漢字", "語"]


def test_postgres_listens_on_a_private_socket_only(postgres):
    assert ask(postgres.url, "SHOW listen_addresses") == [("",)]
    assert postgres.socket_dir.stat().st_mode & 0o777 == 0o700


def test_what_is_durable_is_written_through(directory):
    with EmbeddedPostgres(directory) as server:
        settings = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
        shown = [ask(server.url, f"SHOW {name}") for name in settings]
        assert shown == [[("on",)]] * 4
    with EmbeddedRedis(directory) as server:
        assert redis.from_url(server.url).config_get("appendonly") == {"appendonly": "yes"}


def test_only_the_first_preparation_makes_a_database(directory):
    server = EmbeddedPostgres(directory, durable=False)
    assert server.prepare()
    assert not server.prepare()


def test_committed_rows_survive_kill_nine(directory):
    with EmbeddedPostgres(directory) as server:
        ask(server.url, "CREATE TABLE kept (value text)")
        ask(server.url, "INSERT INTO kept VALUES ('still here')")
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
    assert (directory / "postgres" / "postmaster.pid").exists()
    with EmbeddedPostgres(directory) as server:
        assert ask(server.url, "SELECT value FROM kept") == [("still here",)]


def test_a_stale_pid_file_that_names_another_program_does_not_matter(directory):
    server = EmbeddedPostgres(directory, durable=False)
    server.prepare()
    # The program runs as the same user as PostgreSQL: its number is the one case the server itself refuses.
    with subprocess.Popen(["sleep", "600"], user=server.user) as other:
        pid_file = directory / "postgres" / "postmaster.pid"
        pid_file.write_text(f"{other.pid}\n{server.directory}\n1\n5432\n{server.directory}\n\n 1 1\nready\n")
        try:
            with server:
                assert ask(server.url, "SELECT 1") == [(1,)]
        finally:
            other.kill()


def test_a_server_that_still_shuts_down_is_waited_for(directory):
    first = EmbeddedPostgres(directory, durable=False)
    first.start()
    first.wait_ready()
    first.process.send_signal(signal.SIGINT)
    with EmbeddedPostgres(directory, durable=False) as second:
        assert ask(second.url, "SELECT 1") == [(1,)]
    first.stop()


def test_an_interrupted_first_start_is_begun_again(directory):
    half_made = directory / "postgres.draft"
    half_made.mkdir()
    (half_made / "base").write_text("half")
    with EmbeddedPostgres(directory, durable=False) as server:
        assert ask(server.url, "SELECT 1") == [(1,)]
    assert not half_made.exists()


def test_servers_of_another_version_are_refused(directory):
    EmbeddedPostgres(directory, durable=False).prepare()
    (directory / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(ServerError, match="was made by PostgreSQL 17, this is 18"):
        EmbeddedPostgres(directory).prepare()


@pytest.mark.parametrize("name", ["x" * 120, "with space, ümlaut: 100%"])
def test_a_path_that_no_socket_can_have_gets_a_short_private_one(directory, name):
    data_dir = directory / name
    with (
        EmbeddedPostgres(data_dir, durable=False) as database,
        EmbeddedRedis(data_dir, durable=False) as queue,
    ):
        assert ask(database.url, "SELECT 1") == [(1,)]
        assert redis.from_url(queue.url).ping()
        for server in (database, queue):
            assert len(str(server.socket_dir / server.socket_name)) <= SOCKET_PATH_MAX
            assert server.socket_dir.stat().st_mode & 0o777 == 0o700
    assert not database.socket_dir.exists()
    assert not queue.socket_dir.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must hand PostgreSQL to another user")
def test_below_a_closed_directory_only_the_servers_user_may_pass(directory):
    closed = directory / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedPostgres(closed / "var", durable=False) as server:
        assert ask(server.url, "SELECT 1") == [(1,)]
    # With a list entry, the group bits show the widest permission any entry gives.
    assert closed.stat().st_mode & 0o007 == 0
    stranger = subprocess.run(["ls", closed / "var"], user="nobody", capture_output=True, check=False)
    assert stranger.returncode != 0


def test_several_run_side_by_side(directory):
    with ExitStack() as stack:
        servers = [
            stack.enter_context(kind(directory / str(number), durable=False))
            for number in range(2)
            for kind in (EmbeddedPostgres, EmbeddedRedis)
        ]
        assert len({server.url for server in servers}) == 4


def test_neither_server_outlives_a_killed_parent(directory):
    code = (
        "import sys, time, pathlib\n"
        "from backend.local_stack.postgres import EmbeddedPostgres\n"
        "from backend.local_stack.redis import EmbeddedRedis\n"
        "directory = pathlib.Path(sys.argv[1])\n"
        "with EmbeddedPostgres(directory, durable=False) as one, EmbeddedRedis(directory) as two:\n"
        "    print(one.process.pid, two.process.pid, flush=True)\n"
        "    time.sleep(600)\n"
    )
    command = [sys.executable, "-c", code, directory]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(alive, pids))
        parent.kill()
    assert eventually(lambda: not any(map(alive, pids)))


def test_redis_keeps_the_queue_over_a_restart(directory):
    with EmbeddedRedis(directory) as server:
        redis.from_url(server.url).set("kept", "yes")
    with EmbeddedRedis(directory) as server:
        client = redis.from_url(server.url)
        assert client.get("kept") == b"yes"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-ttl"}
        assert client.config_get("maxmemory") == {"maxmemory": str(256 * 2**20)}
        assert client.config_get("port") == {"port": "0"}


def test_a_full_redis_drops_what_expires_first_and_nothing_of_the_queue(directory):
    with EmbeddedRedis(directory, durable=False, maxmemory_mb=16) as server:
        client = redis.from_url(server.url)
        queue = Queue("interactive", connection=client, serializer=JSONSerializer)
        queue.enqueue_many(
            [Queue.prepare_data("builtins.print", job_id=f"job-{number}", result_ttl=0) for number in range(500)]
        )
        client.set("generation", "x", ex=2 * 86_400)
        for number in range(400):
            client.set(f"answer:{number}", b"x" * 100_000, ex=60)
        assert client.info("stats")["evicted_keys"] > 100
        assert client.info("memory")["used_memory"] <= 16 * 2**20
        assert len(queue.get_job_ids()) == 500
        assert all(client.exists(f"rq:job:job-{number}") for number in range(500))
        assert {client.ttl(f"rq:job:job-{number}") for number in range(500)} == {-1}
        assert client.get("generation") == b"x"
        assert client.exists("answer:399")


def test_without_a_redis_program_one_line_says_what_to_do(directory, monkeypatch):
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setattr(embedded_redis, "find_spec", lambda _: None)
    with pytest.raises(ServerError, match=r"^no Redis found: .*REDIS_URL[^\n]*$"):
        EmbeddedRedis(directory).prepare()


@pytest.mark.parametrize("kind", [EmbeddedPostgres, EmbeddedRedis])
def test_a_file_in_place_of_the_data_directory_is_one_readable_line(directory, kind):
    in_the_way = directory / "var"
    in_the_way.write_text("")
    with pytest.raises(ServerError, match=rf"^cannot use {in_the_way}[^\n]*$"):
        kind(in_the_way).prepare()


def test_a_socket_directory_that_somebody_else_made_is_refused(directory, monkeypatch):
    data_dir = directory / ("x" * 120)
    server = EmbeddedRedis(data_dir)
    place: Path = server.socket_dir
    place.symlink_to(directory)
    try:
        with pytest.raises(ServerError, match=r"belongs to somebody else|cannot use"):
            server.prepare()
    finally:
        place.unlink()


def test_what_the_server_said_last_is_in_the_error(directory):
    server = EmbeddedPostgres(directory, durable=False)
    server.prepare()
    (directory / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")
    server.start()
    with pytest.raises(ServerError, match=r"postgres ended with 1: .*no_such_setting"):
        server.wait_ready()
    server.stop()


def test_the_servers_see_none_of_our_environment(directory, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "of no concern to a server")
    with EmbeddedRedis(directory, durable=False) as server:
        environment = Path(f"/proc/{server.process.pid}/environ").read_bytes()
    assert b"SECRET_KEY" not in environment


def test_a_refused_connection_is_not_ready(directory):
    assert not EmbeddedPostgres(directory).is_ready()
    assert not EmbeddedRedis(directory).is_ready()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(host=str(directory), dbname="fuze", user="postgres")
