"""Character encodings: decoding of bytes, whatever the server and the page declare."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backend.text.encodings import (
    META_CHARSET,
    PROOF_OF_UTF8,
    TOLERATED_DAMAGE,
    codec_of,
    detect_codec,
    is_single_byte,
    marked_codec,
)

_META_WINDOW = 4096  # Browsers read 1,024 bytes; some servers put long comments first.
_XML_ENCODING = re.compile(rb"""\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})""", re.IGNORECASE)
_DETECTED = ["cp1251", "koi8_r", "cp1252", "cp1253", "cp1255", "cp1256", "cp932", "euc_jp", "gb18030", "big5", "cp949"]
_TAGS = re.compile(rb"<[^<>]*>")
_DETECTION_SAMPLE = 20_000  # Bytes; charset-normalizer tries each encoding on all that it is given.
_CONTROLS = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_TYPE_SAMPLE = 100_000  # Characters.
_TOLERATED_CONTROLS, _TOLERATED_LOSSES = 0.03, 0.2


def decode_text(body: bytes, declared: str | None) -> str:
    """Decode `body`: by its byte order mark, else as UTF-8 where unmistakable, else as declared or detected.

    An encoding that the server or the page declares is used while it fits; a body that fits no encoding is decoded with
    replacement characters, never with an exception.
    """
    if marked := marked_codec(body):
        return body.decode(marked, "replace")
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
    believed = [codec for label in labels if label and (codec := codec_of(label))]
    if believed and not _is_surely_utf8(body, believed[0]):
        yield from believed
    yield "utf-8"


def _inner_labels(body: bytes) -> Iterator[str]:
    start = body[:_META_WINDOW]
    for pattern in (_XML_ENCODING, META_CHARSET):
        if (match := pattern.search(start)) and not match[1].lower().startswith(b"utf-16"):
            yield match[1].decode("ascii", "ignore")  # In UTF-16 the declaration would not match.


def _is_surely_utf8(body: bytes, declared: str) -> bool:
    """Tell whether the bytes prove the label wrong: text in no other encoding is well-formed UTF-8 by chance."""
    text = body.decode("utf_8", "replace")
    needed = 1 if is_single_byte(declared) else PROOF_OF_UTF8
    return not _damage(text) and _outside_ascii(text) >= needed


def _fits(text: str, codec: str) -> bool:
    if codec.startswith("utf-16"):
        return "\0" not in text and _damage(text) <= TOLERATED_DAMAGE * len(text)
    return _damage(text) <= TOLERATED_DAMAGE * _outside_ascii(text)


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
    return detect_codec(non_ascii_lines, _DETECTED)
