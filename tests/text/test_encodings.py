"""Labels of encodings mean what browsers take them for."""

from __future__ import annotations

import pytest

from backend.text.encodings import codec_of, detect_codec

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("UTF8", "utf-8"),
        (' "utf-8" ', "utf-8"),
        ("latin1", "cp1252"),
        ("us-ascii", "cp1252"),
        ("ISO-8859-9", "cp1254"),
        ("iso-8859-8-i", "iso8859-8"),
        ("windows-874", "cp874"),
        ("koi8-ru", "koi8-u"),
        ("x-mac-cyrillic", "mac-cyrillic"),
        ("x-euc-jp", "euc_jp"),
        ("windows-949", "cp949"),
        ("gb2312", "gb18030"),
        ("x-gbk", "gb18030"),
        ("x-sjis", "cp932"),
        ("big5", "big5hkscs"),
        ("unicode", "utf-16-le"),
        # Browsers do not know these.
        ("latin-1", "cp1252"),
        ("eucjp", "euc_jp"),
        ("cp936", "gb18030"),
        ("hz", "hz"),
        ("hz-gb-2312", "hz"),
        ("ISO 8859-15", "iso8859-15"),
    ],
)
def test_a_label_names_the_codec_that_browsers_use(label: str, codec: str) -> None:
    assert codec_of(label) == codec


@pytest.mark.parametrize(
    "label", ["", "zip", "idna", "rot13", "unicode_escape", "iso-2022-kr", "x-user-defined", "../utf8", "none"]
)
def test_a_label_of_no_text_encoding_names_nothing(label: str) -> None:
    assert codec_of(label) is None


def test_single_accents_among_letters_are_western() -> None:
    assert detect_codec("Käse, Gruß, Öl".encode("cp1252"), ["cp1251", "cp1252"]) == "cp1252"
    assert detect_codec("Съешь же ещё этих мягких булок".encode("cp1251"), ["cp1251", "cp1252"]) == "cp1251"
