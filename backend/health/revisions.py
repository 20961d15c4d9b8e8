"""Revisions: of the code, and of the tables that it needs."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
MIGRATIONS = ROOT / "migrations" / "versions"
# As each migration says it; to import all of them takes half a second.
REVISION = re.compile(r"^(down_revision|revision)\b[^=]*=\s*['\"]?(\w+)", re.MULTILINE)
HASH = re.compile(r"[0-9a-f]{40,64}")


@cache
def known_revisions() -> frozenset[str]:
    """Return the revisions of all migrations that this code brings along."""
    return frozenset(found["revision"] for found in _migrations())


@cache
def head_revision() -> str | None:
    """Return the newest revision: the one that no other comes after; None where there are no migrations."""
    former = {found["down_revision"] for found in _migrations()}
    return next(iter(known_revisions() - former), None)


@cache
def code_revision() -> str | None:
    """Return the revision of the working copy that this code is in, from the files of git; None where it is in none."""
    try:
        git = _git_directory(ROOT / ".git")
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return _hash(head)
        name = head.removeprefix("ref: ")
        shared = git / "commondir"
        common = (git / shared.read_text().strip()).resolve() if shared.exists() else git
        return _hash(_reference(common, name))
    except (OSError, UnicodeError):
        return None


def _migrations() -> list[dict[str, str]]:
    return [dict(REVISION.findall(path.read_text("utf-8"))) for path in sorted(MIGRATIONS.glob("*.py"))]


def _git_directory(path: Path) -> Path:
    """Return git's directory; that of a linked working copy is named in a file."""
    if path.is_dir():
        return path
    return (path.parent / path.read_text().strip().removeprefix("gitdir: ")).resolve()


def _reference(common: Path, name: str) -> str:
    path = common / name
    if path.exists():
        return path.read_text().strip()
    packed = (line.split(" ") for line in (common / "packed-refs").read_text().splitlines())
    return next((parts[0] for parts in packed if parts[1:] == [name]), "")


def _hash(text: str) -> str | None:
    return text if HASH.fullmatch(text) else None
