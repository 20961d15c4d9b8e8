"""Command lines as queries: a dash that begins an option is no exclusion where excluding leaves nothing."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from backend.search.command_lines import command_line
from backend.text.query_language import parse
from tests.search.test_words import search
from tests.support.api import Api
from tests.support.pages import add_page
from tests.support.sql import SqlCounter


@pytest.mark.unit
@pytest.mark.parametrize(
    ("query", "read"),
    [
        ("set -eu", '"set -eu"'),
        ("tar -xzf lamps.tgz", '"tar -xzf" lamps.tgz'),
        ("ls -l -a docs", '"ls -l -a" docs'),
        ("git commit --amend -m x", 'git commit "--amend -m" x'),
        ("grep -r x sed -i y", '"grep -r" x "sed -i" y'),
        ("tag:unix set -eu", 'tag:unix "set -eu"'),
        ("-eu set", None),
        ("set -tag:eu", None),
        ('"set" -eu', None),
        ('set -"e u"', None),
        ("set OR let -eu", None),
        ("set eu", None),
        ("", None),
    ],
)
def test_options_belong_to_the_word_before_them(query: str, read: str | None) -> None:
    line = command_line(parse(query))
    assert (str(line.query) if line else None) == read


@pytest.fixture
def scripts(ada: Api, context: Flask) -> Api:
    safe = ada.save("https://example.org/safe", title="A safe shell script")["id"]
    add_page(safe, "Begin each script so:\n\n#!/bin/sh\nset -eu\ntar -xzf lamps.tgz -C out\n")
    ada.save("https://example.org/notes", title="Unpack", notes="TAR -xzf is all I know")
    return ada


def titles(found: dict[str, Any]) -> list[str]:
    return [item["bookmark"]["title"] for item in found["items"]]


pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


@pytest.mark.parametrize("mode", ["text", "hybrid"])
def test_a_command_line_is_found_and_the_answer_says_how(scripts: Api, mode: str) -> None:
    found = search(scripts, "set -eu", mode=mode)
    assert titles(found) == ["A safe shell script"]
    assert found["expanded"] == [{"word": "-eu", "to": ["set -eu"], "how": "option"}]
    assert found["items"][0]["highlights"]["snippet"].count("<mark>") >= 1
    assert found["total"] == 1


def test_all_options_of_a_command_line_count(scripts: Api) -> None:
    assert sorted(titles(search(scripts, "tar -xzf"))) == ["A safe shell script", "Unpack"]
    found = search(scripts, "tar -xzf lamps.tgz")
    assert titles(found) == ["A safe shell script", "Unpack"] or titles(found) == ["A safe shell script"]
    assert search(scripts, "set -eu -x")["items"] == []


def test_an_exclusion_that_leaves_something_is_one(scripts: Api) -> None:
    scripts.save("https://example.org/set", title="A set of lamps")
    found = search(scripts, "set -eu")
    assert (titles(found), found["expanded"]) == (["A set of lamps"], [])


@pytest.mark.parametrize("query", ["safe -script", "unpack -tar", "script -shell", "safe -nothing -shell"])
def test_words_that_stand_nowhere_behind_a_dash_stay_excluded(scripts: Api, query: str) -> None:
    found = search(scripts, query)
    assert (found["items"], found["expanded"]) == ([], [])


def test_a_search_without_an_option_takes_no_further_statement(scripts: Api, sql: SqlCounter) -> None:
    def statements(query: str) -> int:
        before = len(sql.statements)
        search(scripts, query)
        return len(sql.statements) - before

    statements("warm up")
    plain, found = statements("missing words"), statements("script shell")
    assert (statements("-eu missing"), statements("script -missing")) == (plain, found)
