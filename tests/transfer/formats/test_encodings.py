"""Files in other encodings than UTF-8."""

from __future__ import annotations

import pytest

from tests.transfer.formats.reading import NETSCAPE, read_file

pytestmark = pytest.mark.unit

CSV = "url,title\nhttps://a.example/,{}\n"
JSON = '[{{"url": "https://a.example/", "title": "{}"}}]'
HTML = NETSCAPE + '<DT><A HREF="https://a.example/">{}</A>\n</DL>\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("template", [CSV, JSON, HTML], ids=["csv", "json", "html"])
def test_unicode_with_and_without_a_byte_order_mark(template, encoding):
    title = "Grüße, 日本 😀".replace(",", "")
    assert read_file(template.format(title).encode(encoding)).only.title == title


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_both_orders_of_bytes(mark):
    encoding = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    assert read_file(mark + CSV.format("Grüße").encode(encoding)).only.title == "Grüße"


@pytest.mark.parametrize(
    ("label", "codec", "title"),
    [
        ("windows-1251", "cp1251", "Привет, мир"),
        ("koi8-r", "koi8_r", "Привет, мир"),
        ("iso-8859-1", "cp1252", "“Café” à la crème"),
        ("iso-8859-2", "iso8859_2", "Příliš žluťoučký kůň"),
        ("x-sjis", "cp932", "日本語のページ"),
        ("Shift_JIS", "cp932", "日本語①"),
        ("euc-jp", "euc_jp", "日本語のページ"),
        ("iso-2022-jp", "iso2022_jp", "日本語のページ"),
        ("gb2312", "gb18030", "中文網頁"),
        ("big5", "big5", "中文網頁"),
        ("euc-kr", "cp949", "한국어 페이지"),
    ],
)
def test_what_a_page_declares_is_believed(label, codec, title):
    page = f'<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset={label}">\n' + HTML.format(title)
    assert read_file(page.encode(codec)).only.title == title


@pytest.mark.parametrize("label", ["windows-1252", "iso-8859-1", "zip", "rot13", "utf-16", "no-such"])
def test_a_page_that_is_utf8_is_read_as_such_whatever_it_declares(label):
    page = f'<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset={label}">\n' + HTML.format("Grüße")
    assert read_file(page).only.title == "Grüße"


@pytest.mark.parametrize(
    ("codec", "title"), [("cp1252", "Café à la crème"), ("cp1251", "Привет мир как дела сегодня у всех")]
)
def test_an_undeclared_encoding_is_detected(codec, title):
    assert read_file(CSV.format(title).encode(codec)).only.title == title


def test_one_broken_character_does_not_change_the_others():
    outcome = read_file(CSV.format("Grüße 日本語の長いページ").encode().replace(b"\xc3\x9f", b"\xc3"))
    assert outcome.only.title == "Grü\ufffde 日本語の長いページ"


def test_zeros_are_left_out():
    assert read_file(CSV.format("a\0b\0").encode() + b"\0" * 200_000).only.title == "ab"
