"""The README's tour, and the walk through projects and recommendations, work as pasted: their own lines run in a shell
against the running stack."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from backend.cli.demo.collection import read_collection
from tests.resilience.conftest import ROOT, Site, Stack

pytestmark = [
    pytest.mark.untraced,
    pytest.mark.processes,
    pytest.mark.requires_db,
    pytest.mark.requires_redis,
    pytest.mark.requires_ml,
    pytest.mark.skipif(shutil.which("curl") is None, reason="the tours need curl"),
]
# As `make run` has it: what is close in meaning is recommended too.
STACK_SETTINGS = {"EMBEDDING_PROVIDER": "local"}
SHOWN = 6
OF_THE_API = {"rate limiting", "redis", "caching", "api design", "http", "postgresql", "flask", "auth", "openapi"}


def walk(stack: Stack) -> list[str]:
    """What the lines print, each on its own."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/tour.md").read_text(), re.DOTALL)
    [lines] = [block for block in blocks if "/recommendations?" in block]
    surroundings = {"API": f"{stack.url}/api/v1", "PYTHON": sys.executable, "FUZE_DATA_DIR": str(stack.data_dir)}
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", lines],
        cwd=ROOT,
        env={**os.environ, **surroundings},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout.strip().splitlines()


def shown(lines: list[str]) -> list[list[tuple[str, str]]]:
    """Each list of recommendations that was printed: titles with their reasons."""
    printed: list[list[tuple[str, str]]] = []
    titles = [one["title"] for one in read_collection()["bookmarks"]]
    for line in lines:
        found = re.fullmatch(r"(\d+)\. (.+)", line)
        if found and found.group(1) == "1":
            printed.append([])
        if found:
            title = next(one for one in titles if found.group(2).startswith(f"{one} ("))
            printed[-1].append((title, found.group(2).removeprefix(f"{title} (").removesuffix(")")))
    return printed


def tagged(titles: list[str], tags: set[str]) -> int:
    """How many of the bookmarks carry one of the tags."""
    carried = {one["title"]: set(one["tags"]) for one in read_collection()["bookmarks"]}
    return sum(bool(carried[title] & tags) for title in titles)


def tags_of(wanted: str) -> set[str]:
    return next(set(one["tags"]) for one in read_collection()["bookmarks"] if one["title"] == wanted)


def test_the_walk_leads_from_a_project_to_better_recommendations(stack: Stack) -> None:
    before, after = shown(walk(stack))
    assert (len(before), len(after)) == (SHOWN, SHOWN)
    assert all(reasons for _, reasons in [*before, *after])
    attached = {"The application factory, and why create_app should only wire", "A token bucket by hand"}
    earlier, later = [title for title, _ in before], [title for title, _ in after]
    assert not attached.intersection(earlier)
    assert tagged(earlier, OF_THE_API) >= SHOWN - 1
    assert earlier[0] not in later, "what was attached is offered again"
    assert earlier[2] not in later, "what was refused is offered again"
    like_the_second = tags_of(earlier[1])
    assert later[0] != earlier[1]
    assert tags_of(later[0]) & like_the_second
    assert tagged(later, like_the_second) >= tagged(earlier, like_the_second)
    assert tagged(later, OF_THE_API) >= tagged(earlier, OF_THE_API)


def test_the_last_line_of_the_tour_finds_the_page_by_a_word_of_its_body(stack: Stack, site: Site) -> None:
    site.delay = 0.0
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    tour = next(block for block in blocks if "/search?q=" in block)
    assert len(tour.strip().splitlines()) == 5
    surroundings = {"API": f"{stack.url}/api/v1", "PAGE": site.url("zebrafinch"), "WORD": "ornithology"}
    done = subprocess.run(
        ["bash", "-eu", "-c", tour], env={**os.environ, **surroundings}, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["total"] == 1
    assert found["items"][0]["bookmark"]["url"] == site.url("zebrafinch")
    assert found["items"][0]["highlights"]["snippet"] == "<mark>Ornithology</mark> of zebrafinch."
