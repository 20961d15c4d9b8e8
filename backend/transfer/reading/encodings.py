"""The character encoding of a file: by its byte order mark, else UTF-8 where it fits, else as declared or detected."""

from __future__ import annotations

import codecs
import functools
import io
import re
from typing import BinaryIO

from charset_normalizer import from_bytes

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # Before UTF-16, whose mark it starts with.
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Labels mean what browsers take them for (https://encoding.spec.whatwg.org/#names-and-labels).
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
}
# Only codecs from bytes to text: Python also has `zip`, `rot13` and others.
_TEXT_CODEC = re.compile(r"cp\d+|iso8859-\d+|koi8-[ru]|mac-\w+|gb18030|big5hkscs|euc_jp|iso2022_jp|hz|utf-8")
_SINGLE_BYTE = re.compile(r"cp(?:8|125)\d+|iso8859|koi8|mac")
_ASCII_BYTES_ONLY = frozenset({"iso2022_jp", "hz"})
_META_CHARSET = re.compile(rb"""<meta[^>]{0,400}?charset\s*+=\s*+["']?\s*+([\w.:-]{1,40})""", re.IGNORECASE)
_META_BYTES = 8192
_TOLERATED_DAMAGE = 0.1  # Share of the characters outside ASCII that may be broken in a file that is UTF-8.
_PROOF_OF_UTF8 = 8  # So many well-formed UTF-8 characters are no accident even in Chinese or Japanese text.
_SAMPLE_BYTES = 20_000
_DETECTED = ["cp1251", "koi8_r", "cp1252", "cp1250", "cp1253", "cp1255", "cp932", "euc_jp", "gb18030", "big5", "cp949"]
_RUNS_OUTSIDE_ASCII = re.compile(rb"[\x80-\xff]+")
_PIECE_BYTES = 256 * 1024


def encoding_of(file: BinaryIO) -> str:
    """Tell the Python codec that `file` is read with, and rewind it."""
    file.seek(0)
    head = file.read(_META_BYTES)
    encoding = _marked(head) or _without_mark(file, head)
    file.seek(0)
    return encoding


@functools.lru_cache(maxsize=2)
def head_text(head: bytes) -> str:
    """Decode the start of a file, which may end inside a character."""
    decoder = codecs.getincrementaldecoder(encoding_of(io.BytesIO(head)))("replace")
    return decoder.decode(head).replace("\0", "")


def _marked(head: bytes) -> str | None:
    return next((codec for mark, codec in _MARKS if head.startswith(mark)), None)


def _without_mark(file: BinaryIO, head: bytes) -> str:
    if wide := _sixteen_bits(head):
        return wide
    declared = _declared(head)
    if declared in _ASCII_BYTES_ONLY:
        return str(declared)
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
    match = _META_CHARSET.search(head)
    if not match:
        return None
    try:
        name = codecs.lookup(match[1].decode("ascii", "ignore")).name
    except LookupError:
        return None
    name = _SUPERSETS.get(name, name)
    return name if _TEXT_CODEC.fullmatch(name) else None


def _is_utf8(file: BinaryIO, declared: str | None) -> bool:
    """Tell whether the bytes are UTF-8, whatever was declared; a few broken characters do not speak against it."""
    broken, foreign = _utf8_characters(file)
    weak = declared is not None and declared != "utf-8" and not _SINGLE_BYTE.match(declared)
    enough = foreign >= (_PROOF_OF_UTF8 if weak else 1)
    return not foreign or (enough and broken <= _TOLERATED_DAMAGE * foreign)


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
    telling = _non_ascii_lines(file)
    runs = _RUNS_OUTSIDE_ASCII.findall(telling)
    if 2 * sum(len(run) == 1 for run in runs) > sum(map(len, runs)):
        return "cp1252"  # Accents among plain letters: of these encodings browsers assume this one.
    best = from_bytes(telling, cp_isolation=_DETECTED).best()
    return best.encoding if best else None


def _non_ascii_lines(file: BinaryIO) -> bytes:
    """Gather lines that hold more than ASCII: the rest tells nothing, and detection takes time by length."""
    file.seek(0)
    sample = b""
    while len(sample) < _SAMPLE_BYTES and (line := file.readline(_SAMPLE_BYTES)):
        if not line.isascii():
            sample += line
    return sample[:_SAMPLE_BYTES]
