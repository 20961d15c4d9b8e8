"""What names of programs find in a library of many languages, over HTTP: `python -m benchmarks.names [--links 4000 0]`.

The links of `../shared/data/links.jsonl.gz`, so many of them at random (0: all), become an account of their own. Each
of 80 names of programs and tools, 75 of them tags of these links, is asked for. Of the first ten results that are there
by their words, those are counted and listed that hold neither the name nor an inflection of it in their own language,
as Snowball has it, in title, description, tags or address. Knows nothing of how the product finds words.

Without `--url` the stack is started as `make run` starts it, and thrown away; `--modes text` starts it without
embeddings. Measures, and says what holds; ends with 0 either way.
"""

from __future__ import annotations

import argparse
import random
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from Stemmer import Stemmer

from benchmarks.corpora import SEED, load_links
from benchmarks.loading import DEADLINE_SECONDS, save_all, wait_until_counted, wait_until_embedded, wait_until_quiet
from benchmarks.stack import RunningStack, new_person, running_stack

NAME_LIST = (
    "debian arm vite organ hugo vim redis docker kubernetes postgresql mysql mongodb elasticsearch rabbitmq apache "
    "git github jenkins ansible terraform puppet chef splunk vscode intellij xcode android ios swift kotlin rust "
    "python ruby django flask fastapi laravel symfony wordpress drupal joomla jekyll react angular vue svelte jquery "
    "bootstrap tailwind webpack gulp grunt typescript elixir erlang haskell scala clojure julia matlab octave numpy "
    "pandas pytorch tensorflow spark hadoop bash unity figma slack discord mastodon selenium cypress firebase stripe "
    "arduino linux ubuntu"
)
NAMES = tuple(NAME_LIST.split())
FIRST = 10
GOAL = 0.01
MODES = ("text", "hybrid")
WORD = re.compile(r"[^\W_]+")
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Tags of these links that name a language, and Snowball's name of it.
LANGUAGES = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "es": "spanish",
    "et": "estonian", "fa_ir": "persian", "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian",
    "id": "indonesian", "it": "italian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pl": "polish",
    "pt_br": "portuguese", "pt_pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish",
    "ta": "tamil", "tr": "turkish",
}  # fmt: skip


@dataclass(frozen=True)
class Miss:
    """A result that lacks the name it was found for."""

    name: str
    place: int
    title: str
    url: str
    tags: tuple[str, ...]


def main() -> None:
    """Load, wait, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--links", nargs="+", type=int, default=[4_000, 0], help="how many, one account each; 0: all")
    parser.add_argument("--modes", nargs="+", default=list(MODES), choices=MODES)
    parser.add_argument("--url", help="a stack that runs already, without rate limits")
    parser.add_argument("--settle", type=float, default=20, help="seconds of quiet before the first query")
    parser.add_argument("--deadline", type=float, default=DEADLINE_SECONDS, help="longest wait for the worker, seconds")
    options = parser.parse_args()
    with _stack(options.url, options.modes) as (url, stack):
        loaded = [(number, _load(url, number)) for number in options.links]
        wait_until_embedded(url, options.deadline)
        wait_until_quiet(url, options.settle, options.deadline)
        if stack:
            wait_until_counted(stack, options.deadline)
        for number, client in loaded:
            for mode in options.modes:
                for line in report(client, mode, f"{number or 'all'} links, {mode}"):
                    print(line, flush=True)


def report(client: httpx.Client, mode: str, heading: str) -> Iterator[str]:
    """What all names find, and which results lack them."""
    looked_at, misses = 0, []
    for name in NAMES:
        answer = client.get("search", params={"q": name, "mode": mode, "page_size": FIRST})
        items = [item for item in answer.raise_for_status().json()["items"] if "text" in item["matched"]]
        looked_at += len(items)
        misses += list(lacking(name, items))
    share = len(misses) / max(looked_at, 1)
    verdict = "PASS" if share <= GOAL else "FAIL"
    found = f"{len(misses)} of {looked_at} results by words lack the name"
    yield f"{verdict}  {heading}: {found} ({share:.1%}, at most {GOAL:.0%} may)"
    for miss in misses:
        yield f"      {miss.name} {miss.place}: {miss.title!r} {miss.url} {', '.join(miss.tags)}"


def lacking(name: str, items: Sequence[dict[str, Any]]) -> Iterator[Miss]:
    """Those of the results that do not hold the name."""
    for place, item in enumerate(items, start=1):
        found = item["bookmark"]
        text = " ".join([found["title"], found["description"], *found["tags"], found["url"]])
        if not has_name(name, text, found["tags"]):
            yield Miss(name, place, found["title"], found["url"], tuple(found["tags"]))


def has_name(name: str, text: str, tags: Sequence[str]) -> bool:
    """Whether a text holds a name, by itself or as a part of a compound word, or an inflection of it."""
    words = {_folded(part) for word in WORD.findall(text) for part in (word, *HUMP.split(word))}
    stated = [LANGUAGES[tag[5:]] for tag in map(str.lower, tags) if tag.startswith("lang:") and tag[5:] in LANGUAGES]
    stemmers = [Stemmer(language) for language in stated or ["english"]]
    stems = {stemmer.stemWord(word) for stemmer in stemmers for word in words}
    return name in words or any(stemmer.stemWord(name) in stems for stemmer in stemmers)


def _folded(word: str) -> str:
    parts = unicodedata.normalize("NFKD", word.casefold())
    return "".join(one for one in parts if not unicodedata.combining(one))


def _load(url: str, number: int) -> httpx.Client:
    links = load_links()
    client = new_person(url)
    saved = save_all(client, random.Random(SEED).sample(links, number) if number else links)
    print(f"{number or 'all'} links: {dict(saved.ends)} in {saved.seconds:.1f} s", flush=True)
    return client


@contextmanager
def _stack(url: str | None, modes: Sequence[str]) -> Iterator[tuple[str, RunningStack | None]]:
    if url is not None:
        yield url.rstrip("/"), None
        return
    provider = {} if "hybrid" in modes else {"EMBEDDING_PROVIDER": "none"}
    with running_stack(ENABLE_RATE_LIMITING="false", **provider) as stack:
        yield stack.url, stack


if __name__ == "__main__":
    main()
