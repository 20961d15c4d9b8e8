"""What the tests of the fetch share: a resolver of their own, bounds, and ways to see how a fetch failed."""

from __future__ import annotations

import contextlib
import itertools
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_network
from typing import Any

import pytest

from backend.capture.fetch import FetchPolicy, fetch_page
from backend.outbound.failures import FetchError

PUBLIC = "127.0.0.1"  # stands for a public address: the one that these tests allow
PRIVATE = "127.0.0.2"  # stands for a private one
HTML = b"<!doctype html><title>Hello</title>"
MIB = 1024 * 1024
PATIENCE = 30.0  # Seconds: for a machine that is busy with other things too.
ENDLESS = 60.0  # Seconds that a fault lasts which a fetch must not wait for.


class Names:
    """A resolver with a zone of its own; each lookup of a name takes its next answer, at the end the last."""

    def __init__(self, zone: dict[str, list[list[str]]] | None = None) -> None:
        self.zone = {
            name: itertools.chain(answers, itertools.repeat(answers[-1])) for name, answers in (zone or {}).items()
        }
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.zone:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return next(self.zone[host])


def bounds(resolve: Callable[[str], Sequence[str]] | None = None, **changes: Any) -> FetchPolicy:
    """A policy that allows PUBLIC only, knows no name and gives up after PATIENCE, with changes."""
    usual: dict[str, Any] = {"allowed_networks": [ip_network(PUBLIC)], "timeout_seconds": PATIENCE}
    return FetchPolicy(**{**usual, "resolve": resolve or Names(), **changes})


def failure(url: str, policy: FetchPolicy | None = None) -> FetchError:
    """How the fetch fails, its reason checked to be a sentence without internals."""
    with pytest.raises(FetchError) as caught:
        fetch_page(url, policy or bounds())
    reason = caught.value.reason
    assert str(caught.value) == reason
    assert reason[0].isupper()
    assert reason.endswith(".")
    assert not any(word in reason.lower() for word in ("127.0", "errno", "error", "exception", "None"))
    return caught.value


def given_up(url: str, policy: FetchPolicy) -> None:
    """The fetch ends by its own deadline and not because the fault did, which lasts ENDLESS."""
    start = time.monotonic()
    refusal = failure(url, policy)
    assert (refusal.reason, refusal.retryable) == ("The site took too long to answer.", True)
    assert time.monotonic() - start < PATIENCE


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fails if the block takes longer, by so much that no busy machine excuses it."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds + PATIENCE


@contextlib.contextmanager
def silent_listener(host: str, port: int = 0) -> Iterator[int]:
    """An address that lets every further SYN go unanswered, as its queue of connections is full; its port."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(0)
        bound_port: int = listener.getsockname()[1]
        with contextlib.suppress(TimeoutError):
            for _ in range(10):
                filler = stack.enter_context(socket.socket())
                filler.settimeout(0.1)
                filler.connect((host, bound_port))
        yield bound_port
