"""Asking for recommendations over HTTP, for projects that stand for sections of lists."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from benchmarks.library import Library
from benchmarks.sections import Section, describe

MOST = 50  # Of `limit`, by the contract.


@dataclass(frozen=True)
class Case:
    """A section as the library has it: bookmark ids of the examples, and of what should be recommended."""

    section: Section
    description: str
    examples: frozenset[int]
    relevant: frozenset[int]


@dataclass(frozen=True)
class Answer:
    """What was recommended, best first: bookmark ids, the ids of the recommendations, and how long it took."""

    found: list[int]
    recommendation_ids: dict[int, int]
    milliseconds: float
    degraded: bool


def make_cases(library: Library, sections: Sequence[Section], links: Sequence[Mapping[str, object]]) -> list[Case]:
    """The sections in bookmark ids. Links that were merged are one bookmark, and an example if one of them is."""
    cases = []
    for section in sections:
        examples = frozenset(library.ids[number] for number in section.examples)
        relevant = frozenset(library.ids[number] for number in section.others) - examples
        cases.append(Case(section, describe(section, links), examples, relevant))
    return cases


@contextmanager
def project_of(client: httpx.Client, case: Case) -> Iterator[int]:
    """A project with the section's name, its examples told and attached; its id. At the end it is deleted for good."""
    project_id = begin_project(client, case.section.name, case.description, case.examples)
    try:
        yield project_id
    finally:
        client.delete(f"projects/{project_id}", params={"permanent": "true"}).raise_for_status()


def begin_project(client: httpx.Client, name: str, description: str, attached: frozenset[int]) -> int:
    """A new project with these bookmarks attached; its id."""
    body = {"name": name, "description": description}
    project_id: int = client.post("projects", json=body).raise_for_status().json()["id"]
    for bookmark_id in sorted(attached):
        client.put(f"projects/{project_id}/bookmarks/{bookmark_id}", json={}).raise_for_status()
    return project_id


def ask(client: httpx.Client, engine: str = "auto", limit: int = MOST, **subject: int | str) -> Answer:
    """The recommendations of an engine for a subject: `project_id`, `task_id`, `bookmark_id`, `text` or none."""
    started = time.perf_counter()
    answer = client.get("recommendations", params={"engine": engine, "limit": limit, **subject})
    milliseconds = (time.perf_counter() - started) * 1000
    if answer.status_code != httpx.codes.OK:
        raise RuntimeError(f"{answer.status_code} for {engine} of {subject}: {answer.text}")
    body = answer.json()
    found = [item["bookmark"]["id"] for item in body["items"]]
    ids = [item["recommendation_id"] for item in body["items"]]
    return Answer(found, dict(zip(found, ids, strict=True)), milliseconds, body["degraded"])


def tell(client: httpx.Client, answer: Answer, bookmark_id: int, project_id: int, relevant: bool) -> None:
    """Say of one recommendation whether it fits the project."""
    body = {
        "bookmark_id": bookmark_id,
        "recommendation_id": answer.recommendation_ids[bookmark_id],
        "project_id": project_id,
        "kind": "relevant" if relevant else "not_relevant",
    }
    client.post("feedback", json=body).raise_for_status()


def search(client: httpx.Client, case: Case) -> list[int]:
    """What a person finds who searches for the section's headings instead, without what is attached already."""
    params = {"q": case.section.words, "mode": "hybrid", "page_size": MOST}
    body = client.get("search", params=params).raise_for_status().json()
    return [item["bookmark"]["id"] for item in body["items"] if item["bookmark"]["id"] not in case.examples]
