"""Page texts stored below the API, as a capture leaves them: for corpora that no site serves."""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import func, update

from backend.app import create_app
from backend.bookmarks.models import Bookmark
from backend.bookmarks.search_documents import refresh_documents
from backend.capture.extract.page import ExtractedPage
from backend.capture.service import store_content
from backend.extensions import db
from benchmarks.corpora import LongPage
from benchmarks.stack import RunningStack
from config import load_settings

PAGES_PER_TRANSACTION = 50
LANGUAGE = "en"


@contextmanager
def application_of(stack: RunningStack) -> Iterator[None]:
    """The context of an application in this process, on the servers and with the secrets of a running stack."""
    settings = load_settings(
        _env_file=None,
        LOG_LEVEL="WARNING",
        EMBEDDING_PROVIDER="none",
        FUZE_DATA_DIR=stack.data_dir,
        **stack.addresses(),
    )
    with create_app(settings).app_context():
        yield


def store_pages(pages: Iterable[tuple[int, LongPage]]) -> int:
    """Store the pages of bookmarks (id, page), some hundred in each transaction; how many there were."""
    count = 0
    rest = iter(pages)
    while batch := list(itertools.islice(rest, PAGES_PER_TRANSACTION)):
        for bookmark_id, page in batch:
            store_page(bookmark_id, page.text, page.title)
        refresh_documents([bookmark_id for bookmark_id, _ in batch])
        db.session.commit()
        count += len(batch)
    return count


def store_page(bookmark_id: int, text: str, title: str) -> None:
    """Write what a capture writes, in the transaction at hand; the search document is left to `store_pages`."""
    page = ExtractedPage(
        title=title,
        author=None,
        site_name=None,
        description=None,
        published_at=None,
        language=LANGUAGE,
        image_url=None,
        text=text,
        html=f"<p>{html.escape(text)}</p>",
        word_count=len(text.split()),
    )
    captured = {"capture_status": "captured", "capture_error": None, "captured_at": func.now()}
    db.session.execute(
        update(Bookmark)
        .where(Bookmark.id == bookmark_id)
        .values(**captured, language=page.language, word_count=page.word_count, updated_at=func.now())
    )
    store_content(bookmark_id, page)
