"""What Schemathesis cannot know: values for the string formats of our schemas, and what is no defect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.openapi.checks import (
    ObjectLevelAuthorizationViolation,
    RejectedPositiveData,
    UnsupportedMethodResponse,
)

Texts = st.SearchStrategy[str]
WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
LETTERS = st.characters(categories=["L", "N", "S"], exclude_characters="\x00")
HOSTS = st.one_of(
    st.builds("{}.example.org".format, WORDS),
    st.builds("{}.example.org:{}".format, WORDS, st.integers(1, 65535)),
    st.sampled_from(
        ["localhost", "127.0.0.1", "[::1]", "[2001:db8::1]:8080", "bücher.example", "xn--bcher-kva.example"]
    ),
)
PATHS = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="?#"), max_size=40)
LINKS = st.builds(
    "{}://{}/{}{}{}".format,
    st.sampled_from(["http", "https", "HTTPS"]),
    HOSTS,
    PATHS,
    st.one_of(st.just(""), st.builds("?{}={}".format, WORDS, PATHS)),
    st.one_of(st.just(""), st.builds("#{}".format, PATHS)),
)
# Years at the ends of the calendar are refused: another time zone's year would have no number. Nothing is saved in the
# future.
MOMENTS = st.builds(
    lambda moment, minutes: moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat(),
    st.datetimes(datetime(1001, 1, 1), datetime(2025, 12, 31), timezones=st.just(UTC)),
    st.integers(-14 * 60, 14 * 60),
)

SMALL = "abcdefghijklmnopqrstuvwxyz0123456789"


def bounded(values: Texts, of_length: Callable[[int], Texts], *bounds: int) -> Texts:
    """Values, and such as are as long as the bounds of their schemas, or one longer or shorter.

    Schemathesis asks for these. Chance alone takes thousands of tries for each, and often finds none.
    """
    lengths = sorted({bound + step for bound in bounds for step in (-1, 0, 1)} - {0})
    return st.one_of(values, *map(of_length, lengths))


def letters(alphabet: Texts | str, before: str = "") -> Callable[[int], Texts]:
    """Strategies by length: a beginning, and letters up to that length."""
    return lambda length: st.text(alphabet, min_size=length - len(before), max_size=length - len(before)).map(
        before.__add__
    )


def long_email(length: int) -> Texts:
    """A mailbox at a host whose labels are no longer than they may be."""
    host = "".join("." if place % 50 == 49 else "x" for place in range(length - 73))
    return st.text(SMALL, min_size=60, max_size=60).map(lambda name: f"{name}@{host}.example.org")


def odd_password(length: int) -> Texts:
    """Odd enough not to be among the common ones, nor to be the name or the address."""
    return st.tuples(*[st.uuids()] * 4).map(lambda ids: "".join(map(str, ids))[:length])


ASCII = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
FORMATS = {
    "http-url": bounded(LINKS, letters(SMALL, "https://example.org/"), 2048),
    "base-url": bounded(
        st.builds("https://{}.example.org/{}".format, WORDS, WORDS), letters(SMALL, "https://example.org/"), 2048
    ),
    "date-time": MOMENTS,
    "date": st.dates(date(1001, 1, 1), date(2025, 12, 31)).map(date.isoformat),
    "email": bounded(st.builds("{}@{}.example.org".format, WORDS, WORDS), long_email, 254),
    "username": bounded(st.text(f"{SMALL}äçñ_-", min_size=6, max_size=64), letters(SMALL[:26]), 2, 64),
    "password": bounded(
        st.builds("{} Zq7-{}".format, st.text(LETTERS, max_size=60), st.uuids()), odd_password, 10, 128
    ),
    "api-key": bounded(st.text(ASCII, min_size=1, max_size=99), letters(ASCII), 1, 1024),
    "time-zone": st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"]),
    "name": bounded(st.text(LETTERS, min_size=1, max_size=60), letters(LETTERS), 1, 100, 200),
    "slug": bounded(st.from_regex(r"[a-z0-9]{1,20}(-[a-z0-9]{1,20}){1,2}", fullmatch=True), letters(SMALL), 2, 64),
}
for name, values in FORMATS.items():
    schemathesis.openapi.format(name, values)

# Codes of a 422 that depend on what is there, which no schema can say: an opaque cursor of another list, the id of a
# project that does not exist, a tag to merge into that does not exist or is the same, a token that nobody was mailed,
# the password of the account, a key that is stored for another server, the name of the organization to delete, a place
# for a task that does not exist, is in another list or project, below itself or too deep; more than one subject of a
# recommendation, feedback on what is not there or was not recommended, or about something else than before; a
# period that ends before it begins, or is too long.
DEPENDS_ON_DATA = {
    "ambiguous",
    "api_key_required",
    "changed",
    "cursor",
    "cycle",
    "empty",
    "itself",
    "mismatch",
    "missing_name",
    "name_mismatch",
    "other_list",
    "other_project",
    "past",
    "range",
    "token_unknown",
    "unknown_format",
    "too_deep",
    "unknown_bookmark",
    "unknown_organization",
    "unknown_project",
    "unknown_recommendation",
    "unknown_tag",
    "unknown_task",
    "wrong_password",
}


AMONG_BOOKMARKS = {"/api/v1/bookmarks/lookup", "/api/v1/bookmarks/export"}


@schemathesis.hook
def map_case(_context: HookContext, case: Case) -> Case:
    """Write queries that are meant to succeed as a client would.

    Without made-up cursors, since no list would be read otherwise, and whole numbers without a point: JSON Schema takes
    7.0 for an integer, but a query is text.
    """
    if case.meta is not None and case.meta.generation.mode.is_positive and case.query:
        case.query = {name: _written(value) for name, value in case.query.items() if name != "cursor"}
    return case


def _written(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.hook
def filter_failure(_context: HookContext, failure: Failure, _case: Case, response: Response) -> bool:
    """Whether a failure is one of ours to repair."""
    if response.status_code == 414:
        # gunicorn's own, before a line of our code runs: it reads no request line of more than 8190 bytes.
        return False
    if _case.path.startswith("/linkding/") and isinstance(failure, AcceptedNegativeData):
        # linkding passes over what it does not know, and takes "yes" for true, as our schemas do not say.
        return False
    if isinstance(failure, AcceptedNegativeData) and "violates `format`" in failure.message:
        # Our formats say how to make a value that will do, not which values will not.
        return False
    if isinstance(failure, ObjectLevelAuthorizationViolation) and response.json().get("items") == []:
        # What belongs to a project with nothing in it: the owner is told as little as anybody else.
        return False
    if isinstance(failure, UnsupportedMethodResponse) and _case.path in AMONG_BOOKMARKS:
        # For methods that they do not take, `lookup` and `export` are ids of a bookmark, which cannot be.
        return response.status_code != 404
    if isinstance(failure, RejectedPositiveData) and _case.path.startswith("/linkding/"):
        # A link that another bookmark has, a search of too many alternatives: that depends on what is there.
        return not {"url", "q"} & set(response.json())
    if isinstance(failure, RejectedPositiveData) and response.status_code == 422:
        return not {error["code"] for error in response.json()["errors"]} <= DEPENDS_ON_DATA
    return True
