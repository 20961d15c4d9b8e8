"""Which addresses can be saved, and when two of them are one link (API.md, Bookmarks)."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.text.urls import MAX_LENGTH, domain_of, normalise_domain, normalise_url, url_error, url_hash

pytestmark = pytest.mark.unit

SAME = [
    ("http://example.org/a", "https://example.org/a"),
    ("HTTPS://Example.ORG/a", "https://example.org/a"),
    ("https://www.example.org/a", "https://example.org/a"),
    ("http://WWW.example.org:80/a", "https://example.org:443/a"),
    ("https://example.org:/a", "https://example.org/a"),
    ("https://example.org./a", "https://example.org/a"),
    ("https://example.org", "https://example.org/"),
    ("https://example.org/a/", "https://example.org/a"),
    ("https://example.org/a#part", "https://example.org/a"),
    ("https://example.org/a#", "https://example.org/a"),
    ("https://example.org/a/#/route", "https://example.org/a#/route"),
    ("https://example.org/a?", "https://example.org/a"),
    ("https://example.org/a?b=2&a=1", "https://example.org/a?a=1&b=2"),
    ("https://example.org/a?&a=1&&", "https://example.org/a?a=1"),
    ("https://example.org/a?utm_source=x&id=1&utm_campaign=y", "https://example.org/a?id=1"),
    ("https://example.org/a?UTM_Medium=x", "https://example.org/a"),
    ("https://example.org/a?utm_source-platform=x", "https://example.org/a"),
    ("https://example.org/a?fbclid=1", "https://example.org/a"),
    ("https://example.org/a?gclid=1&mc_eid=2&mc_cid=3&msclkid=4", "https://example.org/a"),
    ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
    ("https://BÜCHER.example/a", "https://bücher.example/a"),
    ("https://例え。テスト。/a", "https://例え.テスト/a"),
    ("http://[2001:DB8::1]:80/", "https://[2001:db8::1]"),
]
DIFFERENT = [
    ("https://example.org/?id=1", "https://example.org/?id=2"),
    ("https://example.org/a", "https://example.org/A"),
    ("https://example.org/a", "https://example.org/b"),
    ("https://example.org/", "https://example.com/"),
    ("https://sub.example.org/", "https://example.org/"),
    ("https://www2.example.org/", "https://example.org/"),
    ("https://example.org:8443/", "https://example.org/"),
    ("http://example.org:443/", "https://example.org:443/"),
    ("https://example.org/#/inbox", "https://example.org/#/sent"),
    ("https://example.org/#!inbox", "https://example.org/"),
    ("https://example.org/?a=1&a=2", "https://example.org/?a=2&a=1"),
    ("https://example.org/?a", "https://example.org/?b"),
    ("https://example.org/?utm=1", "https://example.org/"),
    ("https://example.org/?xfbclid=1", "https://example.org/"),
    ("https://[2001:db8::1]/", "https://[2001:db8::2]/"),
]
REFUSED = [
    "",
    "example.org",
    "//example.org/a",
    "/a",
    "https:",
    "https://",
    "https:///a",
    "https://?a=1",
    "https://#a",
    "https://.",
    "https://:80/",
    "ftp://example.org/a",
    "javascript:alert(1)",
    "data:text/html,a",
    "file:///etc/passwd",
    "mailto:ada@example.org",
    "httpss://example.org",
    "https://ada@example.org/",
    "https://ada:secret@example.org/",
    "https://@example.org/",
    "https://example.org\\@evil.example/",
    "https://exa mple.org/",
    "https://exa%6Dple.org/",
    "https://<b>/",
    "https://example.org:0/",
    "https://example.org:65536/",
    "https://example.org:port/",
    "https://example.org:80:80/",
    "https://[::1/",
    "https://[::1]a/",
    "https://[zz]/",
    "https://[v1.x]/",
    "https://[fe80::1%25eth0]/",
    "https://a[b]c/",
    "https://a]b/",
    "https://" + "a" * 254 + "/",
    "https://" + "字" * 254 + "/",
    "https://example.org/\x00",
    "https://example.org/a\nb",
    "https://example.org/\x7f",
    "https://example.org/" + "a" * MAX_LENGTH,
]
ACCEPTED = [
    "https://example.org",
    "HTTP://EXAMPLE.ORG/A B",
    "https://localhost:8000/",
    "https://192.0.2.1/",
    "https://[::ffff:192.0.2.1]:8443/a",
    "https://under_score.example.org/",
    "https://bücher.example/ä?ö=ü#/ß",
    "https://i❤.example/",
    "https://example.org/@ada?mail=a@b.c",
    "https://example.org/" + "a" * (MAX_LENGTH - 20),
]
LABELS = st.text(string.ascii_lowercase + string.digits + "äéñ字", min_size=1, max_size=12)
HOSTS = st.lists(LABELS, min_size=1, max_size=4).map(".".join).filter(lambda host: not host.startswith("www."))
SAFE = string.ascii_letters + string.digits + "-._~%éя字😀"
PATHS = st.lists(st.text(SAFE, max_size=6), max_size=4).map(lambda parts: "".join(f"/{part}" for part in parts))
NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=5).filter(lambda name: not name.startswith("utm"))
PARAMETERS = st.lists(st.tuples(NAMES, st.text(SAFE, max_size=5)), max_size=4)
FRAGMENTS = st.sampled_from(["", "#part", "#/route/a", "#!route", "#"])
PORTS = st.sampled_from(["", ":8080", ":1", ":65535"])


def query_of(parameters: list[tuple[str, str]]) -> str:
    return "?" + "&".join(f"{name}={value}" for name, value in parameters) if parameters else ""


URLS = st.builds(
    lambda scheme, host, port, path, parameters, fragment: (
        f"{scheme}://{host}{port}{path}{query_of(parameters)}{fragment}"
    ),
    st.sampled_from(["http", "https"]),
    HOSTS,
    PORTS,
    PATHS,
    PARAMETERS,
    FRAGMENTS,
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_these_are_one_link(one: str, other: str) -> None:
    assert url_error(one) is None
    assert normalise_url(one) == normalise_url(other)
    assert url_hash(one) == url_hash(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_these_are_two_links(one: str, other: str) -> None:
    assert url_hash(one) != url_hash(other)


@pytest.mark.parametrize("url", REFUSED)
def test_these_are_refused_in_words(url: str) -> None:
    assert url_error(url)


@pytest.mark.parametrize("url", ACCEPTED)
def test_these_are_accepted(url: str) -> None:
    assert url_error(url) is None


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.Example.org:8080/a", "example.org"),
        ("https://example.org./", "example.org"),
        ("https://bücher.example/", "xn--bcher-kva.example"),
        ("https://[2001:DB8::1]/", "2001:db8::1"),
        ("https://www2.example.org/", "www2.example.org"),
    ],
)
def test_the_domain_is_the_host_alone(url: str, domain: str) -> None:
    assert domain_of(url) == domain


@pytest.mark.parametrize(
    "typed", ["Example.org", " example.org ", "www.example.org", "example.org.", "WWW.EXAMPLE.ORG"]
)
def test_a_domain_is_found_as_people_type_it(typed: str) -> None:
    assert normalise_domain(typed) == domain_of("https://www.example.org/a")


@settings(deadline=None)
@given(URLS)
def test_normalising_twice_changes_nothing_more(url: str) -> None:
    assert url_error(url) is None
    once = normalise_url(url)
    assert normalise_url(f"https:{once}") == once


@settings(deadline=None)
@given(HOSTS, PATHS, PARAMETERS, FRAGMENTS)
def test_scheme_www_and_default_port_never_matter(
    host: str, path: str, parameters: list[tuple[str, str]], fragment: str
) -> None:
    rest = path + query_of(parameters) + fragment
    forms = [f"http://{host}", f"https://www.{host}", f"http://{host}:80", f"https://{host.upper()}:443"]
    # Capital letters of some scripts have no single small form; hosts are compared as IDNA folds them.
    assert len({url_hash(form + rest) for form in forms[:3]}) == 1
    if host.isascii():
        assert url_hash(forms[3] + rest) == url_hash(forms[0] + rest)


@settings(deadline=None)
@given(HOSTS, PATHS, PARAMETERS, st.randoms(use_true_random=False))
def test_tracking_parameters_and_order_never_matter(host: str, path: str, parameters: list, random) -> None:  # type: ignore[no-untyped-def, type-arg]
    distinct = list(dict(parameters).items())
    noisy = [*distinct, ("utm_source", "mail"), ("fbclid", "1"), ("GCLID", "2")]
    random.shuffle(noisy)
    url = f"https://{host}{path}"
    assert url_hash(url + query_of(noisy)) == url_hash(url + query_of(distinct))


@settings(deadline=None)
@given(URLS, st.text(SAFE, max_size=5), st.text(SAFE, max_size=5))
def test_other_parameters_always_matter(url: str, one: str, other: str) -> None:
    base = url.partition("#")[0].partition("?")[0]
    assert (url_hash(f"{base}?id={one}") == url_hash(f"{base}?id={other}")) == (one == other)


@settings(deadline=None)
@given(st.text(max_size=200) | st.text(max_size=200).map("https://".__add__))
def test_any_text_is_judged_and_what_is_accepted_can_be_stored(url: str) -> None:
    if url_error(url) is None:
        assert len(url_hash(url)) == 32
        assert 0 < len(domain_of(url)) <= 253
        assert "\x00" not in domain_of(url)
