"""Bytes become the text that their author wrote, whatever is said about them."""

from __future__ import annotations

import pytest

from backend.capture.extract.charset import decode_text
from backend.capture.extract.page_reader import extract_page

pytestmark = pytest.mark.unit

RUSSIAN = "Маяк стоит на скале, и по вечерам его свет виден далеко в море. " * 4
JAPANESE = "灯台は岩の上に立ち、夕方になるとその光は遠くの海からも見える。" * 4
CHINESE = "灯塔矗立在岩石上，傍晚时分从远处的海面也能看到它的光。" * 4
TRADITIONAL = "燈塔矗立在岩石上，傍晚時分從遠處的海面也能看到它的光。" * 4
KOREAN = "등대는 바위 위에 서 있고 저녁이면 먼 바다에서도 그 빛이 보인다. " * 4
FRENCH = "Le phare s’élève sur un rocher ; le soir, sa lumière se voit très loin en mer. " * 4
GREEK = "Ο φάρος στέκεται στον βράχο και το βράδυ το φως του φαίνεται μακριά. " * 4


def page(text: str, head: str = "") -> str:
    return f"<!doctype html><html><head>{head}<title>x</title></head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize(
    ("text", "encoding", "declared"),
    [
        (RUSSIAN, "utf-8", None),
        (RUSSIAN, "utf-8", "utf-8"),
        (RUSSIAN, "utf-8-sig", "windows-1251"),
        (RUSSIAN, "utf-16", None),
        (RUSSIAN, "utf-16", "utf-8"),
        (RUSSIAN, "utf-16-le", "utf-16"),
        (RUSSIAN, "utf-16-be", "utf-16be"),
        (FRENCH, "utf-16-le", None),
        (FRENCH, "utf-16-be", None),
        (FRENCH, "utf-32", None),
        (RUSSIAN, "windows-1251", "Windows-1251"),
        (RUSSIAN, "koi8-r", "KOI8-R"),
        (RUSSIAN, "windows-1251", None),
        (JAPANESE, "shift_jis", "Shift_JIS"),
        (JAPANESE, "shift_jis", "x-sjis"),
        (JAPANESE, "euc_jp", "euc-jp"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp"),
        (JAPANESE, "shift_jis", None),
        (CHINESE, "gb2312", "gb2312"),
        (CHINESE, "gbk", None),
        (TRADITIONAL, "big5", "big5"),
        (KOREAN, "euc_kr", "ks_c_5601-1987"),
        (FRENCH, "windows-1252", "iso-8859-1"),
        (FRENCH, "windows-1252", None),
        (GREEK, "iso8859_7", "iso-8859-7"),
        # What the server says is wrong:
        (RUSSIAN, "utf-8", "iso-8859-1"),
        (RUSSIAN, "utf-8", "windows-1251"),
        (FRENCH, "utf-8", "us-ascii"),
        (CHINESE, "utf-8", "gbk"),
        (JAPANESE, "utf-8", "shift_jis"),
        (RUSSIAN, "windows-1251", "utf-8"),
        (FRENCH, "windows-1252", "utf-8"),
        (RUSSIAN, "utf-8", "utf-16"),
        # What the server says is no encoding:
        (RUSSIAN, "utf-8", "none"),
        (RUSSIAN, "utf-8", "zip"),
        (RUSSIAN, "utf-8", "idna"),
        (RUSSIAN, "utf-8", "unicode_escape"),
        (RUSSIAN, "utf-8", "\0"),
        (RUSSIAN, "utf-8", "x" * 10_000),
        (RUSSIAN, "utf-8", ""),
    ],
)
def test_text_is_decoded_as_it_was_written(text: str, encoding: str, declared: str | None) -> None:
    markup = page(text)
    assert decode_text(markup.encode(encoding), declared) == markup


@pytest.mark.parametrize(
    ("text", "encoding", "head"),
    [
        (RUSSIAN, "windows-1251", '<meta charset="windows-1251">'),
        (RUSSIAN, "windows-1251", "<META http-equiv=Content-Type content='text/html; charset=windows-1251'>"),
        (JAPANESE, "euc_jp", "<meta charset=EUC-JP>"),
        (CHINESE, "gbk", '<meta charset="gb2312">'),
        (RUSSIAN, "utf-8", '<meta charset="utf-16">'),
        (RUSSIAN, "utf-8", '<meta charset="windows-1251">'),
        (RUSSIAN, "utf-8", '<meta charset="x-nothing">'),
    ],
)
def test_the_page_may_declare_its_encoding(text: str, encoding: str, head: str) -> None:
    markup = page(text, head)
    assert decode_text(markup.encode(encoding), None) == markup


def test_an_xml_declaration_is_believed() -> None:
    markup = f'<?xml version="1.0" encoding="koi8-r"?>{page(RUSSIAN)}'
    assert decode_text(markup.encode("koi8-r"), None) == markup


def test_the_page_is_believed_where_the_server_is_wrong() -> None:
    markup = page(RUSSIAN, '<meta charset="windows-1251">')
    assert decode_text(markup.encode("windows-1251"), "utf-8") == markup


def test_two_chinese_characters_that_look_like_utf8_are_chinese() -> None:
    assert decode_text("联通".encode("gbk"), "gbk") == "联通"


def test_a_few_broken_bytes_do_not_change_the_encoding() -> None:
    text = decode_text(RUSSIAN.encode() + b"\xff\xfe" + RUSSIAN.encode(), "utf-8")
    assert text.replace("\ufffd", "") == RUSSIAN * 2


def test_a_body_cut_inside_a_character_keeps_its_encoding() -> None:
    body = page(RUSSIAN).encode()
    cut = body[: body.rindex("м".encode()) + 1]
    for declared in ("utf-8", None, "windows-1251"):
        assert decode_text(cut, declared).startswith(page(RUSSIAN)[:300])


@pytest.mark.parametrize(
    "body", [b"", b"\0", bytes(range(256)) * 20, b"\xff" * 5000, b"\x80", b"\xef\xbb\xbf", b"\xff\xfe\0"]
)
@pytest.mark.parametrize("declared", [None, "utf-8", "utf-16", "shift_jis", "windows-1252", "rubbish"])
def test_rubbish_is_no_error(body: bytes, declared: str | None) -> None:
    assert isinstance(decode_text(body, declared), str)


def test_a_page_is_read_in_the_encoding_that_was_found() -> None:
    body = page(JAPANESE * 3).encode("shift_jis")
    read = extract_page(body, url="https://a.example/", media_type="text/html", charset="shift_jis")
    assert JAPANESE[:30] in read.text


def test_a_declaration_in_the_page_does_not_garble_what_was_decoded_otherwise() -> None:
    body = page(RUSSIAN * 3, '<meta charset="windows-1251">').encode()
    read = extract_page(body, url="https://a.example/", media_type="text/html", charset="utf-8")
    assert RUSSIAN.strip() in read.text
    assert RUSSIAN.strip() in read.html
