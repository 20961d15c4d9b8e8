"""The character encoding of a file: by its byte order mark, else UTF-8 where it fits, else as declared or detected."""

from __future__ import annotations

import codecs
import functools
import io
from typing import BinaryIO

from backend.text.encodings import (
    META_CHARSET,
    PROOF_OF_UTF8,
    TOLERATED_DAMAGE,
    codec_of,
    detect_codec,
    is_ascii_only,
    is_single_byte,
    marked_codec,
)

_META_BYTES = 8192
_SAMPLE_BYTES = 20_000
_DETECTED = ["cp1251", "koi8_r", "cp1252", "cp1250", "cp1253", "cp1255", "cp932", "euc_jp", "gb18030", "big5", "cp949"]
_PIECE_BYTES = 256 * 1024


def encoding_of(file: BinaryIO) -> str:
    """Tell the Python codec that `file` is read with, and rewind it."""
    file.seek(0)
    head = file.read(_META_BYTES)
    encoding = marked_codec(head) or _without_mark(file, head)
    file.seek(0)
    return encoding


@functools.lru_cache(maxsize=2)
def head_text(head: bytes) -> str:
    """Decode the start of a file, which may end inside a character."""
    decoder = codecs.getincrementaldecoder(encoding_of(io.BytesIO(head)))("replace")
    return decoder.decode(head).replace("\0", "")


def _without_mark(file: BinaryIO, head: bytes) -> str:
    if wide := _sixteen_bits(head):
        return wide
    declared = _declared(head)
    if declared and is_ascii_only(declared):
        return declared
    if _is_utf8(file, declared):
        return "utf-8"
    return (declared if declared != "utf-8" else None) or _detected(file) or "cp1252"


def _sixteen_bits(head: bytes) -> str | None:
    """Tell UTF-16 without a mark by the zeros in every second place."""
    for offset, codec in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[offset::2].count(0) > len(head) // 4 > 4 * head[1 - offset :: 2].count(0):
            return codec
    return None


def _declared(head: bytes) -> str | None:
    match = META_CHARSET.search(head)
    if not match:
        return None
    codec = codec_of(match[1].decode("ascii", "ignore"))
    # A file that could be read so far is not in UTF-16.
    return None if codec is None or codec.startswith("utf-16") else codec


def _is_utf8(file: BinaryIO, declared: str | None) -> bool:
    """Tell whether the bytes are UTF-8, whatever was declared; a few broken characters do not speak against it."""
    broken, foreign = _utf8_characters(file)
    weak = declared is not None and declared != "utf-8" and not is_single_byte(declared)
    enough = foreign >= (PROOF_OF_UTF8 if weak else 1)
    return not foreign or (enough and broken <= TOLERATED_DAMAGE * foreign)


def _utf8_characters(file: BinaryIO) -> tuple[int, int]:
    """Count the broken characters and all those outside ASCII, read as UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    broken = foreign = 0
    file.seek(0)
    while piece := file.read(_PIECE_BYTES):
        text = decoder.decode(piece)
        broken += text.count("\ufffd")
        foreign += 0 if text.isascii() else len(text) - len(text.encode("ascii", "ignore"))
    return broken, foreign


def _detected(file: BinaryIO) -> str | None:
    return detect_codec(_telling_lines(file), _DETECTED)


def _telling_lines(file: BinaryIO) -> bytes:
    """Gather lines that hold more than ASCII: the rest tells nothing, and detection takes time by length."""
    file.seek(0)
    found = b""
    while len(found) < _SAMPLE_BYTES and (line := file.readline(_SAMPLE_BYTES)):
        if not line.isascii():
            found += line
    return found[:_SAMPLE_BYTES]
