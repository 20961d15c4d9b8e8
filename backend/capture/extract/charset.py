"""Character encodings: decoding of bytes, whatever the server and the page declare."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from encodings.aliases import aliases

from charset_normalizer import from_bytes

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf_8"),
    (codecs.BOM_UTF32_LE, "utf_32_le"),  # Before UTF-16, whose mark it starts with.
    (codecs.BOM_UTF32_BE, "utf_32_be"),
    (codecs.BOM_UTF16_LE, "utf_16_le"),
    (codecs.BOM_UTF16_BE, "utf_16_be"),
)
# Labels are resolved as in browsers (https://encoding.spec.whatwg.org/#names-and-labels): to the Windows superset of
# each old standard. Codecs that are not listed, such as `idna` or `zip`, are never looked up.
_SUPERSETS = {
    "ascii": "cp1252", "latin_1": "cp1252", "iso8859_9": "cp1254", "iso8859_11": "cp874", "tis_620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "x_gbk": "gb18030", "big5": "big5hkscs", "euc_kr": "cp949",
    "shift_jis": "cp932", "shift_jis_2004": "cp932", "x_sjis": "cp932", "windows_31j": "cp932",
    "utf_16": "utf_16_le",
}  # fmt: skip
_SINGLE_BYTE = frozenset(
    ["cp866", "cp874", "koi8_r", "koi8_u", "mac_roman", "mac_cyrillic"]
    + [f"cp125{digit}" for digit in range(9)]
    + [f"iso8859_{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)]
)
_MULTI_BYTE = frozenset(
    [
        "utf_8",
        "utf_16_le",
        "utf_16_be",
        "gb18030",
        "hz",
        "big5hkscs",
        "cp932",
        "cp949",
        "euc_jp",
        "iso2022_jp",
    ]
)

_META_WINDOW = 4096  # Browsers read 1,024 bytes; some servers put long comments first.
_META_CHARSET = re.compile(rb"""<meta[^>]{0,400}?charset\s*+=\s*+["']?\s*+([\w.:-]{1,40})""", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"""\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})""", re.IGNORECASE)
_RUNS_OUTSIDE_ASCII = re.compile(rb"[\x80-\xff]+")
_DETECTED = ["cp1251", "koi8_r", "cp1252", "cp1253", "cp1255", "cp1256", "cp932", "euc_jp", "gb18030", "big5", "cp949"]
_TAGS = re.compile(rb"<[^<>]*>")
_DETECTION_SAMPLE = 20_000  # Bytes; charset-normalizer tries each encoding on all that it is given.
_TOLERATED_DAMAGE = 0.1  # Share of the characters outside ASCII that may be broken in the right encoding.
_CONTROLS = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_TYPE_SAMPLE = 100_000  # Characters.
_TOLERATED_CONTROLS, _TOLERATED_LOSSES = 0.03, 0.2
_PROOF_OF_UTF8 = 8  # This many well-formed UTF-8 characters are no accident even in Chinese or Japanese text.


def decode_text(body: bytes, declared: str | None) -> str:
    """Decode `body`: by its byte order mark, else as UTF-8 where unmistakable, else as declared or detected.

    An encoding that the server or the page declares is used while it fits; a body that fits no encoding is decoded with
    replacement characters, never with an exception.
    """
    for mark, codec in _BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(codec, "replace")
    for codec in _candidates(body, declared):
        text = body.decode(codec, "replace")
        if _fits(text, codec):
            return text
    return body.decode(_detect(body) or "cp1252", "replace")


def is_text(text: str) -> bool:
    """Tell whether a decoded body is text: of random bytes, 11 % are control characters, of text next to none."""
    start = text[:_TYPE_SAMPLE].replace("\0", "")  # Some servers pad pages with NUL.
    controls = len(_CONTROLS.findall(start))
    return controls <= _TOLERATED_CONTROLS * len(start) and start.count("\ufffd") <= _TOLERATED_LOSSES * len(start)


def _candidates(body: bytes, declared: str | None) -> Iterator[str]:
    labels = [declared, *_inner_labels(body)]
    believed = [codec for label in labels if label and (codec := _codec(label))]
    if believed and not _is_surely_utf8(body, believed[0]):
        yield from believed
    yield "utf_8"


def _inner_labels(body: bytes) -> Iterator[str]:
    start = body[:_META_WINDOW]
    for pattern in (_XML_ENCODING, _META_CHARSET):
        if (match := pattern.search(start)) and not match[1].lower().startswith(b"utf-16"):
            yield match[1].decode("ascii", "ignore")  # In UTF-16 the declaration would not match.


def _codec(label: str) -> str | None:
    name = re.sub(r"[\s:.-]+", "_", label.strip(" \t\r\n\"'").lower())
    name = aliases.get(name, name)
    name = _SUPERSETS.get(name, name)
    return name if name in _SINGLE_BYTE | _MULTI_BYTE else None


def _is_surely_utf8(body: bytes, declared: str) -> bool:
    """Tell whether the bytes prove the label wrong: text in no other encoding is well-formed UTF-8 by chance."""
    text = body.decode("utf_8", "replace")
    needed = 1 if declared in _SINGLE_BYTE else _PROOF_OF_UTF8
    return not _damage(text) and _outside_ascii(text) >= needed


def _fits(text: str, codec: str) -> bool:
    if codec.startswith("utf_16"):
        return "\0" not in text and _damage(text) <= _TOLERATED_DAMAGE * len(text)
    return _damage(text) <= _TOLERATED_DAMAGE * _outside_ascii(text)


def _damage(text: str) -> int:
    return text.count("\ufffd", 0, len(text) - 1)  # A cut body may end within a character.


def _outside_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


def _detect(body: bytes) -> str | None:
    """Detect the likeliest encoding of undeclared text, from its beginning without the markup."""
    for offset, codec in ((1, "utf_16_le"), (0, "utf_16_be")):
        zeros = body[offset:2000:2].count(0)
        if zeros > len(body[:2000]) // 4:
            return codec
    sample = _TAGS.sub(b" ", body[: 10 * _DETECTION_SAMPLE])
    non_ascii_lines = b"\n".join(line for line in sample.splitlines() if not line.isascii())[:_DETECTION_SAMPLE]
    runs = _RUNS_OUTSIDE_ASCII.findall(non_ascii_lines)
    if 2 * sum(len(run) == 1 for run in runs) > sum(map(len, runs)):
        return "cp1252"  # Single accents among plain letters: browsers assume this encoding.
    best = from_bytes(non_ascii_lines, cp_isolation=_DETECTED).best()
    return best.encoding if best else None
