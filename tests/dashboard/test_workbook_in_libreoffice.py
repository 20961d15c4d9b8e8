"""A workbook as another program reads it: LibreOffice opens it and says what each cell holds."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pypdf
import pytest
from flask import Flask
from sqlalchemy import text

from backend.clock import utc_now
from backend.extensions import db
from tests.dashboard.test_export import FORMULAS, export
from tests.support.api import Api

SOFFICE = next(filter(None, map(shutil.which, ("soffice", "libreoffice"))), None)
pytestmark = [
    *(pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis),
    pytest.mark.skipif(SOFFICE is None, reason="no LibreOffice on this machine (libreoffice-calc-nogui)"),
]
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
CHART = "{urn:oasis:names:tc:opendocument:xmlns:chart:1.0}"
TRUTHS = {"of:=TRUE()": True, "of:=FALSE()": False}
SECONDS = 120


class Cell(NamedTuple):
    """What a cell holds, as OpenDocument writes it."""

    type: str
    value: Any


def convert(workbook: Path, ending: str) -> Path:
    """What LibreOffice makes of a workbook; it says nothing but that."""
    assert SOFFICE is not None
    profile = f"-env:UserInstallation={(workbook.parent / 'profile').as_uri()}"
    command = [SOFFICE, profile, "--headless", "--convert-to", ending, "--outdir", str(workbook.parent), str(workbook)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    made = workbook.with_suffix(f".{ending}")
    told = [line for line in (done.stdout + done.stderr).splitlines() if line]
    # Java, for which it looks first, is no part of it.
    assert [line for line in told if not line.startswith(("convert ", "Warning: failed to launch javaldx"))] == []
    return made


def sheets_of(document: Path) -> dict[str, list[list[Cell | None]]]:
    """The rows of each sheet of a flat OpenDocument spreadsheet, without empty ones, and without what charts hold."""
    book = ElementTree.parse(document).find(f"{OFFICE}body/{OFFICE}spreadsheet")
    assert book is not None
    return {
        str(table.get(f"{TABLE}name")): [
            row for row in map(list, map(_cells, table.findall(f"{TABLE}table-row"))) if row
        ]
        for table in book.findall(f"{TABLE}table")
    }


def _cells(row: ElementTree.Element) -> Iterator[Cell | None]:
    empty = 0
    for element in row.findall(f"{TABLE}table-cell"):
        repeated = int(element.get(f"{TABLE}number-columns-repeated", "1"))
        kind = element.get(f"{OFFICE}value-type")
        if kind is None:
            empty += repeated
            continue
        yield from [None] * empty
        empty = 0
        yield from [_cell(element, kind)] * repeated


def _cell(element: ElementTree.Element, kind: str) -> Cell:
    formula = element.get(f"{TABLE}formula")
    if formula is None:
        return Cell(kind, _value(element, kind))
    # It takes a truth value for a function that returns it.
    assert formula in TRUTHS
    return Cell("boolean", TRUTHS[formula])


def _value(element: ElementTree.Element, kind: str) -> Any:
    if kind == "string":
        return "\n".join("".join(part.itertext()) for part in element.findall(f"{TEXT}p"))
    value = str(element.get(f"{OFFICE}{'value' if kind == 'float' else f'{kind}-value'}"))
    return {"float": float, "date": datetime.fromisoformat}[kind](value)


def test_libreoffice_reads_what_was_written(ada: Api, context: Flask, tmp_path: Path) -> None:
    """Values with their types, charts, nothing that computes, and no complaint."""
    fields = {"tags": ["z", "to read"], "notes": "n" * 40_000, "created_at": "2026-02-28"}
    saved = ada.save("https://example.org/a", title="Ünï\u2028code 🗂", **fields)
    for place, formula in enumerate(FORMULAS):
        ada.save(f"https://example.org/{place}", title=formula, notes=formula, created_at="2026-04-01T12:30:15Z")
    project = ada.post("/projects", {"name": "=Plans", "technologies": ["Zig", "SQL"]}).json
    task = ada.post("/tasks", {"title": "Task", "project_id": project["id"], "due_at": "2026-05-01"}).json
    db.session.execute(
        text("UPDATE bookmarks SET word_count = 1234, is_read = true WHERE id = :id"), {"id": saved["id"]}
    )
    db.session.commit()
    workbook = tmp_path / "export.xlsx"
    workbook.write_bytes(ada.get(export(ada, "xlsx", include_history=True)).data)
    flat = convert(workbook, "fods")
    sheets = sheets_of(flat)
    assert list(sheets) == ["Summary", "Bookmarks", "Tags", "Projects", "Tasks", "Activity"]
    tables = {name: _table(rows) for name, rows in sheets.items() if name != "Summary"}
    first = tables["Bookmarks"][0]
    assert first["id"] == Cell("float", saved["id"])
    assert first["is_read"] == Cell("boolean", True)
    assert first["word_count"] == Cell("float", 1234)
    assert first["created_at"] == Cell("date", datetime(2026, 2, 28))
    assert first["tags"] == Cell("string", "z, to read")
    assert first["title"].value.replace("\u2028", " ") == "Ünï code 🗂"
    assert len(first["notes"].value) == 32_767
    assert tables["Bookmarks"][1]["created_at"] == Cell("date", datetime(2026, 4, 1, 12, 30, 15))
    assert {row["title"].type for row in tables["Bookmarks"]} == {"string"}
    assert tables["Tasks"][0]["id"] == Cell("float", task["id"])
    assert tables["Tasks"][0]["due_at"] == Cell("date", datetime(2026, 5, 1, 23, 59, 59))
    assert tables["Projects"][0]["name"] == Cell("string", "'=Plans")
    assert {row["created_at"].type for row in tables["Activity"]} == {"date"}
    summary = {row[0].value: row[1] for row in sheets["Summary"] if row[0] and len(row) > 1}
    assert summary["bookmarks"] == Cell("float", 1 + len(FORMULAS))
    assert summary[f"{utc_now():%Y-%m}"].type == "float"
    root = ElementTree.parse(flat).getroot()
    assert len(list(root.iter(f"{CHART}chart"))) == 2
    written = "".join(page.extract_text() for page in pypdf.PdfReader(convert(workbook, "pdf")).pages[:1])
    assert "Fuze export" in written


def _table(rows: list[list[Cell | None]]) -> list[dict[str, Cell]]:
    head = [str(cell.value) for cell in rows[0] if cell]
    return [{name: cell for name, cell in zip(head, row, strict=False) if cell} for row in rows[1:]]
