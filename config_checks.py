"""What `config.py` asks of single values: each function says in words what is wrong with one, or None."""

from __future__ import annotations

import difflib
import functools
import ipaddress
import re
import socket
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import SplitResult, urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SECRET_MIN_BYTES = 32
SECRET_MIN_CHARACTERS = 8
# Powers of ten of the guesses that zxcvbn expects. Of 32 random characters it expects 10^29 or more, of 32 random
# digits 10^23; of patterns and repeats less than 10^17.
SECRET_MIN_GUESSES = 20
# The same of every other character, for two sequences that were shuffled together: `a1b2c3d4…`.
SECRET_MIN_GUESSES_BY_HALVES = 12
ZXCVBN_MOST_CHARACTERS = 72
# So many letters and digits must be left when words are taken out.
SECRET_MIN_BEYOND_WORDS = 16
WORD_MIN_LETTERS, WORD_MOST_LETTERS = 4, 16
# Of sixteen signs too many words are made by chance.
HEXADECIMAL = re.compile(r"[0-9a-f-]+")
PLACEHOLDERS = ("changeme", "fuze", "jwt", "lorem", "ipsum", "dolor", "amet", "consectetur", "adipiscing", "elit")
SIGNS_FOR_LETTERS = str.maketrans("@4301$57", "aaeolsst")
# Two random keys have three or four characters in a row in common.
SHARED_MOST_CHARACTERS = 12

NO_PART_OF_ADDRESSES = re.compile(r"[\s<>\"\\^`{|}]")
HOST = re.compile(r"[^\W_][\w.-]*|[0-9a-f:.]*:[0-9a-f:.]*")
# What has another meaning in an address, and how it is written instead.
UNENCODED = re.compile(r"[@:/#?\[\]\s]")
ENCODED = "%40 for @, %3A for :, %2F for /, %23 for #, %3F for ?"
BROKEN_ENCODING = re.compile(r"%(?![0-9A-Fa-f]{2})")
PORT = re.compile(r"(?:\[[^\]]*\]|[^:]*)(?::([0-9]{1,5})?)?")
# Short names are like too many others. One letter more or less in twelve is a likeness of .95.
MISSPELT_MIN_LETTERS, MISSPELT_LIKENESS = 8, 0.85
# /api would be taken for the beginning of the application's own paths.
BASE_PATH = re.compile(r"(?!/api(?:/|$))(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+){1,8}")
# As Sentry and what is compatible with it give it out: a public key, maybe a secret one, a path, the project's number.
DSN = re.compile(
    r"https?://[A-Za-z0-9]+(:[A-Za-z0-9]+)?@(\[[0-9a-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[\w.~-]+)*/[0-9]+"
)
# RFC 9110: the name of a header field; of its value what is percent-encoded, as OpenTelemetry asks for.
HEADER_PAIR = re.compile(r"\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+\s*=\s*[\x21-\x2b\x2d-\x7e]*\s*")
ENCODED_CONTROL = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff]|[89A-Fa-f][0-9A-Fa-f])")
# As S3 names buckets.
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
LOCAL_NAMES = ("localhost", "localdomain", "ip6-localhost", "ip6-loopback")
# The widest networks that one operator's proxies are in: Akamai's and Google's largest are of this size.
WIDEST_PROXIES = {4: 10, 6: 20}
PRIVATE_NETWORKS = [
    ipaddress.ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
]
# IPv6 networks that hold all of IPv4, with their number of leading bits (RFC 4291 2.5.5, RFC 6052).
EMBEDDED_IPV4 = [ipaddress.IPv6Network(text) for text in ("::/96", "::ffff:0:0/96", "64:ff9b::/96")]


def secret_fault(value: str) -> str | None:
    """Why somebody could guess this key, or None. The key is not quoted."""
    if len(value.encode()) < SECRET_MIN_BYTES:
        return f"is shorter than {SECRET_MIN_BYTES} bytes"
    folded = value.casefold()
    if len(set(folded)) < SECRET_MIN_CHARACTERS:
        return "has too few different characters"
    if _is_pattern(folded):
        return "repeats itself or follows a pattern"
    if not HEXADECIMAL.fullmatch(folded) and _beyond_words(folded) < SECRET_MIN_BEYOND_WORDS:
        return "is made of words, or is a known default"
    return None


def share_much(one: str, other: str) -> bool:
    """Whether two keys are the same, or hold a long part of each other, whatever the case and direction."""
    one, other = one.strip().casefold(), other.strip().casefold()
    length = SHARED_MOST_CHARACTERS + 1
    if one == other:
        return bool(one)
    parts = {one[at : at + length] for at in range(len(one) - length + 1)}
    return any(text[at : at + length] in parts for text in (other, other[::-1]) for at in range(len(text) - length + 1))


def web_address_fault(value: str) -> str | None:
    """Why a link cannot begin with this address, or None."""
    if not value.isprintable() or NO_PART_OF_ADDRESSES.search(value):
        return "holds blanks or signs that no address has"
    parts = _split_address(value)
    if parts is None or parts.scheme not in ("http", "https") or not HOST.fullmatch(parts.hostname or ""):
        return "is not an address such as https://fuze.example.org"
    if "@" in parts.netloc:
        return "holds a name or password"
    if "?" in value or "#" in value:
        return "holds a ? or #; links are made by adding to it"
    return None


def server_address_fault(value: str) -> str | None:
    """Why the address of a server, maybe with a user and password, cannot be read, or None. Quotes nothing."""
    head, _, query = value.partition("://")[2].partition("?")
    before = head
    if "@" not in head and "@" in query and "=" not in query.partition("@")[0]:
        before = head + "?" + query  # A password with a question mark.
    credentials, at, place = before.rpartition("@")
    if (at and UNENCODED.search(credentials.partition(":")[2])) or UNENCODED.search(credentials.partition(":")[0]):
        return "the name or password holds a sign that must be encoded: write " + ENCODED
    if at and BROKEN_ENCODING.search(credentials):
        return "the name or password holds a % that must be encoded: write %25"
    port = PORT.fullmatch(place.partition("/")[0])
    if port is None or (port[1] and not 0 < int(port[1]) < 65_536):
        return (
            "the port is no number from 1 to 65535, or a password holds a sign that must be encoded: write " + ENCODED
        )
    if "#" in value:
        return "holds a #: in a password write %23"
    return None


def header_pairs_fault(value: str) -> str | None:
    """Why header fields, name=value with commas between, cannot be sent, or None. Quotes nothing."""
    if not all(HEADER_PAIR.fullmatch(pair) for pair in value.split(",")):
        return "is not of the form name=value,name=value; write %20 for a blank and %2C for a comma in a value"
    if BROKEN_ENCODING.search(value) or ENCODED_CONTROL.search(value):
        return "holds a % that must be encoded, or a sign that no HTTP header can carry: write %25"
    return None


def export_storage_fault(value: str) -> str | None:
    """Why files of exports cannot be stored there, or None. Quotes nothing."""
    parts = _split_address(value)
    if parts is None or "?" in value or "#" in value or "@" in parts.netloc:
        return "is not an address such as s3://bucket/prefix; keys have settings of their own"
    if parts.scheme == "file" and not parts.netloc and len(parts.path) > 1:
        return None
    if parts.scheme == "s3" and BUCKET.fullmatch(parts.netloc):
        return None
    return "is not an address such as s3://bucket/prefix or file:///srv/exports"


def leads_to_this_machine(value: str) -> bool:
    """Whether a browser would look for this address on the machine that it runs on."""
    parts = _split_address(value)
    host = unicodedata.normalize("NFKC", (parts.hostname if parts else None) or "").rstrip(".").lower()
    if host.rpartition(".")[2] in LOCAL_NAMES:
        return True
    address = _as_address(host)
    if isinstance(address, ipaddress.IPv6Address) and (inner := _inner_ipv4(address)) is not None:
        address = inner
    # All of 0.0.0.0/8 means this machine.
    return address is not None and (
        address.is_loopback or address.is_unspecified or (address.version == 4 and address.packed[0] == 0)
    )


def proxies_fault(networks: Iterable[Network]) -> str | None:
    """Why these are not one operator's proxies, or None."""
    for network in _together(map(_without_mapping, networks)):
        private = any(network.version == other.version and network.subnet_of(other) for other in PRIVATE_NETWORKS)  # type: ignore[arg-type]
        if not private and network.prefixlen < WIDEST_PROXIES[network.version]:
            return f"{network} is too wide: whoever is in it can choose the address that is counted and logged"
    return None


def misspelt(names: Iterable[str], known: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names that are nearly one of those known, each with that one."""
    known = set(known)
    long = sorted(name for name in known if len(name) >= MISSPELT_MIN_LETTERS)
    for name in names:
        if name not in known and len(name) >= MISSPELT_MIN_LETTERS:
            for found in difflib.get_close_matches(name.upper(), long, n=1, cutoff=MISSPELT_LIKENESS):
                yield name, found


def _is_pattern(text: str) -> bool:
    halves = _guesses(text[::2]) + _guesses(text[1::2])
    return _guesses(text) < SECRET_MIN_GUESSES or halves < SECRET_MIN_GUESSES_BY_HALVES


def _guesses(text: str) -> float:
    """The power of ten of the guesses that the best part of a text takes."""
    # Its lists take 12 MiB: only what runs in production judges secrets.
    from zxcvbn import zxcvbn  # noqa: PLC0415

    parts = (text[at : at + ZXCVBN_MOST_CHARACTERS] for at in range(0, len(text), ZXCVBN_MOST_CHARACTERS))
    return max((float(zxcvbn(part)["guesses_log10"]) for part in parts), default=0.0)


def _beyond_words(folded: str) -> int:
    """How many letters and digits are left when words are taken out, also those written with signs for letters."""
    spelled = folded.translate(SIGNS_FOR_LETTERS)
    return min(sum(map(_left_of, re.findall(r"[^\W_]+", text))) for text in (folded, spelled))


def _left_of(run: str) -> int:
    if run in _words():
        return 0
    left, at = 0, 0
    while at < len(run):
        longest = range(min(WORD_MOST_LETTERS, len(run) - at), WORD_MIN_LETTERS - 1, -1)
        word = next((length for length in longest if run[at : at + length] in _words()), 0)
        left += not word
        at += word or 1
    return left


@functools.cache
def _words() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415

    words = frozenset().union(*FREQUENCY_LISTS.values())
    return frozenset(word for word in words if word.isalpha()).union(PLACEHOLDERS)


def _split_address(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def _as_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is, also in the old forms of IPv4 that browsers take: `127.1`, `0x7f000001`."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def _inner_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.packed[15] <= 1 and not any(address.packed[:15]):
        return None  # :: and ::1 are addresses of their own.
    inner = any(address in network for network in EMBEDDED_IPV4)
    return ipaddress.IPv4Address(address.packed[12:]) if inner else None


def _without_mapping(network: Network) -> Network:
    """A network of IPv4 that is written as one of IPv6, as the former."""
    for outer in EMBEDDED_IPV4:
        if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(outer) and network.prefixlen < 127:
            return ipaddress.IPv4Network((network.network_address.packed[12:], network.prefixlen - 96))
    return network


def _together(networks: Iterable[Network]) -> Iterator[Network]:
    """The same addresses in as few networks as possible: two halves are a whole."""
    networks = list(networks)
    yield from ipaddress.collapse_addresses(one for one in networks if isinstance(one, ipaddress.IPv4Network))
    yield from ipaddress.collapse_addresses(one for one in networks if isinstance(one, ipaddress.IPv6Network))
