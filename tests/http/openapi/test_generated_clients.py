"""Clients generated from the OpenAPI document: in Python, which then calls a live server, and in TypeScript."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from backend.http.openapi.document import openapi_document
from tests.support.api import Api
from tests.support.live import LiveServer
from tests.support.processes import foreign_environment

pytestmark = [pytest.mark.integration, pytest.mark.processes]
PACKAGE = "fuze_generated_client"
# The generator knows no archives, but files of any kind; and what it writes need not be pretty.
PYTHON_CONFIG = {
    "post_hooks": [],
    "literal_enums": True,
    "content_type_overrides": {
        "application/zip": "application/octet-stream",
        "application/atom+xml": "text/html",
        "image/svg+xml": "text/html",
    },
}
TYPESCRIPT = "openapi-typescript@7.13.0"
Call = Callable[..., Any]


@pytest.fixture(scope="module")
def document(migrated_app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document, as a file."""
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_text(json.dumps(openapi_document(migrated_app)))
    return path


@pytest.fixture(scope="module")
def generated(document: Path) -> Iterator[Path]:
    """The Python client, which can be imported meanwhile. Whatever the generator drops, it warns of."""
    config = document.with_name("generator.json")
    config.write_text(json.dumps(PYTHON_CONFIG))
    target = document.with_name(PACKAGE)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    paths = ["--path", str(document), "--config", str(config), "--output-path", str(target)]
    done = subprocess.run(
        [*command, *paths], env=foreign_environment(), capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(document.parent)
        yield target
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def call(generated: Path, live: LiveServer, ada: Api) -> Iterator[Call]:
    """Calls an operation of the live server as ada, by its name; what came back, as an object of the client's."""
    client = import_module(PACKAGE).AuthenticatedClient(base_url=live.url, token=ada.token)

    def send(name: str, *arguments: Any, status: int = 200, **options: Any) -> Any:
        answer = import_module(f"{PACKAGE}.api.{name}").sync_detailed(*arguments, client=client, **options)
        assert answer.status_code == status, answer.content
        return answer.parsed

    with client:
        yield send


def model(name: str) -> Any:
    """A class of the client's."""
    return getattr(import_module(f"{PACKAGE}.models"), name)


def test_every_operation_and_every_schema_is_in_the_python_client(generated: Path, document: Path) -> None:
    told = json.loads(document.read_text())
    operations = [one["operationId"] for methods in told["paths"].values() for one in methods.values()]
    modules = {path.stem for path in generated.glob("api/*/*.py")}
    assert {operation for operation in operations if operation not in modules} == set()
    import_module(PACKAGE)
    models = set(dir(import_module(f"{PACKAGE}.models")))
    # What a query holds is arguments; a list, and any object, needs no class.
    schemas = {
        name
        for name, schema in told["components"]["schemas"].items()
        if schema.get("properties") and not name.endswith("Query")
    }
    assert schemas - models == set()


def test_the_python_client_makes_reads_changes_and_deletes(call: Call) -> None:
    body = model("BookmarkIn")(url="https://example.org/indexes", title="Indexes", tags=["databases"], capture=False)
    made = call("bookmarks.bookmarks_create_bookmark", status=201, body=body)
    assert (made.url, made.tags, made.capture.status) == ("https://example.org/indexes", ["databases"], "skipped")
    page = call("bookmarks.bookmarks_list_bookmarks", tag=["databases"], is_archived="any", page_size=5)
    assert (page.total, [item.id for item in page.items]) == (1, [made.id])
    assert call("bookmarks.bookmarks_read_bookmark", made.id).title == "Indexes"
    patch = model("BookmarkPatch")(is_favorite=True)
    assert call("bookmarks.bookmarks_update_bookmark", made.id, body=patch).is_favorite is True
    call("bookmarks.bookmarks_delete_bookmark", made.id, permanent=True, status=204)
    problem = call("bookmarks.bookmarks_read_bookmark", made.id, status=404)
    assert (type(problem).__name__, problem.status) == ("Problem", 404)


def test_the_python_client_saves_many_searches_and_acts(call: Call) -> None:
    items = [{"url": f"https://example.org/{name}", "title": name, "capture": False} for name in ("walrus", "heron")]
    saved = call("bookmarks.bookmarks_create_bookmarks", body=model("BulkIn")(items=items))
    assert (saved.created, [result.status for result in saved.results]) == (2, ["created", "created"])
    found = call("search.search_search", q="walrus", mode="text")
    assert [(hit.bookmark.title, hit.matched) for hit in found.items] == [("walrus", ["text"])]
    which = model("ActionFilter")(q="heron", is_archived="any")
    archive = model("ActionIn")(action="archive", filter_=which)
    assert call("bookmarks.bookmarks_act_on_bookmarks", body=archive).affected == 1
    left = call("bookmarks.bookmarks_list_bookmarks")
    assert [item.title for item in left.items] == ["walrus"]


def test_the_python_client_reads_either_answer_of_a_deletion(call: Call) -> None:
    project = call("projects.projects_create_project", status=201, body=model("ProjectIn")(name="Gone"))
    tasks = model("TasksIn")(items=[{"title": "a", "project_id": project.id}, {"title": "b"}])
    assert call("tasks.tasks_create_tasks", body=tasks).created == 2
    told = call("projects.projects_delete_project", project.id, permanent=True, dry_run=True)
    assert (told.dry_run, told.tasks, told.attachments) == (True, 1, 0)
    call("projects.projects_delete_project", project.id, permanent=True, status=204)


def test_types_for_typescript_are_generated(document: Path) -> None:
    """Nothing is dropped: each operation and each schema is in them."""
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("There is no node here.")
    target = document.with_name("api.d.ts")
    command = [npx, "--yes", TYPESCRIPT, str(document), "--output", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, cwd=document.parent)
    if done.returncode and "npm error" in done.stderr:
        pytest.skip(f"{TYPESCRIPT} cannot be fetched here.")
    assert done.returncode == 0, done.stdout + done.stderr
    written = target.read_text()
    told = json.loads(document.read_text())
    for methods in told["paths"].values():
        for operation in methods.values():
            assert f"    {operation['operationId']}: {{" in written
    for name in told["components"]["schemas"]:
        assert f"        {name}:" in written
    assert 'boolean | ("true" | "false" | "any") | null' in written
