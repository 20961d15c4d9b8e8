"""Character encodings: what a label means, and which encoding bytes without a label are likely in."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from encodings.aliases import aliases

import webencodings
from charset_normalizer import from_bytes

META_CHARSET = re.compile(rb"""<meta[^>]{0,400}?charset\s*+=\s*+["']?\s*+([\w.:-]{1,40})""", re.IGNORECASE)
# Share of the characters outside ASCII that may be broken in the right encoding.
TOLERATED_DAMAGE = 0.1
# This many well-formed UTF-8 characters are no accident even in Chinese or Japanese text.
PROOF_OF_UTF8 = 8

# Codecs that leave the mark out.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # Before UTF-16, whose mark it starts with.
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Where browsers take a superset, or refuse an encoding that could hide scripts: nothing runs here.
_SUPERSETS = {"gbk": "gb18030", "hz-gb-2312": "hz"}
_REFUSED = ("replacement", "x-user-defined")
_MULTI_BYTE = frozenset(("utf-8", "utf-16-le", "utf-16-be", "gb18030", "big5hkscs", "cp932", "cp949", "euc_jp"))
_ESCAPED = frozenset(("iso2022_jp", "hz"))
_KNOWN = _MULTI_BYTE | _ESCAPED | {"mac_roman", "mac_cyrillic"}
_RUNS_OUTSIDE_ASCII = re.compile(rb"[\x80-\xff]+")


def marked_codec(head: bytes) -> str | None:
    """Return the codec of a text that begins with a byte order mark."""
    return next((codec for mark, codec in _MARKS if head.startswith(mark)), None)


def codec_of(label: str) -> str | None:
    """Return the Python codec of a label, as browsers resolve it (https://encoding.spec.whatwg.org/#names-and-labels).

    Labels that browsers do not know are resolved as by Python, to the same codecs: never to `idna` or `zip`.
    """
    bare = label.strip(" \t\r\n\"'").lower()
    if bare in _SUPERSETS:
        return _SUPERSETS[bare]
    for name in _names(bare):
        encoding = webencodings.lookup(name)
        if encoding is not None and encoding.name not in _REFUSED:
            codec: str = encoding.codec_info.name
            return _SUPERSETS.get(codec, codec)
        if name in _KNOWN:
            return name
    return None


def is_single_byte(codec: str) -> bool:
    """Tell whether each byte is a character: then no bytes are malformed."""
    return codec not in _MULTI_BYTE | _ESCAPED


def is_ascii_only(codec: str) -> bool:
    """Tell whether all its bytes are ASCII, so that they are valid UTF-8, too."""
    return codec in _ESCAPED


def detect_codec(sample: bytes, candidates: Sequence[str]) -> str | None:
    """Detect the likeliest codec of text without a label, from lines that hold more than ASCII."""
    runs = _RUNS_OUTSIDE_ASCII.findall(sample)
    if 2 * sum(len(run) == 1 for run in runs) > sum(map(len, runs)):
        return "cp1252"  # Single accents among plain letters: browsers assume this encoding.
    best = from_bytes(sample, cp_isolation=list(candidates)).best()
    return best.encoding if best else None


def _names(label: str) -> Iterator[str]:
    yield label
    name = re.sub(r"[\s:.-]+", "_", label)
    name = aliases.get(name, name)
    yield name
    yield name.replace("_", "-")
    yield name.replace("_", "")
