"""The deadline of an exchange, and who is asked meanwhile whether to go on."""

from __future__ import annotations

import time
from itertools import count

import pytest

from backend.outbound import deadline as deadlines
from backend.outbound.addresses import ip_network
from backend.outbound.deadline import Deadline
from backend.outbound.exchange import NetworkPolicy, post_json
from backend.outbound.failures import FetchError, FetchTimeout
from tests.capture.fetching import silent_listener, within
from tests.support.llm_server import running

pytestmark = pytest.mark.integration
HERE = NetworkPolicy([ip_network("127.0.0.1")])


class Stopped(Exception):
    """Raised by who no longer waits."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty beats a second."""
    monkeypatch.setattr(deadlines, "HEARTBEAT_SECONDS", 0.05)


def stop_at(beat: int) -> tuple[list[int], Deadline]:
    """A deadline whose beat stops all at this one, and the beats so far."""
    beats: list[int] = []
    numbers = count(1)

    def hear() -> None:
        beats.append(next(numbers))
        if len(beats) == beat:
            raise Stopped

    return beats, Deadline(10, hear)


def test_an_answer_that_is_late_is_waited_for_beat_by_beat() -> None:
    beats, deadline = stop_at(1000)
    with running() as server:
        server.delay = 0.4
        answer = post_json(f"{server.base_url}/x", b"{}", None, HERE, deadline)
    assert answer.status == 200
    assert len(beats) >= 4


def test_who_no_longer_waits_ends_it() -> None:
    beats, deadline = stop_at(3)
    with running() as server:
        server.delay = 5
        with within(2), pytest.raises(Stopped):
            post_json(f"{server.base_url}/x", b"{}", None, HERE, deadline)
    assert len(beats) == 3


def test_a_slow_look_up_is_waited_for_in_the_same_way() -> None:
    beats, deadline = stop_at(3)

    def resolve(host: str) -> list[str]:
        time.sleep(1)
        return ["127.0.0.1"]

    with within(0.9), pytest.raises(Stopped):
        post_json("http://slow.example.org/x", b"{}", None, NetworkPolicy(HERE.allowed, resolve), deadline)
    assert len(beats) == 3


def test_addresses_that_do_not_answer_are_given_up_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.outbound.transport.CONNECT_SECONDS", 0.2)
    beats, deadline = stop_at(1000)
    with silent_listener("127.0.0.1") as port, within(2), pytest.raises(FetchTimeout):
        post_json(f"http://127.0.0.1:{port}/x", b"{}", None, HERE, deadline)
    assert len(beats) == 1


def test_past_its_end_nothing_goes_on() -> None:
    deadline = Deadline(0.3, lambda: None)
    with running() as server:
        server.delay = 5
        with within(2), pytest.raises(FetchTimeout):
            post_json(f"{server.base_url}/x", b"{}", None, HERE, deadline)
        assert deadline.has_passed
        with pytest.raises(FetchTimeout):
            post_json(f"{server.base_url}/x", b"{}", None, HERE, deadline)


def test_a_pause_beats_too_and_ends_with_the_deadline() -> None:
    beats, deadline = stop_at(1000)
    with within(1):
        deadline.pause(0.3)
    assert 4 <= len(beats) <= 8
    with within(1), pytest.raises(FetchTimeout):
        Deadline(0.2).pause(10)


def test_nothing_is_sent_along_but_what_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Secret: of the operator")
    with running() as server:
        post_json(f"{server.base_url}/x", b"{}", "sk-of-the-person", HERE, Deadline(5))
        [(_, headers, _)] = server.asked
    assert set(headers) == {
        "Host", "User-Agent", "Accept", "Accept-Encoding", "Content-Type", "Connection", "Authorization",
        "Content-Length",
    }  # fmt: skip


@pytest.mark.parametrize("address", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::1"])
def test_a_private_address_is_not_connected_to(address: str) -> None:
    with pytest.raises(FetchError, match="public internet"):
        post_json(
            "http://llm.example.org/x", b"{}", None, NetworkPolicy(HERE.allowed, lambda host: [address]), Deadline(5)
        )
