"""What one query may cost: `python -m benchmarks.query_cost [--bookmarks N …] [--mixes N] [--goal MS]`.

For each size a fresh PostgreSQL and Redis with one organization of real links in it, counted as the worker counts them.
Then queries of up to 1,000 characters, chosen to be dear: every operator repeated, with common words and tags, and
mixes of all operators drawn by chance. Each is asked as a list and as a search by words. Told are the milliseconds that
the whole request took, those of the processor's time among them (this process's and PostgreSQL's: it does not depend on
what else the machine does, and the goal is held against it), those of planning alone (EXPLAIN of what it sent, once
more), and the nodes of its plans.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import flask_migrate
import psutil
from flask import Flask
from sqlalchemy import Engine, event, text

from backend.app import create_app
from backend.bookmarks.statistics_refresh import refresh_statistics
from backend.extensions import db
from backend.local_stack.postgres import EmbeddedPostgres
from backend.local_stack.redis import EmbeddedRedis
from benchmarks.corpora import load_links, varied_links
from benchmarks.loading import bulk_bodies
from config import load_settings

ROOT = Path(__file__).parent.parent
LONGEST = 1_000
SEED = 22
SHOWN = 12
ROUTES = {"list": "/api/v1/bookmarks", "search": "/api/v1/search"}
SETTINGS = {"ENABLE_RATE_LIMITING": False, "EMBEDDING_PROVIDER": "none", "LOG_LEVEL": "ERROR"}
PASSWORD = "correct horse battery"  # nosec B105
CJK = (
    "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着"
    "去之过家学对可她里后小么心多天而能好都然没日于起还发成事"
)
TABLES = "bookmarks, bookmark_documents, bookmark_tags, tags, tag_counts, bookmark_counts, search_terms"


@dataclass(frozen=True)
class Cost:
    """What one request cost."""

    name: str
    route: str
    status: int
    milliseconds: float
    processor: float
    planning: float
    nodes: int


class Sent:
    """The statements of an engine, with their values."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.statements: list[tuple[str, Any]] = []
        event.listen(engine, "before_cursor_execute", self._remember)

    def _remember(self, *given: Any) -> None:
        self.statements.append((given[2], given[3]))

    def plans(self) -> Iterator[dict[str, Any]]:
        """PostgreSQL's plans for the queries sent; settings that they make hold for those after them."""
        sent, self.statements = self.statements, []
        with self.engine.connect() as connection:
            cursor = connection.connection.cursor()
            for statement, values in sent:
                if not statement.lstrip().upper().startswith(("SELECT", "WITH")):
                    continue
                cursor.execute(f"EXPLAIN (SUMMARY, FORMAT JSON) {statement}", values)
                yield cursor.fetchone()[0][0]
                if "set_config" in statement:
                    cursor.execute(statement, values)
        self.statements.clear()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bookmarks", type=int, nargs="+", default=[3, 20_000])
    parser.add_argument("--mixes", type=int, default=40, help="queries drawn by chance")
    parser.add_argument("--goal", type=float, default=300, help="milliseconds that no query may take")
    options = parser.parse_args()
    links = load_links()
    for count in options.bookmarks:
        print(f"\n{count} bookmarks", flush=True)
        items = list(varied_links(links, count))
        with loaded_application(items) as (app, engine, headers):
            queries = {**chosen_queries(items), **drawn_queries(items, options.mixes)}
            print_costs(list(measure(app, engine, headers, queries)), options.goal)


@contextmanager
def loaded_application(items: Sequence[Mapping[str, object]]) -> Iterator[tuple[Flask, Engine, dict[str, str]]]:
    """An application over servers of its own that holds the links, and the headers of the person who has them."""
    with (
        tempfile.TemporaryDirectory(prefix="fuze-bench-") as directory,
        EmbeddedPostgres(Path(directory), durable=False) as postgres,
        EmbeddedRedis(Path(directory), durable=False) as redis,
    ):
        servers = {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url, "FUZE_DATA_DIR": directory}
        app = create_app(load_settings(_env_file=None, **SETTINGS, **servers))
        with app.app_context():
            flask_migrate.upgrade(directory=str(ROOT / "migrations"))
            engine = db.engine
        # Requests come from outside any context, so that each has a session of its own.
        yield app, engine, load(app, items)
        engine.dispose()


def load(app: Flask, items: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Register, save the links, count them as the worker does."""
    client = app.test_client()
    body = {"email": "reader@example.org", "username": "reader", "password": PASSWORD}
    session = client.post("/api/v1/auth/register", json=body).get_json()
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    for batch in bulk_bodies(items):
        saved = client.post(
            "/api/v1/bookmarks/bulk", data=batch, headers={**headers, "Content-Type": "application/json"}
        )
        assert saved.status_code == 200, saved.get_data(as_text=True)
    with app.app_context():
        refresh_statistics(session["organization_id"])
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"VACUUM ANALYZE {TABLES}"))
    return headers


def measure(app: Flask, engine: Engine, headers: Mapping[str, str], queries: Mapping[str, str]) -> Iterator[Cost]:
    """Each query on each route; the first of all is asked once before, so that nothing is loaded in its time."""
    client = app.test_client()
    sent = Sent(engine)
    gc.collect()
    gc.freeze()  # A server does not hold the links that were loaded, and would not look through them again.
    client.get(ROUTES["search"], query_string={"q": "one", "mode": "text"}, headers=headers)
    for name, query in queries.items():
        for route, path in ROUTES.items():
            given = {"q": query, "mode": "text"} if route == "search" else {"q": query}
            sent.statements.clear()
            worked, started = processor_seconds(engine), time.perf_counter()
            answer = client.get(path, query_string=given, headers=headers)
            spent = (time.perf_counter() - started) * 1000
            worked = (processor_seconds(engine) - worked) * 1000
            plans = list(sent.plans()) if answer.status_code == 200 else []
            planning = sum(plan["Planning Time"] for plan in plans)
            nodes = sum(json.dumps(plan).count('"Node Type"') for plan in plans)
            yield Cost(name, route, answer.status_code, spent, worked, planning, nodes)


def processor_seconds(engine: Engine) -> float:
    """The processor's time of this process and of PostgreSQL for its clients so far; that in steps of 10 ms."""
    with engine.connect() as connection:
        server = psutil.Process(connection.connection.dbapi_connection.get_backend_pid()).parent()  # type: ignore[union-attr]
    assert server is not None
    spent = time.process_time()
    for process in server.children():
        with suppress(psutil.NoSuchProcess):  # Its own housekeeping comes and goes.
            if "[local]" in "".join(process.cmdline()):
                spent += sum(process.cpu_times()[:2])
    return spent


def chosen_queries(items: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Each operator over and over, with what is most common."""
    tags, words, hosts = vocabulary(items)
    states = ["unread", "read", "favorite", "archived", "untagged", "broken"]
    queries = {
        "90 tags required": [f"#{place}" for place in range(90)],
        "tags required": [f'tag:"{tag}"' for tag in tags],
        "tags required, 45": [f"#{tag}" for tag in tags if " " not in tag][:45],
        "tags excluded": [f'-tag:"{tag}"' for tag in tags],
        "tags excluded, 45": [f"-#{tag}" for tag in tags if " " not in tag][:45],
        "tags, one of": _joined([f'tag:"{tag}"' for tag in tags]),
        "tags, one of 45": _joined([f"#{tag}" for tag in tags if " " not in tag][:45]),
        "tags, pairs of alternatives": _pairs([f"#{tag}" for tag in tags if " " not in tag]),
        "tag or state, pairs": _pairs([x for tag in tags if " " not in tag for x in (f"#{tag}", "is:unread")]),
        "tag or word, pairs": _pairs(
            [x for pair in zip(tags, words, strict=False) for x in (f'tag:"{pair[0]}"', pair[1])]
        ),
        "words": words,
        "words excluded": [f"-{word}" for word in words],
        "one word and words excluded": [words[0], *(f"-{word}" for word in words[1:])],
        "words, one of": _joined(words),
        "words, pairs of alternatives": _pairs(words),
        "word or not another, pairs": _pairs([x for word in words for x in (word, f"-{word}x")]),
        "word or state, pairs": _pairs([x for word in words for x in (word, "is:favorite")]),
        "phrases": [f'"{one} {two}"' for one, two in pairwise(words)],
        "phrases, one of": _joined([f'"{one} {two}"' for one, two in pairwise(words)]),
        "phrases excluded": [f'-"{one} {two}"' for one, two in pairwise(words)],
        "one long phrase": ['"' + " ".join(["a", "the"] * 200) + '"'],
        "phrases of stop words, one of": _joined(
            [f'"{a} {b}"' for a in ("a", "the", "of") for b in ("for", "and", "a", "to")] * 5
        ),
        "letters": list("abcdefghijklmnopqrstuvwxyz" * 20),
        "letters, one of": _joined(list("abcdefghijklmnopqrstuvwxyz" * 10)),
        "letters excluded": [f"-{letter}" for letter in "abcdefghijklmnopqrstuvwxyz" * 20],
        "stop words": ["the", "of", "and", "a", "to", "in", "for", "is", "on", "with"] * 30,
        "stop words, one of": _joined(["the", "of", "and", "a", "to", "in", "for", "is", "on", "with"] * 30),
        "parts": ["a-b.c/d_e:f+g" for _ in range(80)],
        "parts, joined": ["-".join(words)],
        "dots": [".".join(words)],
        "wildcards": [f"{word}*" for word in words],
        "ideographs": [CJK * 20],
        "ideographs apart": list(CJK * 20),
        "ideographs, one of": _joined(list(CJK * 20)),
        "ideographs excluded": [f"-{one}" for one in CJK * 20],
        "emoji": ["😀🎉🚀✨🔥" * 200],
        "sites": [f"site:{host}" for host in hosts],
        "sites, one of": _joined([f"site:{host}" for host in hosts]),
        "sites excluded": [f"-site:{host}" for host in hosts],
        "site or state, pairs": _pairs([x for host in hosts for x in (f"site:{host}", "is:unread")]),
        "site with ports, one of": _joined([f"site:{host}:443" for host in hosts]),
        "languages, one of": _joined([f"lang:{tag}" for tag in ("en", "de", "fr", "es", "ru", "ja", "zh", "pt")] * 9),
        "languages excluded": [f"-lang:{tag}" for tag in ("en", "de", "fr", "es", "ru", "ja", "zh", "pt")] * 9,
        "states": [f"is:{state}" for state in states[:1]] * 50,
        "states, pairs": _pairs([f"is:{state}" for state in states] * 20),
        "states excluded": [f"-is:{state}" for state in states[1:]] * 9,
        "projects, one of": _joined([f"project:{place}" for place in range(1, 60)]),
        "projects excluded": [f"-project:{place}" for place in range(1, 60)],
        "project or state, pairs": _pairs([x for place in range(1, 60) for x in (f"project:{place}", "is:unread")]),
        "days": [f"after:2020-01-{1 + place % 28:02}" for place in range(60)],
        "days, one of": _joined([f"before:2030-01-{1 + place % 28:02}" for place in range(60)]),
        "has, in, dashes": ["has:notes", "in:title", "--x", "-", "OR"] * 40,
        "parentheses": ["(" * 400 + "a" + ")" * 400],
        "quotes": ['"' * 999],
        "dashes": ["-" * 999],
    }
    return {name: _cut(parts) for name, parts in queries.items()}


def drawn_queries(items: Sequence[Mapping[str, Any]], count: int) -> dict[str, str]:
    """Mixes of all operators, up to 45 filters in each."""
    chance = random.Random(SEED)
    tags, words, hosts = vocabulary(items)
    return {f"mix {number}": _cut(_mix(chance, tags, words, hosts)) for number in range(count)}


def vocabulary(items: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[str], list[str]]:
    """Tags, words and hosts, the most common first."""
    tags = Counter(tag for item in items for tag in item.get("tags", ()))
    words = Counter(word for item in items for word in re.findall(r"\w+", f"{item['title']}".lower()))
    hosts = Counter(str(item["url"]).split("/")[2] for item in items)
    return (
        [tag for tag, _ in tags.most_common(200)],
        [word for word, _ in words.most_common(300)],
        [host for host, _ in hosts.most_common(100)],
    )


def print_costs(costs: Sequence[Cost], goal: float) -> None:
    """The dearest ones, and whether the goal holds."""
    costs = sorted(costs, key=lambda cost: -cost.processor)
    for cost in costs[:SHOWN]:
        spent = f"{cost.processor:7.0f} ms ({cost.milliseconds:7.0f} by the clock)"
        refused = "" if cost.status == 200 else f" ({cost.status})"
        planned = f"planning {cost.planning:8.1f} ms, {cost.nodes:4} nodes"
        print(f"  {spent}, {planned}  {cost.route:<6} {cost.name}{refused}")
    statuses = Counter(cost.status for cost in costs)
    planning = max(cost.planning for cost in costs)
    over = sum(cost.processor > goal for cost in costs)
    print(f"  {len(costs)} requests {dict(statuses)}; most planning {planning:.1f} ms")
    print(f"{'FAIL' if over else 'PASS'}  {over} of {len(costs)} took more than {goal:.0f} ms", flush=True)


def _mix(chance: random.Random, tags: Sequence[str], words: Sequence[str], hosts: Sequence[str]) -> Iterator[str]:
    kinds = (
        lambda: f'tag:"{chance.choice(tags)}"',
        lambda: chance.choice(words[:50] or words),
        lambda: f'"{chance.choice(words[:50])} {chance.choice(words[:50])}"',
        lambda: f"site:{chance.choice(hosts)}",
        lambda: f"is:{chance.choice(('unread', 'read', 'archived', 'untagged'))}",
        lambda: f"lang:{chance.choice(('en', 'de'))}",
        lambda: f"project:{chance.randint(1, 9)}",
        lambda: f"before:20{chance.randint(10, 40)}-01-01",
        lambda: chance.choice(CJK),
    )
    filters = 0
    while filters < 45:
        minus = "-" if chance.random() < 0.3 else ""
        unit = chance.choice(kinds)()
        filters += ":" in unit
        yield f"{minus}{unit}"
        if chance.random() < 0.5:
            yield "OR"


def _joined(parts: Sequence[str]) -> list[str]:
    return [" OR ".join(parts)]


def _pairs(parts: Sequence[str]) -> list[str]:
    return [f"{one} OR {two}" for one, two in zip(parts[::2], parts[1::2], strict=False)]


def _cut(parts: Sequence[str] | Iterator[str]) -> str:
    whole = " ".join(parts)
    return whole if len(whole) <= LONGEST else whole[:LONGEST].rpartition(" ")[0] or whole[:LONGEST]


if __name__ == "__main__":
    main()
