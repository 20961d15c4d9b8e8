"""A start that cannot work ends at once: one line that says what to change, no traceback, no secret, exit status 2."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from click.testing import CliRunner

from backend.cli import main
from backend.local_stack.postgres import EmbeddedPostgres
from config import ConfigurationError, load_settings
from tests.cli.show_wrong_settings import is_plain, start
from tests.support.processes import free_port
from tests.support.stack import NOT_INHERITED, ROOT, backend
from tests.support.wrong_settings import SECRET, WRONG, WrongSettings

pytestmark = [pytest.mark.integration, pytest.mark.processes]


def up(directory: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    settings = {"PORT": str(free_port()), "FUZE_DATA_DIR": str(directory / "var"), "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        [sys.executable, "-m", "backend", "up"],
        cwd=directory,
        env={**inherited, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def the_line(done: subprocess.CompletedProcess[str], status: int = 2) -> str:
    """The one line of a refusal."""
    assert (done.returncode, done.stdout) == (status, ""), done.stdout + done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert SECRET not in line
    return line


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name.replace(" ", "-"))
def test_wrong_settings_are_refused_in_one_line(
    directory: Path, monkeypatch: pytest.MonkeyPatch, wrong: WrongSettings
) -> None:
    """In this process, since there are many; `make run` itself is tried below, and by `scripts/wrong-settings`."""
    monkeypatch.chdir(directory)
    hidden = dict.fromkeys(NOT_INHERITED)
    refused = CliRunner().invoke(main, ["up"], env={**hidden, "FUZE_DATA_DIR": "var", **wrong.variables})
    assert isinstance(refused.exception, SystemExit)
    assert (refused.exit_code, refused.stdout) == (2, "")
    [line] = refused.stderr.splitlines()
    assert line.startswith("Error: ")
    assert wrong.said in line
    assert SECRET not in line
    assert not (directory / "var" / "postgres").exists()


def test_make_run_says_the_same_and_no_more() -> None:
    assert len(WRONG) >= 20
    for wrong in WRONG[0], WRONG[10]:
        assert is_plain(wrong, *start(wrong)), wrong.name


@pytest.mark.parametrize(
    "name", ["PREVIOUS_SECRET_KEY", "ALOWED_ORIGINS", "TRUSTED_PROXIE", "database_url", "FRONTENDURL"]
)
def test_a_misspelt_name_is_found_in_the_file_too(directory: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (directory / ".env").write_text(f"{name}=x\n")
    monkeypatch.chdir(directory)
    with pytest.raises(ConfigurationError, match=f"^{name} is not a setting: did you mean [A-Z_]+"):
        load_settings()


def test_names_of_other_programs_are_no_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOSTNAME", "REDIS_PORT", "POSTGRES_PASSWORD", "SMTP_HOST", "DATABASE_HOST", "FUZE_BIND", "LOG_FILE"):
        monkeypatch.setenv(name, "x")
    assert load_settings(_env_file=None).PORT


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with (
        tempfile.TemporaryDirectory(prefix="fuze-wrong-") as path,
        EmbeddedPostgres(Path(path), durable=False) as postgres,
    ):
        libc = "TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'"
        run(
            postgres.url,
            f"CREATE DATABASE ascii ENCODING 'SQL_ASCII' {libc}",
            f"CREATE DATABASE latin ENCODING 'LATIN1' {libc}",
            f"CREATE DATABASE plain ENCODING 'UTF8' {libc}",
            "CREATE ROLE visitor LOGIN",
            "REVOKE CREATE ON DATABASE plain FROM PUBLIC",
        )
        yield postgres


def run(url: str, *statements: str) -> None:
    with closing(psycopg2.connect(url.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        for statement in statements:
            connection.cursor().execute(statement)


def address(server: EmbeddedPostgres, database: str, role: str = "postgres") -> str:
    return f"postgresql://{role}:{SECRET}@/{database}?host={server.socket_dir}"


def tables(url: str) -> int:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("database", "role", "said"),
    [
        ("ascii", "postgres", "is encoded in SQL_ASCII"),
        ("latin", "postgres", "is encoded in LATIN1"),
        ("plain", "visitor", "CREATE EXTENSION vector"),
        ("fuze", "visitor", "GRANT CREATE ON SCHEMA public TO visitor"),
        ("none", "postgres", 'database "none" does not exist'),
        ("fuze", "nobody", 'role "nobody" does not exist'),
    ],
)
def test_a_database_that_will_not_do_is_refused_before_anything_is_changed(
    server: EmbeddedPostgres, directory: Path, database: str, role: str, said: str
) -> None:
    if (database, role) == ("fuze", "visitor"):
        run(server.url, "GRANT CONNECT ON DATABASE fuze TO visitor")
    url = address(server, database, role)
    lines = up(directory, DATABASE_URL=url, REDIS_URL="redis://127.0.0.1:9/0").stderr.splitlines()
    if database == "plain":
        assert len(lines) == 2, "the extension, and the tables"
    assert said in lines[0]
    migrated = backend("db", "upgrade", DATABASE_URL=url)
    assert migrated.returncode in (1, 2)
    assert said in migrated.stderr
    assert "Traceback" not in migrated.stderr
    assert SECRET not in "".join(lines) + migrated.stderr
    if database != "none":
        assert tables(address(server, database)) == 0


def test_a_role_that_may_not_change_the_tables_is_told_who_may(server: EmbeddedPostgres) -> None:
    assert backend("db", "upgrade", "0001", DATABASE_URL=server.owner_url).returncode == 0
    refused = backend("db", "upgrade", DATABASE_URL=server.application_url)
    backend("db", "downgrade", "base", DATABASE_URL=server.owner_url)
    assert refused.returncode == 1
    [line] = [line for line in refused.stderr.splitlines() if line.startswith("Error: ")]
    assert "Set DATABASE_MIGRATION_URL to the owner of the tables" in line
    assert "Traceback" not in refused.stderr


def test_a_full_disk_is_one_line(directory: Path) -> None:
    full = directory / "full"
    full.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(full)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("nothing can be mounted here")
    try:
        (full / "ballast").write_bytes(b"")
        with (full / "ballast").open("wb", buffering=0) as file:
            while True:
                try:
                    file.write(b"x" * 4096)
                except OSError:
                    break
        done = up(directory, FUZE_DATA_DIR=str(full / "var"))
        assert done.returncode in (1, 2)
        assert "no space left on device" in done.stderr.lower()
        assert "Traceback" not in done.stderr + done.stdout
    finally:
        subprocess.run(["umount", str(full)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_directory_that_nobody_can_write_to_is_one_line(directory: Path) -> None:
    assert "cannot use the data directory" in the_line(up(directory, FUZE_DATA_DIR="/proc/fuze"))


def test_a_data_directory_of_another_postgresql_is_one_line(directory: Path) -> None:
    (directory / "var" / "postgres").mkdir(parents=True)
    (directory / "var" / "postgres" / "PG_VERSION").write_text("15\n")
    done = up(directory)
    assert done.returncode == 1
    [line] = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert "was made by PostgreSQL 15, this is 18" in line
    assert "Traceback" not in done.stderr + done.stdout
