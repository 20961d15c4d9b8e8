"""Any text in any field of HTML and CSV comes back as it was, read by plain readers that undo our escapes."""

from __future__ import annotations

import csv
import io
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backend.text.tag_names import fold_name, tag_key
from backend.transfer.escapes import read_tags, unescape, unguard_cell
from tests.support.api import Api
from tests.transfer.netscape import read_netscape

pytestmark = [pytest.mark.integration, pytest.mark.requires_db, pytest.mark.requires_redis]
PROPERTY = settings(
    max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
PARTS = [
    "%{",
    "%{25}",
    "%{2c}",
    "[linkding-notes]",
    "[/linkding-notes]",
    "&lt;",
    "</A>",
    "<DD>",
    '"',
    "'=",
    "\r\n",
    ",",
]
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
TEXT = st.lists(CHARACTERS | st.sampled_from(PARTS), max_size=60).map("".join)
TAGS = st.lists(TEXT.map(lambda name: fold_name(name)[:100].strip()).filter(bool), max_size=4, unique_by=tag_key)
AWKWARD = "\x01\x0b\x7f\x80\x85\xa0\u2028\ufdd0\ufeff\ufffe\U0001ffff\U0001f680 "
ODD_TAGS = ["a, b", "<b>", '"q"', "linkding:bookmarks.archived", "=1", "'x", "\U0001f680"]


def saved(person: Api, **texts: Any) -> None:
    """The one bookmark of the person, with these texts."""
    known = person.post("/bookmarks", {"url": "https://example.org/a?b='\"<&>", "capture": False}).json
    assert person.patch(f"/bookmarks/{known['id']}", texts).status_code == 200


def exported(person: Api, file_format: str) -> str:
    """The export as a text."""
    return person.get("/bookmarks/export", format=file_format).get_data(as_text=True)


@PROPERTY
@given(TEXT, TEXT, TEXT, TAGS)
@example(AWKWARD, f" {AWKWARD}", f"{AWKWARD}\r\n", ODD_TAGS)
@example("a\r\nb  c\td", "[linkding-notes]x[/linkding-notes]", "[/linkding-notes]", [])
@example("", "", " ", ["linkding:bookmarks.archived"])
def test_any_text_comes_back_from_html(ada: Api, title: str, description: str, notes: str, tags: list[str]) -> None:
    saved(ada, title=title, description=description, notes=notes, tags=tags)
    html = exported(ada, "html")
    [found] = read_netscape(html)
    assert (found.title, found.description, found.notes) == (title, description, notes)
    assert ([tag_key(tag) for tag in found.tags], found.is_archived) == ([tag_key(tag) for tag in tags], False)
    assert found.url == "https://example.org/a?b='\"<&>"
    plain = PlainReader()
    plain.feed(html)
    assert [unescape(text) for text in plain.titles] == [title]


class PlainReader(HTMLParser):
    """The standard library's parser, as other readers use it: titles are stripped."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.titles: list[str] = []
        self._is_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_title = tag == "a"
        if self._is_title:
            self.titles.append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_title = False

    def handle_data(self, data: str) -> None:
        if self._is_title:
            self.titles[-1] = (self.titles[-1] + data).strip()


@PROPERTY
@given(TEXT, TEXT, TEXT, TAGS)
@example("=HYPERLINK()", "'=1", "\t=\r\n\r", ODD_TAGS)
@example("''+1", "'", " -1", ["-"])
def test_any_text_comes_back_from_csv(ada: Api, title: str, description: str, notes: str, tags: list[str]) -> None:
    saved(ada, title=title, description=description, notes=notes, tags=tags)
    [raw] = csv.DictReader(io.StringIO(exported(ada, "csv"), newline=""))
    found = {name: unguard_cell(cell) for name, cell in raw.items()}
    assert [found[name] for name in ("title", "description", "notes")] == [title, description, notes]
    assert [tag_key(tag) for tag in read_tags(found["tags"])] == [tag_key(tag) for tag in tags]
    assert not [cell for cell in raw.values() if cell[:1] in set("=+-@\t\r\n")]
