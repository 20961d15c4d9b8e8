"""Files of exports in a bucket or a directory: written, downloaded, deleted, and what happens while it is away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import func, text, update

from backend.dashboard.jobs import purge_exports, run_export
from backend.extensions import current_settings, db
from backend.health.service import health_monitor
from backend.jobs.models import Job
from backend.profile.jobs import purge_exports as purge_personal_exports
from backend.profile.jobs import run_export as run_personal_export
from backend.transfer import export_storage as storage_module
from backend.transfer import stored_parts
from backend.transfer.export_storage import StorageUnavailable, export_storage, folder_of
from config import ConfigurationError, load_settings
from tests.support.api import Api
from tests.support.s3_server import BUCKET, KEY_ID, REGION, SECRET, S3Server, s3_server

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as running:
        yield running


@pytest.fixture
def bucket(app: Flask, server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """The server as the storage of exports, empty, with small parts."""
    server.objects.clear()
    server.requests.clear()
    server.fault = 0
    monkeypatch.setattr(stored_parts, "PART_BYTES", 500)
    monkeypatch.setattr(storage_module, "RETRIES", 0)
    values = {
        "EXPORT_STORAGE": f"s3://{BUCKET}/a prefix",
        "EXPORT_STORAGE_ENDPOINT": server.url,
        "EXPORT_STORAGE_REGION": REGION,
        "EXPORT_STORAGE_ACCESS_KEY_ID": KEY_ID,
        "EXPORT_STORAGE_SECRET_ACCESS_KEY": SecretStr(SECRET),
    }
    yield from _configured(app, monkeypatch, values, server)


@pytest.fixture
def directory(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory as the storage of exports."""
    path = tmp_path / "with blank"
    yield from _configured(app, monkeypatch, {"EXPORT_STORAGE": f"file://{tmp_path}/with%20blank"}, path)


def _configured(app: Flask, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], given: Any) -> Iterator[Any]:
    with app.app_context():
        settings = current_settings()
        db.session.remove()
    for name, value in values.items():
        monkeypatch.setattr(settings, name, value)
    yield given
    app.extensions.pop(f"export_storage {os.getpid()}", None)


def ask(person: Api) -> str:
    for number in range(8):
        person.post("/bookmarks", {"url": f"https://example.org/{number}", "notes": "n" * 300, "capture": False})
    return str(person.post("/dashboard/export", {"format": "json"}).json["id"])


def run(person: Api, job_id: str) -> Job:
    with person.app.app_context():
        run_export(job_id)
        db.session.remove()
        job = db.session.get_one(Job, UUID(job_id))
        db.session.remove()
    return job


def rows(person: Api, table: str) -> int:
    with person.app.app_context():
        return int(db.session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def purge(person: Api) -> None:
    with person.app.app_context():
        purge_exports()
        purge_personal_exports()


def test_an_export_lies_in_the_bucket_and_is_downloaded_through_the_server(
    ada: Api, bob: Api, bucket: S3Server
) -> None:
    job_id = ask(ada)
    link = run(ada, job_id).result["download_url"]  # type: ignore[index]
    assert rows(ada, "dashboard_export_parts") == 0
    assert sorted(bucket.objects)[0] == f"a prefix/dashboard/{job_id}/1/000000"
    assert {len(data) for data in list(bucket.objects.values())[:-1]} == {500}
    whole = ada.get(link)
    assert whole.status_code == 200
    assert whole.data == b"".join(data for _, data in sorted(bucket.objects.items()))
    assert len(json.loads(whole.data)["bookmarks"]) == 8
    assert bob.get(link).status_code == 404
    assert Api(ada.app).get(link).status_code == 401
    part = ada.request("GET", link, headers={"Range": "bytes=490-1210"})
    assert (part.status_code, part.data) == (206, whole.data[490:1211])
    assert ada.request("GET", link, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304


def test_the_purge_deletes_what_has_no_row_and_nothing_else(ada: Api, bucket: S3Server) -> None:
    kept, gone = ask(ada), ask(ada)
    for job_id in (kept, gone):
        run(ada, job_id)
    orphan = f"a prefix/personal/{uuid4()}/1/000000"
    bucket.objects |= {orphan: b"of a deleted account", "a prefix/else": b"x", "dashboard/1": b"x"}
    others = {name for name in bucket.objects if gone not in name} - {orphan}
    with ada.app.app_context():
        db.session.execute(
            text("UPDATE dashboard_exports SET expires_at = now() - interval '1 second' WHERE job_id = :id"),
            {"id": gone},
        )
        db.session.commit()
    purge(ada)
    assert set(bucket.objects) == others


def test_what_a_killed_worker_left_is_no_part_of_the_file_and_is_deleted(ada: Api, bucket: S3Server) -> None:
    job_id = ask(ada)
    bucket.objects[f"a prefix/dashboard/{job_id}/1/000000"] = b"half"
    with ada.app.app_context():
        lost = {"status": "running", "attempts": 1, "lease_until": func.now() - text("interval '1 second'")}
        db.session.execute(update(Job).where(Job.id == job_id).values(**lost))
        db.session.commit()
    job = run(ada, job_id)
    assert {name.split("/")[3] for name in bucket.objects} == {"2"}
    assert len(json.loads(ada.get(job.result["download_url"]).data)["bookmarks"]) == 8  # type: ignore[index]


@pytest.mark.parametrize("fault", [503, 403])
def test_while_the_storage_is_away_jobs_wait_and_downloads_are_503(ada: Api, bucket: S3Server, fault: int) -> None:
    link = run(ada, ask(ada)).result["download_url"]  # type: ignore[index]
    waiting = ask(ada)
    bucket.fault = fault
    refused = ada.get(link)
    assert (refused.status_code, refused.content_type) == (503, "application/problem+json")
    assert int(refused.headers["Retry-After"]) > 0
    assert SECRET not in refused.get_data(as_text=True)
    assert run(ada, waiting).status == "queued"
    shown = ada.get(f"/jobs/{waiting}").json
    assert (shown["status"], shown["attempts"]) == ("queued", 0)
    assert shown["progress"]["message"] == "The storage of exports does not answer. Trying again"
    purge(ada)
    bucket.fault = 0
    with ada.app.app_context():
        db.session.execute(update(Job).values(run_after=func.now()))
        db.session.commit()
    assert run(ada, waiting).status == "succeeded"
    assert ada.get(link).status_code == 200


def test_after_hours_without_the_storage_the_job_has_failed(ada: Api, bucket: S3Server) -> None:
    job_id = ask(ada)
    bucket.fault = 503
    with ada.app.app_context():
        db.session.execute(update(Job).values(created_at=func.now() - text("interval '7 hours'")))
        db.session.commit()
    job = run(ada, job_id)
    assert (job.status, job.error) == ("failed", "The storage of exports does not answer.")


def test_health_tells_that_the_storage_is_away(ada: Api, bucket: S3Server) -> None:
    def checked() -> Any:
        with ada.app.app_context():
            health_monitor().forget()
            storage = export_storage()
            assert storage is not None
            storage._checked_at = float("-inf")
        return ada.app.test_client().get("/api/health").json["checks"]["storage"]

    assert checked()["status"] == "healthy"
    bucket.fault = 503
    told = checked()
    assert (told["status"], told["detail"]) == ("degraded", "The storage of exports does not answer.")


def test_personal_exports_lie_there_too(ada: Api, bucket: S3Server) -> None:
    ada.save("https://example.org/a", notes="n" * 2_000)
    job_id = ada.post("/profile/export", {}).json["id"]
    with ada.app.app_context():
        run_personal_export(job_id)
        db.session.remove()
    link = ada.get(f"/jobs/{job_id}").json["result"]["download_url"]
    assert rows(ada, "export_parts") == 0
    assert ada.get(link).data == b"".join(data for _, data in sorted(bucket.objects.items()))
    bucket.fault = 503
    assert ada.get(link).status_code == 503
    bucket.fault = 0
    bucket.objects.clear()
    assert ada.get(link).status_code == 404


def test_a_directory_does_the_same(ada: Api, directory: Path) -> None:
    job = run(ada, ask(ada))
    assert len(json.loads(ada.get(job.result["download_url"]).data)["bookmarks"]) == 8  # type: ignore[index]
    assert [path.relative_to(directory).parts[:2] for path in directory.rglob("000000")] == [("dashboard", str(job.id))]
    with ada.app.app_context():
        storage = export_storage()
        assert storage is not None
        assert storage.fault() is None
        assert storage.read(folder_of("dashboard", uuid4()), 0) is None
        storage.delete(folder_of("dashboard", uuid4()))
        db.session.execute(text("DELETE FROM dashboard_exports"))
        db.session.commit()
    purge(ada)
    assert list(directory.rglob("*")) == []


def test_a_missing_directory_is_told(ada: Api, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_module, "CHECKED_SECONDS", 0.0)
    with ada.app.app_context():
        storage = export_storage()
        assert storage is not None
        assert storage.fault() is None
        directory.rename(directory.with_name("away"))
        assert storage.fault() == storage_module.NO_DIRECTORY
        directory.with_name("away").rename(directory)
        assert storage.fault() is None


def test_a_wrong_secret_is_told_without_it(
    ada: Api, bucket: S3Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with ada.app.app_context():
        monkeypatch.setattr(current_settings(), "EXPORT_STORAGE_SECRET_ACCESS_KEY", SecretStr("another-s3cret-value"))
        storage = export_storage()
        assert storage is not None
        with pytest.raises(StorageUnavailable) as raised:
            storage.write("dashboard/x/1", 0, b"data")
    assert "another-s3cret-value" not in f"{raised.value!r} {storage!r} {vars(storage)!r} {caplog.text}"
    assert bucket.objects == {}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"EXPORT_STORAGE": "bucket/prefix"}, "EXPORT_STORAGE: is not an address"),
        ({"EXPORT_STORAGE": "s3://Bucket_"}, "EXPORT_STORAGE: is not an address"),
        ({"EXPORT_STORAGE": "s3://key:s3cret@bucket"}, "keys have settings of their own"),
        ({"EXPORT_STORAGE": "file://relative/path"}, "EXPORT_STORAGE: is not an address"),
        ({"EXPORT_STORAGE_ENDPOINT": "minio:9000"}, "EXPORT_STORAGE_ENDPOINT: is not an address"),
        ({"EXPORT_STORAGE_ACCESS_KEY_ID": "key"}, "EXPORT_STORAGE_SECRET_ACCESS_KEY"),
    ],
)
def test_wrong_settings_stop_the_start(values: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_settings(_env_file=None, FUZE_DATA_DIR=tmp_path, **values)
    assert said in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_the_library_is_loaded_only_where_it_is_configured() -> None:
    code = "import backend.transfer.export_storage, sys; assert 'obstore' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
