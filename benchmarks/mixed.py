"""Many people at once: `python -m benchmarks.mixed [--users N] [--bookmarks N] [--seconds S] [--connections N] …`.

Each person has bookmarks of their own. Client processes send a mix of reads (lists, items, tags, lookups), searches and
writes, over as many connections as there are people, kept open, as fast as the answers come. Who reads, and what of
theirs, goes by Zipf's law, whatever its age; each person writes as much as any other, and with `--even` reads as much,
too. Told are faults (any status that was not expected), requests/s, percentiles for each kind, how often the cache had
the answer, and how many SQL statements PostgreSQL got for each request; all of it once with caching and once without,
each in a fresh stack.

With caching the load comes twice: in the first time nothing is kept yet, so that each thing that is read for the first
time is a miss; in the second the server has been used for as long as the first took, as a server that runs has.

Since each write makes answers old, no cache has all of them: beside the hit rate stands how high it could have been for
the very same requests if a write did away with all answers of its organization, and nothing else with any.

The statements are counted in a second, shorter load, since PostgreSQL has to write down each of them: the embedded one
has no pg_stat_statements. What the worker and the scheduler send meanwhile counts too; with capture and embeddings off
that is next to nothing.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import multiprocessing
import random
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import numpy as np

from backend.local_stack.processes import inherited_environment
from benchmarks.corpora import SEED, WordDraw, draw_queries, link_texts, load_links, varied_links
from benchmarks.loading import save_all, wait_until_quiet
from benchmarks.mix import EXPECTED, MIX, READS, WRITES, Draw, Person, request_of
from benchmarks.stack import RAISED_LIMITS, ROOT, RunningStack, SessionAuth, new_person, running_stack
from benchmarks.statements import Statements, counted_statements

SETTINGS = {"EMBEDDING_PROVIDER": "none", "ACCESS_TOKEN_MINUTES": "1440", **RAISED_LIMITS}
QUERIES = 300
HIT_RATE_GOAL = 80.0
NOTHING_KEPT, IN_USE, UNCACHED = "nothing kept beforehand", "in use for as long before", "caching off"
# What a request needs before its answer is looked for in the cache is no cacheable read of this load.
NOT_READS = {"session", "profile", "organization"}
ADMIN_PASSWORD = secrets.token_urlsafe(16)


@dataclass(frozen=True)
class Plan:
    """What one client process does."""

    url: str
    people: list[Person]
    queries: list[str]
    seconds: float
    connections: int
    zipf: float
    even: bool
    seed: int


@dataclass(frozen=True, order=True)
class Touch:
    """A read of an answer, or a write (no path), by one of the people; `moment` is of the monotonic clock."""

    moment: float
    person: int
    path: str


@dataclass
class Tally:
    """What was answered: milliseconds by kind, unexpected statuses by kind, and what was touched."""

    times: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in MIX})
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    touches: list[Touch] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take in what another client counted."""
        for kind, times in other.times.items():
            self.times[kind] += times
        self.faults += other.faults
        self.touches += other.touches

    @property
    def requests(self) -> int:
        return sum(map(len, self.times.values())) + sum(self.faults.values())


@dataclass(frozen=True)
class Round:
    """A load, and how often the cache had the answer; None where the product has no statistics of a cache."""

    tally: Tally
    seconds: float
    cache: dict[str, Counter[str]] | None

    def hit_rate(self) -> float | None:
        """Of the cacheable reads, in percent."""
        reads = [counts for name, counts in (self.cache or {}).items() if name not in NOT_READS]
        asked = sum(counts["hits"] + counts["misses"] for counts in reads)
        return 100 * sum(counts["hits"] for counts in reads) / asked if asked else None


@dataclass(frozen=True)
class Outcome:
    """The loads of a stack, the last with a cache that has been used, and the statements of one more."""

    rounds: list[Round]
    counted: Tally
    statements: Statements

    @property
    def faults(self) -> Counter[tuple[str, str]]:
        """Of all loads."""
        return sum((each.tally.faults for each in self.rounds), Counter(self.counted.faults))

    @property
    def statements_per_request(self) -> float:
        return self.statements.work / max(self.counted.requests, 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--bookmarks", type=int, default=200, help="of each person")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--counting", type=float, default=15, help="seconds of the load whose statements are counted")
    parser.add_argument("--processes", type=int, default=2, help="client processes")
    parser.add_argument("--connections", type=int, default=50, help="of each client process")
    parser.add_argument("--zipf", type=float, default=1.0, help="exponent; larger: fewer things are more popular")
    parser.add_argument("--even", action="store_true", help="everybody reads as much as any other")
    parser.add_argument("--settle", type=float, default=15, help="seconds of quiet before the load")
    options = parser.parse_args()

    links = load_links()
    with_cache = run(links, options, caching=True)
    without = run(links, options, caching=False)
    print("", *verdicts(with_cache, without), sep="\n")


def run(links: list[dict[str, object]], options: argparse.Namespace, *, caching: bool) -> Outcome:
    """All loads, in a stack of their own."""
    print(f"\nENABLE_CACHING={caching}".lower().replace("enable_caching", "ENABLE_CACHING"), flush=True)
    with running_stack("--rq-workers", "1", **SETTINGS, ENABLE_CACHING=str(caching).lower()) as stack:
        people = register(stack.url, links, options.users, options.bookmarks)
        admin = new_admin(stack)
        wait_until_quiet(stack.url, options.settle)
        queries = draw_queries(WordDraw(link_texts(links)), QUERIES)
        if caching:
            admin.delete("cache").raise_for_status()
        rounds = []
        for title in (NOTHING_KEPT, IN_USE) if caching else (UNCACHED,):
            rounds.append(load(stack, admin, people, queries, options))
            print(f"  {title}", *describe(rounds[-1]), sep="\n  ", flush=True)
        with counted_statements(stack) as statements:
            counted = drive(stack.url, people, queries, options.counting, options)
        outcome = Outcome(rounds, counted, statements)
    each = f"{outcome.statements_per_request:.2f} each"
    print(f"  SQL: {statements.work} statements for {counted.requests} requests, {each};", end=" ")
    print(f"besides {statements.control} of BEGIN, COMMIT, ROLLBACK and pings", flush=True)
    return outcome


def load(
    stack: RunningStack, admin: httpx.Client, people: list[Person], queries: list[str], options: argparse.Namespace
) -> Round:
    """The load once, with what the cache counted of it."""
    before, started = cache_statistics(admin), time.perf_counter()
    tally = drive(stack.url, people, queries, options.seconds, options)
    seconds = time.perf_counter() - started
    after = cache_statistics(admin)
    cache = None if before is None or after is None else since(before, after)
    return Round(tally, min(seconds, options.seconds), cache)


def register(url: str, links: list[dict[str, object]], users: int, bookmarks: int) -> list[Person]:
    """People with so many bookmarks each, no two with the same."""
    items, chance = varied_links(links, users * bookmarks), random.Random(SEED)
    people = []
    for _ in range(users):
        own = list(itertools.islice(items, bookmarks))
        with closing(new_person(url)) as client:
            saved = save_all(client, own)
            assert isinstance(client.auth, SessionAuth)
            pairs = [(id_, str(link["url"])) for id_, link in zip(saved.ids, own, strict=True) if id_ is not None]
            # What is popular is neither what lists show first nor what they show last.
            chance.shuffle(pairs)
            people.append(Person(client.auth.access_token, [id_ for id_, _ in pairs], [link for _, link in pairs]))
    print(f"  {users} people with {bookmarks} bookmarks each", flush=True)
    return people


def new_admin(stack: RunningStack) -> httpx.Client:
    """A client of somebody who may see the statistics of the cache."""
    command = [sys.executable, "-m", "backend", "create-user", "admin@example.org", "admin", "--admin"]
    environment = inherited_environment(**stack.addresses(), FUZE_DATA_DIR=str(stack.data_dir))
    password = f"{ADMIN_PASSWORD}\n".encode()
    subprocess.run(
        [*command, "--password-stdin"], input=password, env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    client = httpx.Client(base_url=f"{stack.url}/api/v1/", timeout=30, trust_env=False)
    answer = client.post("auth/login", json={"login": "admin", "password": ADMIN_PASSWORD}).raise_for_status()
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return client


def cache_statistics(admin: httpx.Client) -> dict[str, Counter[str]] | None:
    """Hits, misses and errors by namespace since the start; None where there is no such route."""
    answer = admin.get("cache/stats")
    if answer.status_code == httpx.codes.NOT_FOUND:
        return None
    found: Mapping[str, Mapping[str, int]] = answer.raise_for_status().json()["namespaces"]
    kinds = ("hits", "misses", "errors")
    return {name: Counter({kind: counts.get(kind, 0) for kind in kinds}) for name, counts in found.items()}


def since(before: Mapping[str, Counter[str]], after: Mapping[str, Counter[str]]) -> dict[str, Counter[str]]:
    """What was counted in between; a namespace may have come up meanwhile."""
    return {name: counts - before.get(name, Counter()) for name, counts in after.items()}


def drive(url: str, people: list[Person], queries: list[str], seconds: float, options: argparse.Namespace) -> Tally:
    """Load the server from several client processes; what all of them counted."""
    plans = [
        Plan(url, people, queries, seconds, options.connections, options.zipf, options.even, secrets.randbits(32))
        for _ in range(options.processes)
    ]
    whole = Tally()
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as pool:
        for tally in pool.map(send_mix, plans):
            whole.add(tally)
    return whole


def send_mix(plan: Plan) -> Tally:
    """One client process: every connection is a thread that asks again as soon as it is answered."""
    tallies = [Tally() for _ in range(plan.connections)]
    threads = [
        threading.Thread(target=_send, args=(plan, random.Random(f"{plan.seed}/{number}"), tally))
        for number, tally in enumerate(tallies)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = Tally()
    for tally in tallies:
        whole.add(tally)
    return whole


def best_hit_rate(touches: Sequence[Touch]) -> float:
    """In percent: reads of what was read since its organization's last write, in the order of the answers."""
    fresh: dict[int, set[str]] = {}
    reads = hits = 0
    for touch in sorted(touches):
        known = fresh.setdefault(touch.person, set())
        if not touch.path:
            known.clear()
            continue
        reads += 1
        hits += touch.path in known
        known.add(touch.path)
    return 100 * hits / max(reads, 1)


def describe(found: Round) -> Iterator[str]:
    """What there is to tell of a load."""
    tally = found.tally
    yield f"  {tally.requests} requests in {found.seconds:.0f} s, {tally.requests / found.seconds:.0f}/s"
    yield f"  faults: {dict(tally.faults) or 'none'}"
    for kind, times in tally.times.items():
        if times:
            shown = " / ".join(f"{value:.1f}" for value in np.percentile(times, [50, 95, 99]))
            yield f"  {kind:<7} {len(times):>7}  p50 / p95 / p99 {shown} ms"
    if found.cache is None:
        yield "  cache: not there (GET /cache/stats answers 404)"
    for name, counts in sorted((found.cache or {}).items()):
        yield f"  cache, {name}: {counts['hits']} hits, {counts['misses']} misses, {counts['errors']} errors"
    rate = found.hit_rate()
    yield f"  hit rate of cacheable reads: {'nothing was counted' if rate is None else f'{rate:.1f} %'}"
    yield f"  if a write did away with all answers of its organization: {best_hit_rate(tally.touches):.1f} % at most"


def verdicts(with_cache: Outcome, without: Outcome) -> Iterator[str]:
    """PASS or FAIL for each goal."""
    for name, outcome in (("with", with_cache), ("without", without)):
        faults = outcome.faults
        yield _verdict(not faults, f"{name} caching: {sum(faults.values())} faults {dict(faults) or ''}".rstrip())
    for title, found in zip((NOTHING_KEPT, IN_USE), with_cache.rounds, strict=False):
        rate = found.hit_rate()
        if rate is None:
            yield f"SKIP  {title}: the cache is not there, or counted nothing"
        else:
            claim = f"{title}: hit rate {rate:.1f} % of cacheable reads, wanted > {HIT_RATE_GOAL:.0f}"
            yield _verdict(rate > HIT_RATE_GOAL, claim)
    fewer, all_ = with_cache.statements_per_request, without.statements_per_request
    yield f"      SQL statements per request: {fewer:.2f} with caching, {all_:.2f} without"


def _send(plan: Plan, chance: random.Random, tally: Tally) -> None:
    draw, everybody = Draw(chance, plan.zipf), range(len(plan.people))
    kinds, weights = list(MIX), list(itertools.accumulate(MIX.values()))
    address = urlsplit(plan.url)
    with closing(http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)) as connection:
        end = time.monotonic() + plan.seconds
        while time.monotonic() < end:
            kind = chance.choices(kinds, cum_weights=weights)[0]
            who = chance.choice(everybody) if plan.even or kind in WRITES else draw.one_of(everybody)
            person = plan.people[who]
            method, path, body = request_of(kind, person, plan.queries, draw, chance)
            started = time.perf_counter()
            status = _ask(connection, method, path, body, person.token)
            milliseconds = (time.perf_counter() - started) * 1000
            if status == str(EXPECTED[kind]):
                tally.times[kind].append(milliseconds)
                if kind in READS or kind in WRITES:
                    tally.touches.append(Touch(time.monotonic(), who, path if kind in READS else ""))
            else:
                tally.faults[kind, status] += 1


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: dict[str, object] | None, token: str
) -> str:
    """The status, or the name of the error that came in its place."""
    headers = {"Authorization": f"Bearer {token}"}
    content = None
    if body is not None:
        headers["Content-Type"] = "application/json"
        content = json.dumps(body)
    try:
        connection.request(method, f"/api/v1/{path}", content, headers)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()  # The next request opens it again.
        return type(error).__name__
    return str(answer.status)


def _verdict(holds: bool, claim: str) -> str:
    return f"{'PASS' if holds else 'FAIL'}  {claim}"


if __name__ == "__main__":
    main()
