"""An export as a zip of CSV files (RFC 4180, UTF-8, a header), one for each table."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from typing import IO

from backend.dashboard.export.cells import csv_cell
from backend.dashboard.export.head import ExportHead
from backend.dashboard.export.tables import ExportTable
from backend.transfer.export.bookmark_csv import write_lines


def write_csv_archive(file: IO[bytes], _head: ExportHead, tables: Sequence[ExportTable]) -> None:
    """Write the archive."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in tables:
            with archive.open(f"{table.name}.csv", "w", force_zip64=True) as lines:
                lines.write(write_lines([table.columns]).encode())
                for batch in table.batches:
                    lines.write(write_lines([list(map(csv_cell, values)) for values in batch]).encode())
