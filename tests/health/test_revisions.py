"""The revision of the code, from the files of git, and that of the tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.health import revisions
from backend.health.revisions import code_revision, head_revision, known_revisions

pytestmark = pytest.mark.unit
HASH = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The root of a working copy of this test's own."""
    monkeypatch.setattr(revisions, "ROOT", tmp_path)
    code_revision.cache_clear()
    yield tmp_path
    code_revision.cache_clear()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


def test_of_a_branch_it_is_that_of_its_file(root: Path) -> None:
    write(root / ".git/HEAD", "ref: refs/heads/main")
    write(root / ".git/refs/heads/main", HASH)
    assert code_revision() == HASH


def test_of_a_packed_branch_it_is_that_of_the_list(root: Path) -> None:
    write(root / ".git/HEAD", "ref: refs/heads/main")
    write(root / ".git/packed-refs", f"# pack-refs with: peeled\n{HASH[::-1]} refs/heads/other\n{HASH} refs/heads/main")
    assert code_revision() == HASH


def test_without_a_branch_it_is_that_of_the_head(root: Path) -> None:
    write(root / ".git/HEAD", HASH)
    assert code_revision() == HASH


def test_in_a_linked_working_copy_it_is_that_of_its_own_branch(root: Path) -> None:
    write(root / ".git", f"gitdir: {root}/main/worktrees/linked")
    write(root / "main/worktrees/linked/HEAD", "ref: refs/heads/topic")
    write(root / "main/worktrees/linked/commondir", "../..")
    write(root / "main/refs/heads/topic", HASH)
    assert code_revision() == HASH


@pytest.mark.parametrize("head", [None, "ref: refs/heads/gone", "no hash"])
def test_elsewhere_there_is_none(root: Path, head: str | None) -> None:
    if head is not None:
        write(root / ".git/HEAD", head)
    assert code_revision() is None


def test_one_migration_is_the_newest() -> None:
    assert head_revision() in known_revisions()
    assert head_revision() == max(known_revisions())
