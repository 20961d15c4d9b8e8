"""What holds for the client's files, without a browser."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from flask import Flask

from backend.web.files import ALL_STYLES, CLIENT, ENCODERS, ClientFiles
from backend.web.middleware import preload_web_client, register_web_client
from backend.web.shell import ENTRY, FIRST, Shell

pytestmark = pytest.mark.unit
FILES = ClientFiles()
LOCK = json.loads((CLIENT.parent / "vendor.lock.json").read_text())
OURS = sorted(path for path in CLIENT.rglob("*.js") if "vendor" not in path.parts)
SCREENS = sorted(path for path in FILES.by_path if path.startswith("screens/"))
TEXT = r"'((?:[^'\\]|\\.)*)'"
FIRST_LOAD_BYTES = 90 * 1024
MOST_LINES = 300
# Each would let text become markup, or a script.
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|createContextualFragment"
    r"|document\.write|\beval\(|new Function"
)


def test_every_import_leads_to_a_file() -> None:
    for module in (path for path in FILES.by_path if path.endswith(".js")):
        for imported in FILES.imported_by(module):
            assert imported in FILES.by_path, f"{module} imports {imported}"
    screens = re.findall(r"=> import\('\./([^']+)'\)", FILES.text("routes.js"))
    assert set(screens) == set(SCREENS)


def test_modules_that_are_imported_later_are_there() -> None:
    imported = [(path, name) for path in OURS for name in re.findall(r"\bimport\('([^']+)'\)", path.read_text())]
    assert len(imported) > len(SCREENS)
    for path, name in imported:
        assert (path.parent / name).is_file(), f"{path} imports {name}"


@pytest.mark.parametrize("screen", SCREENS)
def test_the_first_load_is_small(screen: str) -> None:
    """What a browser fetches before a screen: the page, the styles, and all modules that the page names."""
    page = Shell(FILES, "").page(screen)
    named = re.findall(r'(?:href|src)="/assets/\w+/([^"]+\.(?:js|css))"', page.content.decode())
    assert {ALL_STYLES, screen, ENTRY, FIRST} <= set(named)
    assert len(named) == len(set(named))
    assert sum(len(file.body("br")[0]) for file in [page, *map(FILES.by_path.__getitem__, named)]) <= FIRST_LOAD_BYTES


def test_the_first_request_waits_for_no_other_module() -> None:
    assert FILES.imported_by(FIRST) == [FIRST]


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.relative_to(CLIENT).as_posix())
def test_modules_are_short_and_say_what_they_are(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0].startswith("// ")
    assert len(lines) <= MOST_LINES or path.parent.name == "messages"


def test_no_module_makes_markup_of_text() -> None:
    assert not [str(path) for path in OURS if FORBIDDEN.search(path.read_text())]


def test_styles_of_elements_are_set_by_properties() -> None:
    """A style attribute in a template would be refused by the policy."""
    assert not [str(path) for path in OURS if re.search(r"""\sstyle=["'`]""", path.read_text())]


def test_libraries_are_those_of_the_lock_file() -> None:
    written = {name: digest for package in LOCK["packages"] for name, digest in package["written"].items()}
    present = {path.name for path in (CLIENT / "vendor").iterdir() if not path.name.endswith(".d.ts")}
    assert present == set(written)
    for name, digest in written.items():
        assert hashlib.sha256((CLIENT / "vendor" / name).read_bytes()).hexdigest() == digest, name


def test_each_library_comes_with_its_licence() -> None:
    for package in LOCK["packages"]:
        assert package["licence"] in ("MIT", "Apache-2.0", "MPL-2.0")
        assert package["integrity"].startswith("sha512-")
        assert not package["files"] or any(name.startswith("LICENSE") for name in package["written"])


def test_every_text_is_there_in_german_too() -> None:
    german = set(re.findall(rf"^  {TEXT}: {TEXT},$", FILES.text("messages/de.js"), re.MULTILINE))
    assert german
    known = {english for english, _ in german}
    used = set()
    for path in OURS:
        text = path.read_text()
        used |= set(re.findall(rf"\bt\(\s*{TEXT}", text))
        used |= {one for pair in re.findall(rf"\btn\(\s*{TEXT},\s*{TEXT}", text) for one in pair}
    assert used == known
    for english, translated in german:
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", translated)), english


def test_files_are_encoded_before_the_processes_are_forked() -> None:
    app = Flask("client")
    register_web_client(app)
    preload_web_client(app)
    served: ClientFiles = app.extensions["web_client"]._files
    assert all({*file._bodies} == {*ENCODERS} for file in served.by_path.values())
