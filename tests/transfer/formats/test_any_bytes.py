"""Whatever the bytes: a reader yields records and raises nothing but UnreadableFile."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.transfer.formats import FORMATS, detect_format
from tests.transfer.formats.reading import NETSCAPE, read_as, zipped

pytestmark = pytest.mark.unit

SEEDS = [
    NETSCAPE.encode()
    + b'<DT><H3>F</H3><DL><DT><A HREF="https://a.example/" ADD_DATE="1" TAGS="a b">A</A><DD>x</DL></DL>',
    b'<h1>Unread</h1><ul><li><a href="https://a.example/" time_added="1" tags="x">A</a></li></ul>',
    b'url,title,tags,time_added,status\nhttps://a.example/,"A\n""b""",x|y,1600000000,unread\n',
    b"id,title,note,excerpt,url,folder,tags,created,cover,highlights,favorite\n1,A,n,e,https://a.example/,f/g,x,1,,,true\n",
    b'[{"href":"https:\\/\\/a.example\\/","description":"A","tags":"x y","time":"2020-01-01","toread":"yes"}]',
    b'{"roots":{"bar":{"children":[{"type":"url","url":"https://a.example/","name":"A","date_added":"1"}],"type":"folder"}}}',
    b'{"bookmarks":[{"createdAt":1,"tags":["x"],"lists":["1"],"content":{"url":"https://a.example/"}}],"lists":[{"id":"1"}]}',
    b'{"collections":[{"id":1,"name":"x","parentId":1,"links":[{"id":1,"url":"https://a.example/","tags":[{"name":"x"}]}]}]}',
    b'[{"is_archived":1,"is_starred":"0","tags":null,"annotations":[1,{"quote":null}],"url":"https://a.example/"}]',
    b"- [A](https://a.example/)\nhttps://b.example/ B\n",
    zipped({"a.csv": "url\nhttps://a.example/\n"}),
]
PIECES = [
    b"<",
    b">",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\0",
    b"\r",
    b"\xff\xfe",
    b"\xc3",
    b"<!--",
    b"null",
    b"1e999",
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file of some format with pieces cut out, doubled and put in."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 4))):
        start, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        middle = draw(st.sampled_from([b"", data[start:end] * 2, *PIECES]) | st.binary(max_size=8))
        data = data[:start] + middle + data[end:]
    return data


@pytest.mark.parametrize("found", FORMATS, ids=lambda found: found.name)
@given(data=st.binary(max_size=300) | damaged())
def test_a_reader_raises_nothing_but_that_the_file_is_unreadable(found, data):
    found.detect(data)
    read_as(found, data)


@given(data=st.binary(max_size=300) | damaged())
def test_detection_raises_nothing_and_what_it_finds_is_read(data):
    if (found := detect_format(data, io.BytesIO(data))) is not None:
        read_as(found, data)
