"""Bodies that carry a file: multipart/form-data, read in bounded memory.

A file that comes in goes to disk piece by piece, below the data directory; texts beside it are few and short.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from tempfile import SpooledTemporaryFile, gettempdir
from typing import IO, TYPE_CHECKING, Any, cast

from werkzeug.datastructures import FileStorage

from backend.errors import Invalid, MalformedBody, UnsupportedMediaType

if TYPE_CHECKING:
    from flask import Request

MEDIA_TYPE = "multipart/form-data"
BINARY_SCHEMA = {"type": "string", "format": "binary", "examples": ["https://example.org/indexes\n"]}
PIECE_BYTES = 1024 * 1024
# A smaller file stays in memory.
SPOOLED_BYTES = 512 * 1024


def is_multipart(request: Request) -> bool:
    """Tell whether a request says that its body is multipart."""
    return request.mimetype == MEDIA_TYPE


def open_spooled(data_dir: Path) -> IO[bytes]:
    """Open a file without a name, in which a file comes in; what is left of it is gone with its process."""
    return cast("IO[bytes]", SpooledTemporaryFile(SPOOLED_BYTES, dir=str(uploads_directory(data_dir))))


def uploads_directory(data_dir: Path) -> Path:
    """Return the directory for files without a name, and make it where it is missing.

    It is `<data-dir>/uploads`: in a container, `/tmp` is memory. Where nothing may be written, `/tmp` it is.
    """
    directory = data_dir / "uploads"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:
        directory = Path(gettempdir())
    return directory


def form_values(request: Request) -> dict[str, Any]:
    """Read the fields of a body: texts as `str`, files as `FileStorage`.

    Raises:
        UnsupportedMediaType: the body is of another type.
        MalformedBody: it cannot be read, or ends too early.
        Invalid: a field is given more than once.
    """
    if not is_multipart(request):
        raise UnsupportedMediaType(f"The body must be sent as {MEDIA_TYPE}.")
    values: dict[str, Any] = {}
    for name, value in _fields(request):
        if name in values:
            raise Invalid.field(f"body.{name}", "This field may be given only once.", "repeated")
        values[name] = value
    return values


def form_digest(request: Request) -> bytes:
    """Hash what a body says, whatever boundary stands between its parts; files are left at their beginning.

    Raises:
        MalformedBody: the body cannot be read.
    """
    digest = sha256()
    for name, value in _fields(request):
        digest.update(sha256(name.encode()).digest() + _value_digest(value))
    return digest.digest()


def file_of(value: object) -> FileStorage:
    """Take the value of a field that is a file.

    Raises:
        ValueError: it is a text.
    """
    if not isinstance(value, FileStorage):
        raise ValueError("Input should be a file, sent with a file name")
    return value


def _fields(request: Request) -> list[tuple[str, str | FileStorage]]:
    parser_fault = "The body is not well-formed multipart/form-data, or ends too early."
    try:
        return [*request.form.items(multi=True), *request.files.items(multi=True)]
    except ValueError:
        raise MalformedBody(parser_fault) from None


def _value_digest(value: str | FileStorage) -> bytes:
    if isinstance(value, str):
        return sha256(value.encode()).digest()
    digest = sha256()
    while piece := value.stream.read(PIECE_BYTES):
        digest.update(piece)
    value.stream.seek(0)
    return digest.digest()
