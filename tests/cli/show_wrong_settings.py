"""What `scripts/wrong-settings` runs: `make run` with each wrong setting, one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import click

from tests.support.processes import free_port
from tests.support.stack import ROOT
from tests.support.wrong_settings import SECRET, WRONG, WrongSettings

HIDDEN = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")


def start(wrong: WrongSettings) -> tuple[int, list[str], str]:
    """Run it: make's exit status, what Fuze said, and all that was printed."""
    with tempfile.TemporaryDirectory(prefix="fuze-wrong-") as directory:
        environment = {name: value for name, value in os.environ.items() if name not in HIDDEN}
        done = subprocess.run(
            ["make", "run"],
            cwd=ROOT,
            env={**environment, "FUZE_DATA_DIR": f"{directory}/var", "PORT": str(free_port()), **wrong.variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    printed = done.stdout + done.stderr
    return done.returncode, [line for line in printed.splitlines() if not line.startswith("make: ***")], printed


def is_plain(wrong: WrongSettings, status: int, lines: list[str], printed: str) -> bool:
    """Whether one line says what is wrong, and no more."""
    is_one = len(lines) == 1 and lines[0].startswith("Error: ") and wrong.said in lines[0]
    return status == 2 and is_one and "Traceback" not in printed and SECRET not in printed


def main() -> int:
    faults = 0
    for wrong in WRONG:
        status, lines, printed = start(wrong)
        plain = is_plain(wrong, status, lines, printed)
        faults += not plain
        click.echo(f"{'ok' if plain else 'NOT PLAIN':<10} {status}  {wrong.name}: {' / '.join(lines)}")
    click.echo(f"{len(WRONG) - faults} of {len(WRONG)} are refused in one line")
    return min(faults, 1)


if __name__ == "__main__":
    sys.exit(main())
