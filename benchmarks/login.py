"""Whether the time that a failed login takes tells who has an account: `python -m benchmarks.login`.

An unknown name against a wrong password, 200 of each in turn, over HTTP, each from an address of its own so that nobody
has to wait. The medians should differ by less than 5 %.
"""

from __future__ import annotations

import ipaddress
import itertools
import statistics
import time

import httpx

from benchmarks.stack import new_person, running_stack

TRIES = 200
TRIES_PER_ACCOUNT = 4
GOAL = 0.05


def main() -> None:
    """Measure and print."""
    with (
        running_stack(EMBEDDING_PROVIDER="none", TRUSTED_PROXIES="127.0.0.1", ENABLE_RATE_LIMITING="false") as stack,
        httpx.Client(base_url=f"{stack.url}/api/v1/", timeout=30, trust_env=False) as client,
    ):
        names = [new_person(stack.url).get("profile").json()["username"] for _ in range(TRIES // TRIES_PER_ACCOUNT)]
        addresses = map(str, ipaddress.ip_network("10.0.0.0/8").hosts())
        known = list(itertools.chain.from_iterable(itertools.repeat(names, TRIES_PER_ACCOUNT)))
        for name in known[:10]:
            _seconds(client, f"warm-{name}", next(addresses))
        taken: dict[str, list[float]] = {"unknown name": [], "wrong password": []}
        for place, name in enumerate(known):
            taken["unknown name"].append(_seconds(client, f"nobody{place}", next(addresses)))
            taken["wrong password"].append(_seconds(client, name, next(addresses)))
    medians = {kind: statistics.median(seconds) * 1000 for kind, seconds in taken.items()}
    for kind, median in medians.items():
        print(f"{kind}: median {median:.2f} ms of {TRIES}")
    difference = abs(medians["unknown name"] - medians["wrong password"]) / min(medians.values())
    print(f"{'PASS' if difference < GOAL else 'FAIL'}  they differ by {difference:.1%}, at most {GOAL:.0%}")


def _seconds(client: httpx.Client, name: str, address: str) -> float:
    body = {"login": name, "password": "certainly not the password"}
    started = time.perf_counter()
    answer = client.post("auth/login", json=body, headers={"X-Forwarded-For": address})
    taken = time.perf_counter() - started
    if answer.status_code != 401:
        raise RuntimeError(f"{answer.status_code}: {answer.text}")
    return taken


if __name__ == "__main__":
    main()
