"""Every export in ../shared/data/exports, where it is there, imported by the job: no line vanishes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.api import Api
from tests.transfer.conftest import assert_adds_up, run, send_file

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
EXPORTS = Path(__file__).parents[3] / "shared" / "data" / "exports"
FILES = sorted(path for path in EXPORTS.rglob("*") if path.is_file()) if EXPORTS.is_dir() else []


@pytest.mark.skipif(not FILES, reason="../shared/data is not here")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_line_of_an_export_is_accounted_for(ada: Api, path: Path) -> None:
    asked = send_file(ada, path.read_bytes(), capture="false")
    assert asked.status_code == 202, asked.get_data(as_text=True)
    job = run(ada, asked.json["id"])
    assert job["status"] == "succeeded", job
    result = job["result"]
    assert_adds_up(result)
    assert ada.get("/bookmarks", is_archived="any").json["total"] == result["created"]
    again = run(ada, send_file(ada, path.read_bytes(), capture="false").json["id"])["result"]
    assert (again["created"], again["found"]) == (0, result["found"])
