"""Files other than HTML: plain text, data, feeds, PDF, and what is none of these."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from io import BytesIO

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, StreamObject, TextStringObject

from backend.capture.extract import pdf
from backend.capture.extract.page import ExtractedPage, UnreadablePage, UnsupportedMedia
from backend.capture.extract.page_reader import extract_page

pytestmark = pytest.mark.unit
# The title of data without one.
PLACE = "files.example/f"


def read(body: bytes, media_type: str, *, charset: str | None = None, truncated: bool = False) -> ExtractedPage:
    return extract_page(
        body, url="https://files.example/f", media_type=media_type, charset=charset, truncated=truncated
    )


@pytest.mark.parametrize(
    "media_type", ["text/plain", "text/markdown", "TEXT/PLAIN; charset=utf-8", "text/x-python", "application/yaml"]
)
def test_a_text_file_is_titled_by_its_first_line(media_type: str) -> None:
    page = read(b"\n\n## Lamp oil ##\n\nTwo barrels\nof it", media_type)
    assert page.title == "Lamp oil"
    assert page.text == "## Lamp oil ##\n\nTwo barrels\nof it"
    assert page.html == "<p>## Lamp oil ##</p>\n<p>Two barrels<br>of it</p>"
    assert page.word_count == 6


def test_a_long_first_line_is_cut() -> None:
    title = read(b"oil " * 5000, "text/plain").title
    assert title is not None
    assert len(title) <= 200


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (b'{"name": "oil", "title": "Lamp oil"}', "Lamp oil"),
        (b'{"name": "oil", "title": null}', "oil"),
        (b'{"title": {"en": "Lamp oil"}}', PLACE),
        (b'[{"title": "Lamp oil"}]', PLACE),
        (b'{"title": "cut of', PLACE),
        (b"[" * 100_000, PLACE),
    ],
)
def test_a_json_file_is_titled_by_itself(body: bytes, title: str | None) -> None:
    page = read(body, "application/json")
    assert page.title == title
    assert page.text == body.decode()


def test_a_feed_is_read_without_its_markup() -> None:
    feed = """<?xml version="1.0"?><rss version="2.0"><channel><title>Harbour log</title>
        <item><title>A brig</title><description><![CDATA[Came in at noon.]]></description></item>
        <item><title>A schooner</title><description>Left &amp; returned.</description></item></channel></rss>"""
    for media_type in ("application/rss+xml", "application/xml", "text/xml; charset=utf-8", "application/atom+xml"):
        page = read(feed.encode(), media_type)
        assert page.title == "Harbour log"
        assert "A brig\nCame in at noon.\n" in page.text
        assert "Left & returned." in page.text
        assert "<item>" not in page.html


def test_entities_of_xml_are_neither_fetched_nor_multiplied() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a0 "lol">' + "".join(
        f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, 10)
    )
    outside = '<!ENTITY file SYSTEM "file:///etc/passwd">'
    page = read(f"<?xml version='1.0'?>{bomb}{outside}]><x>see &a9;&file; here</x>".encode(), "application/xml")
    assert len(page.text) < 1000
    assert "root:" not in page.text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"<!DOCTYPE html><title>A</title><p>words", "words"),
        (b"  <html><body><p>words", "words"),
        (b"only words", "only words"),
    ],
)
@pytest.mark.parametrize("media_type", ["", "application/octet-stream"])
def test_a_body_of_no_stated_type_is_looked_at(body: bytes, text: str, media_type: str) -> None:
    assert read(body, media_type).text == text


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("image/png", b"\x89PNG\r\n"),
        ("image/svg+xml", b"<svg></svg>"),
        ("video/mp4", b"x"),
        ("audio/mpeg", b"x"),
        ("font/woff2", b"x"),
        ("application/zip", b"PK\x03\x04"),
        ("application/epub+zip", b"PK\x03\x04"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK"),
        ("application/x-nothing-known", b"x"),
        ("application/octet-stream", b"\x7fELF\x02\x01\x01\0\0"),
        ("", b"\x7fELF\x02\x01\x01\0\0"),
        ("text/plain", b"MZ\x90\0\x03\0\0\0"),
        ("application/json", b"\0\1\2"),
    ],
)
def test_what_is_no_text_is_named_and_skipped(media_type: str, body: bytes) -> None:
    with pytest.raises(UnsupportedMedia) as caught:
        read(body, media_type)
    assert caught.value.media_type == (media_type or "application/octet-stream")


@pytest.mark.parametrize("media_type", ["text/html", "text/plain", "application/pdf", "application/json", ""])
def test_an_empty_body_is_unreadable(media_type: str) -> None:
    with pytest.raises(UnreadablePage, match="empty"):
        read(b" \n", media_type)


def make_pdf(*pages: str, information: dict[str, str] | None = None, **encryption: str) -> bytes:
    """A PDF with a page for each text, each line of it drawn on its own."""
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
            NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
        }
    )
    for text in pages:
        page = writer.add_blank_page(612, 792)
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
        )
        content = DecodedStreamObject()
        lines = "".join(f"({line}) Tj 0 -14 Td " for line in text.split("\n"))
        content.set_data(f"BT /F1 12 Tf 72 720 Td {lines} ET".encode("cp1252"))
        page[NameObject("/Contents")] = writer._add_object(content)
    if information:
        writer.add_metadata(information)
    writer.root_object[NameObject("/Lang")] = TextStringObject("en-GB")
    if encryption:
        writer.encrypt(**encryption, algorithm="AES-256")
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


INFORMATION = {
    "/Title": "On Lamp Oil",
    "/Author": "Ida Strand",
    "/Subject": "Oil, and how much",
    "/CreationDate": "D:20210304050607+01'00'",
}


def test_a_pdf_gives_its_text_and_what_it_states() -> None:
    page = read(make_pdf("Two barrels of oil", "And a wick", information=INFORMATION), "application/pdf")
    assert page.text == "Two barrels of oil\n\nAnd a wick"
    assert page.html == "<p>Two barrels of oil</p>\n<p>And a wick</p>"
    assert (page.title, page.author, page.description) == ("On Lamp Oil", "Ida Strand", "Oil, and how much")
    assert page.published_at == datetime(2021, 3, 4, 4, 6, 7, tzinfo=UTC)
    assert page.language == "en"
    assert page.word_count == 7


@pytest.mark.parametrize(
    "media_type", ["application/pdf", "application/x-pdf", "", "application/octet-stream", "text/html"]
)
def test_a_pdf_is_known_by_its_first_bytes(media_type: str) -> None:
    assert read(make_pdf("Two barrels"), media_type).text == "Two barrels"


@pytest.mark.parametrize(
    ("stated", "title"),
    [
        ("Microsoft Word - On Oil", "On Oil"),
        ("Microsoft Word - oil-final.docx", "Two barrels"),
        ("untitled", "Two barrels"),
        ("Untitled-3", "Two barrels"),
        ("oil.tex", "Two barrels"),
        ("  ", "Two barrels"),
    ],
)
def test_titles_that_programs_fill_in_are_not_believed(stated: str, title: str) -> None:
    assert read(make_pdf("Two barrels\nof oil", information={"/Title": stated}), "application/pdf").title == title


@pytest.mark.parametrize("field", ["/CreationDate", "/Title", "/Author"])
def test_malformed_statements_of_a_pdf_are_left_out(field: str) -> None:
    page = read(make_pdf("Two barrels", information={field: "\x00D:99999999\x00"}), "application/pdf")
    assert page.text == "Two barrels"
    assert page.published_at is None
    assert "\0" not in f"{page.title}{page.author}"


def test_a_pdf_whose_information_is_broken_is_read_all_the_same() -> None:
    body = make_pdf("Two barrels", information={"/Title": "x"}).replace(b"/Info ", b"/Info [1] %")
    assert read(body, "application/pdf").text == "Two barrels"


def test_words_that_the_typesetter_broke_are_whole_again() -> None:
    assert "a lighthouse keeper" in read(make_pdf("a light-\nhouse keeper"), "application/pdf").text


def test_a_pdf_with_a_password_says_so() -> None:
    body = make_pdf("secret", user_password="guess", owner_password="me")
    with pytest.raises(UnreadablePage) as caught:
        read(body, "application/pdf")
    assert caught.value.reason == "The PDF is protected by a password."


def test_a_pdf_that_only_forbids_printing_is_read() -> None:
    assert read(make_pdf("open", user_password="", owner_password="me"), "application/pdf").text == "open"


def test_a_scan_says_that_it_holds_no_text() -> None:
    with pytest.raises(UnreadablePage, match="no text"):
        read(make_pdf(""), "application/pdf")
    assert read(make_pdf("", information=INFORMATION), "application/pdf").title == "On Lamp Oil"


@pytest.mark.parametrize(
    "body",
    [b"%PDF-1.7\n", b"%PDF-1.4\n" + b"garbage " * 1000, make_pdf("x" * 50)[:300], b"%PDF-" + bytes(range(256)) * 40],
)
def test_a_damaged_pdf_says_so(body: bytes) -> None:
    with pytest.raises(UnreadablePage, match=r"damaged|no text"):
        read(body, "application/pdf")


def test_a_pdf_that_was_cut_says_that_it_is_too_long() -> None:
    with pytest.raises(UnreadablePage, match="longer than"):
        read(b"%PDF-1.4\n" + b"garbage " * 1000, "application/pdf", truncated=True)


def test_only_the_first_pages_of_a_long_pdf_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_PAGES", 2)
    assert read(make_pdf("one", "two", "three"), "application/pdf").text == "one\n\ntwo"


def test_a_pdf_that_takes_too_long_is_read_as_far_as_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_SECONDS", -1.0)
    assert read(make_pdf("one", "two", information=INFORMATION), "application/pdf").text == ""


@pytest.mark.parametrize("bomb", ["inflation", "forms", "operators"])
def test_a_hostile_pdf_ends_in_time(bomb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_SECONDS", 3.0)
    page = read(hostile_pdf(bomb), "application/pdf")
    assert page.title == "Bomb"
    assert len(page.text) < 1_000_000


def hostile_pdf(bomb: str) -> bytes:
    """A PDF that inflates a thousandfold, draws a form that draws a form …, or goes on drawing nothing."""
    writer = PdfWriter()
    writer.add_metadata({"/Title": "Bomb"})
    page = writer.add_blank_page(612, 792)
    contents = {"inflation": b" " * 80_000_000, "forms": b"/F Do " * 50, "operators": b"q Q " * 3_000_000}
    page[NameObject("/Contents")] = writer._add_object(_deflated(contents[bomb]))
    form = None
    for _ in range(8 if bomb == "forms" else 0):
        inner = _deflated(b"/F Do " * 50)
        inner[NameObject("/Subtype")] = NameObject("/Form")
        inner[NameObject("/Resources")] = _forms(form)
        form = writer._add_object(inner)
    page[NameObject("/Resources")] = _forms(form)
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def _forms(form: object) -> DictionaryObject:
    return DictionaryObject({NameObject("/XObject"): DictionaryObject({NameObject("/F"): form} if form else {})})


def _deflated(data: bytes) -> StreamObject:
    return StreamObject.initialize_from_dictionary(
        {NameObject("/Filter"): NameObject("/FlateDecode"), "__streamdata__": zlib.compress(data)}
    )
