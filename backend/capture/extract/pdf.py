"""Text of PDF files, within limits of time and memory."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from typing import Any

from pypdf import Configuration, PasswordType, PdfReader, apply_configuration

from backend.capture.extract.dates import in_utc
from backend.capture.extract.page import MAX_DESCRIPTION, MAX_NAME, MAX_TITLE, ExtractedPage, UnreadablePage
from backend.capture.extract.sanitize import paragraphs_html
from backend.capture.extract.text import MAX_TEXT, clean_paragraphs, count_words, cut_line, first_line

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # It warns of each small fault, of which real files have many.

MAX_PAGES = 200
MAX_SECONDS = 15.0  # For all pages together.
# Limits of each stream, below pypdf's own, since no deadline interrupts its parsing: a million operands take 3 s.
_BOUNDS = Configuration(
    zlib_maximum_output_length=10_000_000,
    lzw_maximum_output_length=10_000_000,
    run_length_maximum_output_length=10_000_000,
    array_based_stream_maximum_output_length=10_000_000,
    stream_parsing_work_maximum_count=1_000_000,
    xform_maximum_invocations_per_extraction=500,
)

_HYPHENATED = re.compile(r"(?<=[^\W\d_])-\n(?=[a-zß-öø-ÿ])")  # Words hyphenated at the end of a line.
_NO_TITLE = re.compile(r"untitled.*|document\d*|.*\.(?:docx?|tex|dvi|indd|pdf|qxd|rtf|pptx?|xlsx?)", re.IGNORECASE)
_PRINTER = re.compile(r"^Microsoft (?:Office )?(?:Word|PowerPoint|Excel) - ")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?![A-Za-z])")


def read_pdf(body: bytes, *, truncated: bool) -> ExtractedPage:
    """Extract title, author, date and text of a PDF.

    Raises:
        UnreadablePage: it needs a password, is damaged, or contains neither text nor a title.
    """
    try:
        with apply_configuration(_BOUNDS):
            page = _read(PdfReader(BytesIO(body)))
    except UnreadablePage:
        raise
    except Exception as error:  # Broken files make pypdf raise anything, RecursionError included.
        fault = "is longer than what is fetched of a page" if truncated else "is damaged"
        raise UnreadablePage(f"The PDF {fault}.") from error
    if not (page.text or page.title):
        raise UnreadablePage("The PDF holds no text; it may be a scan.")
    return page


def _read(reader: PdfReader) -> ExtractedPage:
    if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
        raise UnreadablePage("The PDF is protected by a password.")
    text = clean_paragraphs(_HYPHENATED.sub("", "\n\n".join(_page_texts(reader))))[:MAX_TEXT]
    about = _stated(reader, "metadata")
    return ExtractedPage(
        title=_title(_stated(about, "title")) or first_line(text),
        author=cut_line(_stated(about, "author"), MAX_NAME),
        site_name=None,
        description=cut_line(_stated(about, "subject"), MAX_DESCRIPTION),
        published_at=in_utc(_stated(about, "creation_date")),
        language=_language(reader),
        image_url=None,
        text=text,
        html=paragraphs_html(text),
        word_count=count_words(text),
    )


def _page_texts(reader: PdfReader) -> Iterator[str]:
    deadline = time.monotonic() + MAX_SECONDS
    length = 0

    def stop_in_time(*_: Any) -> None:
        if time.monotonic() > deadline:
            raise TimeoutError

    for number in range(min(len(reader.pages), MAX_PAGES)):
        text = ""
        with suppress(Exception):  # One broken page does not make the others unreadable.
            text = reader.pages[number].extract_text(visitor_operand_before=stop_in_time)
        yield text
        length += len(text)
        if length > MAX_TEXT or time.monotonic() > deadline:
            break


def _stated(about: Any, name: str) -> Any:
    """Return one property of the document; None where it is missing or malformed."""
    with suppress(Exception):
        return getattr(about, name, None)
    return None


def _title(stated: str | None) -> str | None:
    """Return the stated title, unless a word processor or a printer driver filled it in."""
    title = cut_line(_PRINTER.sub("", stated or ""), MAX_TITLE)
    return None if title and _NO_TITLE.fullmatch(title) else title


def _language(reader: PdfReader) -> str | None:
    match = _LANGUAGE.match(str(dict(_stated(reader, "root_object") or {}).get("/Lang", "")))
    return match[1].lower() if match else None
