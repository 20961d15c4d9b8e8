"""Storage of the files of exports outside the database: a directory, or a bucket of an S3-compatible server.

`EXPORT_STORAGE` says which; without it parts are rows, and nothing here is loaded. Each part is an object of its own
(`dashboard/<id>/<attempt>/<position>`), written whole or not at all: a killed worker leaves no unfinished upload, only
objects, which the purge lists and deletes. Used by the exports of the dashboard and of personal data.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urlsplit
from uuid import UUID

from flask import current_app
from loguru import logger

from backend.errors import Unavailable
from backend.extensions import current_settings
from config import Settings

if TYPE_CHECKING:
    from obstore.store import ObjectStore

ExportKind = Literal["dashboard", "personal"]
# Time-outs of one request, and how long a request that failed is repeated.
CONNECT_SECONDS, REQUEST_SECONDS, RETRY_SECONDS, RETRIES = 3, 20, 10, 2
# How long the result of a health check holds: listing a bucket costs money.
CHECKED_SECONDS = 30.0
NO_ANSWER = "The storage of exports does not answer."
NO_DIRECTORY = "The directory of EXPORT_STORAGE is missing, or this process may not write there."
_lock = threading.Lock()


class StorageUnavailable(Unavailable):
    detail = NO_ANSWER


class ExportStorage:
    """Parts of files by kind, id, attempt and position. Threads share it; each process has its own."""

    def __init__(self, settings: Settings) -> None:
        """Connect on first use."""
        # It takes 9 MiB and starts threads: only where it is configured.
        import obstore  # noqa: PLC0415

        self._api = obstore
        self._store = _object_store(settings)
        self._directory = _directory(settings)
        self._faults: tuple[type[Exception], ...] = (obstore.exceptions.BaseError, OSError)
        self._checked_at = float("-inf")
        self._fault: str | None = None

    def write(self, folder: str, position: int, data: bytes) -> None:
        """Write a part, whole or not at all.

        Raises:
            StorageUnavailable: it cannot be written.
        """
        with self._translated("written"):
            self._api.put(self._store, _path(folder, position), data, use_multipart=False)

    def read(self, folder: str, position: int) -> bytes | None:
        """Read a part; None if there is none.

        Raises:
            StorageUnavailable: it cannot be read.
        """
        with self._translated("read"):
            try:
                return bytes(self._api.get(self._store, _path(folder, position)).bytes())
            except FileNotFoundError:
                return None

    def delete(self, folder: str) -> None:
        """Delete all parts below a folder; there may be none.

        Raises:
            StorageUnavailable: they cannot be deleted.
        """
        with self._translated("deleted"):
            for objects in self._api.list(self._store, f"{folder}/"):
                self._api.delete(self._store, [one["path"] for one in objects])

    def delete_except(self, folder: str, attempt: int) -> None:
        """Delete the parts of all attempts at a file but one.

        Raises:
            StorageUnavailable: they cannot be deleted.
        """
        for name in self._folders(f"{folder}/"):
            if name != str(attempt):
                self.delete(f"{folder}/{name}")

    def delete_orphans(self, kind: ExportKind, existing: Callable[[Iterable[UUID]], Iterable[UUID]]) -> None:
        """Delete files whose rows are gone: expired, or deleted with an account; `existing` tells the others.

        Raises:
            StorageUnavailable: they cannot be deleted.
        """
        # Listed before the rows are read: those of a file that is begun meanwhile are not in the list.
        ids = [UUID(name) for name in self._folders(f"{kind}/")]
        for export_id in set(ids).difference(existing(ids)):
            self.delete(f"{kind}/{export_id}")

    def fault(self) -> str | None:
        """Return what is wrong with the storage, as a sentence; asked every 30 s at most."""
        if time.monotonic() - self._checked_at > CHECKED_SECONDS:
            self._fault = self._find_fault()
            self._checked_at = time.monotonic()
        return self._fault

    def _find_fault(self) -> str | None:
        # A directory that is missing has an empty list.
        if self._directory is not None:
            return None if os.access(self._directory, os.R_OK | os.W_OK | os.X_OK) else NO_DIRECTORY
        try:
            with self._translated("listed"):
                next(iter(self._api.list(self._store, "health/", chunk_size=1)), None)
        except StorageUnavailable:
            return NO_ANSWER
        return None

    def _folders(self, prefix: str) -> list[str]:
        with self._translated("listed"):
            found = self._api.list_with_delimiter(self._store, prefix)
        return [path.rstrip("/").rpartition("/")[2] for path in found["common_prefixes"]]

    @contextmanager
    def _translated(self, verb: str) -> Iterator[None]:
        try:
            yield
        except self._faults as error:
            # Behind its first line the library writes its own state.
            reason = str(error).partition("\n")[0]
            logger.warning("a part of an export cannot be {}: {}", verb, reason)
            raise StorageUnavailable from None


def export_storage() -> ExportStorage | None:
    """Return the storage of the running application in this process; None where exports are rows."""
    settings = current_settings()
    if not settings.EXPORT_STORAGE:
        return None
    name = f"export_storage {os.getpid()}"
    with _lock:
        # Its threads do not survive a fork.
        return current_app.extensions.setdefault(name, None) or _bind(name, settings)


def folder_of(kind: ExportKind, export_id: UUID, attempt: int = 1) -> str:
    """Return the folder of the parts that an attempt at a file writes."""
    return f"{kind}/{export_id}/{attempt}"


def _bind(name: str, settings: Settings) -> ExportStorage:
    storage: ExportStorage = ExportStorage(settings)
    current_app.extensions[name] = storage
    return storage


def _directory(settings: Settings) -> str | None:
    """Return the directory of the files; None where they lie in a bucket."""
    parts = urlsplit(settings.EXPORT_STORAGE)
    return unquote(parts.path) if parts.scheme == "file" else None


def _object_store(settings: Settings) -> ObjectStore:
    from obstore.store import LocalStore, S3Store  # noqa: PLC0415  # As above.

    directory = _directory(settings)
    if directory is not None:
        return LocalStore(directory, mkdir=True, automatic_cleanup=True)
    parts = urlsplit(settings.EXPORT_STORAGE)
    options: dict[str, Any] = {
        "endpoint": settings.EXPORT_STORAGE_ENDPOINT,
        "access_key_id": settings.EXPORT_STORAGE_ACCESS_KEY_ID,
        "secret_access_key": settings.EXPORT_STORAGE_SECRET_ACCESS_KEY.get_secret_value(),
    }
    return S3Store(
        parts.netloc,
        prefix=unquote(parts.path).strip("/") or None,
        region=settings.EXPORT_STORAGE_REGION,
        client_options={
            "allow_http": settings.EXPORT_STORAGE_ENDPOINT.startswith("http://"),
            "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
            "timeout": timedelta(seconds=REQUEST_SECONDS),
        },
        retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
        **{name: value for name, value in options.items() if value},
    )


def _path(folder: str, position: int) -> str:
    return f"{folder}/{position:06}"
