"""A zip with export files of other formats: what Omnivore and Pocket give out. It is never unpacked as a whole."""

from __future__ import annotations

import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import IO, BinaryIO, cast

from backend.transfer.reading.bounds import HEAD_BYTES
from backend.transfer.records import ImportFormat, Record, UnreadableFile

# Of all members that are read, once inflated.
MAX_INFLATED_BYTES = 256 * 1024 * 1024
# Deflate reaches 1,032 to 1 on nothing but zeros; export files stay under 30 to 1.
MAX_RATIO = 100
RATIO_APPLIES_FROM = 1024 * 1024
# The list of members is read whole: 100,000 of them at least.
MAX_DIRECTORY_BYTES = 8 * 1024 * 1024

NO_ZIP = "The zip archive is damaged."
TOO_MANY = "The zip archive holds too many files."
TOO_LARGE = f"The zip archive inflates to more than {MAX_INFLATED_BYTES // 2**20} MB."
BOMB = "The zip archive inflates to far more than any export does."
ENCRYPTED = "The zip archive is encrypted."
NOTHING_INSIDE = "The zip archive holds no export file that is known."

_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
# PKWARE APPNOTE 4.3.16: the record at the end; 20 and 22 bytes before the end of its fixed part stand sizes.
_END_RECORD = struct.Struct("<4s4H2LH")
_END_MARK = b"PK\x05\x06"
_ZIP64_MARK = b"PK\x06\x07"
_LONGEST_COMMENT = 65_535
_OMNIVORE = re.compile(r"(?:.*/)?metadata_\d+_to_\d+\.json")
_EXPORTS = re.compile(r"(?:.*/)?[^/.][^/]*\.(?:csv|json|html?|txt)", re.IGNORECASE)
_OF_MAC = "__MACOSX/"
_NUMBERS = re.compile(r"\d+")
_PIECE_BYTES = 64 * 1024
_SPOOLED_BYTES = 4 * 1024 * 1024

Detect = Callable[[bytes, BinaryIO], ImportFormat | None]


def zip_format(detect: Detect) -> ImportFormat:
    """Make the format of zips whose members are of the formats that `detect` tells."""
    return ImportFormat("zip", lambda head: head.startswith(_STARTS), lambda file: _read(file, detect))


def _read(file: BinaryIO, detect: Detect) -> Iterator[Record]:
    _check_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            yield from _read_members(archive, detect)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        raise UnreadableFile(NO_ZIP) from error


def _check_directory(file: BinaryIO) -> None:
    """Look at the size of the list of members before it is read into memory."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _LONGEST_COMMENT - _END_RECORD.size))
    tail = file.read()
    place = tail.rfind(_END_MARK)
    if place < 0 or len(tail) - place < _END_RECORD.size:
        raise UnreadableFile(NO_ZIP)
    directory_bytes = _END_RECORD.unpack_from(tail, place)[5]
    if directory_bytes > MAX_DIRECTORY_BYTES or _ZIP64_MARK in tail[max(0, place - 20) : place]:
        raise UnreadableFile(TOO_MANY)


def _read_members(archive: zipfile.ZipFile, detect: Detect) -> Iterator[Record]:
    """Read one member after another; what is wrong with one is told when all are read."""
    room = MAX_INFLATED_BYTES
    faults = [NOTHING_INSIDE]
    for member in _members(archive):
        with tempfile.SpooledTemporaryFile(_SPOOLED_BYTES) as inflated:
            room -= _inflate(archive, member, inflated, room)
            inflated_file = cast(BinaryIO, inflated)
            inflated_file.seek(0)
            if reader := detect(inflated_file.read(HEAD_BYTES), inflated_file):
                faults = [fault for fault in faults if fault != NOTHING_INSIDE]
                faults += yield from _read_member(member.filename, reader, inflated_file)
    if faults:
        raise UnreadableFile(faults[0])


def _read_member(name: str, reader: ImportFormat, file: BinaryIO) -> Generator[Record, None, list[str]]:
    try:
        yield from reader.read(file)
    except UnreadableFile as fault:
        return [f"{name}: {fault}"]
    return []


def _members(archive: zipfile.ZipFile) -> Sequence[zipfile.ZipInfo]:
    """Choose Omnivore's lists without the pages beside them, else all that may be exports; in the order of numbers."""
    files = [member for member in archive.infolist() if not member.filename.startswith(_OF_MAC)]
    chosen = [member for member in files if _OMNIVORE.fullmatch(member.filename)]
    chosen = chosen or [member for member in files if _EXPORTS.fullmatch(member.filename)]
    return sorted(chosen, key=lambda member: [int(number[:9]) for number in _NUMBERS.findall(member.filename)])


def _inflate(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: IO[bytes], room: int) -> int:
    """Inflate piece by piece, whatever the archive says of the size, and return the size."""
    if member.flag_bits & 1:
        raise UnreadableFile(ENCRYPTED)
    length = 0
    with archive.open(member) as source:
        while piece := source.read(_PIECE_BYTES):
            length += len(piece)
            if length > room:
                raise UnreadableFile(TOO_LARGE)
            if length > RATIO_APPLIES_FROM and length > MAX_RATIO * member.compress_size:
                raise UnreadableFile(BOMB)
            target.write(piece)
    return length
