"""Responses that send a stored file, whole or the ranges of it that the client asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from flask import Response, request
from werkzeug.wsgi import FileWrapper

BLOCK_BYTES = 64 * 1024


@dataclass(frozen=True)
class FileDownload:
    """A file to download: `file` can be read and sought, and holds no connection between two reads."""

    file: BinaryIO
    name: str
    media_type: str
    size: int
    etag: str
    modified: datetime


def send_attachment(download: FileDownload) -> Response:
    """Return a file as an attachment: 206 for a range, 304 where the client has it, else 200.

    The server's own file wrapper would know neither `seek` nor a file without a descriptor.

    Raises:
        RequestedRangeNotSatisfiable: the range lies outside the file (416).
    """
    headers = {"Content-Disposition": f'attachment; filename="{download.name}"', "Cache-Control": "no-store"}
    body = FileWrapper(download.file, BLOCK_BYTES)
    response = Response(body, mimetype=download.media_type, headers=headers, direct_passthrough=True)
    response.content_length = download.size
    response.set_etag(download.etag)
    response.last_modified = download.modified
    response.make_conditional(request, accept_ranges=True, complete_length=download.size)
    return response
