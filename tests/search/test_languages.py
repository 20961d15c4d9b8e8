"""A library in several languages: a word finds its forms in its own language, and nothing that another makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from Stemmer import Stemmer

from backend.bookmarks.jobs import refresh_due_documents
from backend.extensions import db
from backend.text import stemming
from backend.text.stemming import LANGUAGES, STEMMERS
from backend.text.stop_words import stop_words, stop_words_of_all
from backend.text.terms import UNMARKED
from backend.text.tokens import expand_chunk
from tests.support.api import Api
from tests.support.pages import add_page
from tests.text.test_analysis import INFLECTIONS

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]
# What is to be found by each name, and what must not be.
NAMES = {
    "debian": ("Packages for Debian", "Debut of a band"),
    "vim": ("A plugin for Vim", "Học lập trình cơ bản"),
    "arm": ("Assembly for ARM", "دورة تعلم البرمجة"),
    "vite": ("Bundling with Vite", "Lập trình web với Python"),
    "organ": ("How an organ is built", "A page of some organization"),
    "redis": ("Queues in Redis", "Redcloud, a server with many red lights"),
    "hugo": ("Sites made with Hugo", "Hugging Face and its models"),
}
TEXTS = {
    "de": ("Das Buch und die Geschichte", "Bücher"),
    "es": ("El libro de la historia", "libros"),
    "en": ("A run along the river", "running"),
    "fr": ("Le livre de la bibliothèque", "livres"),
    "pt": ("O livro que não existe em português", "livros"),
    "ru": ("Эта книга и её история", "книги"),
}


def run(statement: str, **values: Any) -> None:
    db.session.execute(text(statement), values)
    db.session.commit()


def titles(api: Api, q: str, path: str = "/search") -> list[str]:
    mode = {"mode": "text"} if path == "/search" else {}
    response = api.get(path, q=q, page_size=100, **mode)
    assert response.status_code == 200, response.get_data(as_text=True)
    return [item.get("bookmark", item)["title"] for item in response.json["items"]]


@pytest.fixture
def mixed(ada: Api, context: Flask) -> Api:
    """A library with texts in every language that has a stemmer."""
    for language, (title, _) in TEXTS.items():
        ada.save(f"https://{language}.example.com/", title=title)
    for language in sorted({*LANGUAGES.values()} - {*TEXTS}):
        saved = ada.save(f"https://{language}.example.com/", title=f"In {language}")
        run("UPDATE bookmarks SET language = :language WHERE id = :id", language=language, id=saved["id"])
        add_page(saved["id"], INFLECTIONS[language][1])
    spoken = set(db.session.scalars(text("SELECT language FROM search_languages")))
    assert spoken >= {*LANGUAGES.values()}
    for name, (right, wrong) in NAMES.items():
        ada.save(f"https://example.com/{name}", title=right)
        tags = {"vim": ["lang:vi"], "vite": ["lang:vi"], "arm": ["lang:ar"]}.get(name, [])
        ada.save(f"https://page{len(wrong)}.example.org/{len(right)}", title=wrong, tags=tags)
    return ada


@pytest.mark.parametrize("path", ["/search", "/bookmarks"])
def test_a_name_finds_nothing_that_another_language_makes_of_it(mixed: Api, path: str) -> None:
    for name, (right, _) in NAMES.items():
        assert titles(mixed, name, path) == [right], name


def test_no_stem_of_a_name_is_found_in_tags_hosts_paths_or_other_texts(mixed: Api) -> None:
    stems = {name: {Stemmer(one).stemWord(name) for one, _ in STEMMERS.values()} - {name} for name in NAMES}
    assert all(stems.values())
    for place, stem in enumerate({stem for found in stems.values() for stem in found}):
        mixed.save(f"https://a{place}.{stem}/{stem}", title=f"{place}", tags=[stem, f"lang:{stem}"])
        mixed.save(f"https://{stem}.example.net/", title=f"{place} getX{stem.title()} {stem}_{place}")
        mixed.save(f"https://example.net/{place}", title=f"Học lập trình và {stem}")
    for name, (right, _) in NAMES.items():
        assert titles(mixed, name) == [right], (name, stems[name])


@pytest.mark.parametrize("language", TEXTS)
def test_inflections_are_found_within_a_language_among_many(mixed: Api, language: str) -> None:
    title, word = TEXTS[language]
    assert title in titles(mixed, word)
    assert title in titles(mixed, word, "/bookmarks")


@pytest.mark.parametrize("language", sorted({*LANGUAGES.values()} - {*TEXTS}))
def test_a_page_that_states_its_language_is_found_by_inflections(ada: Api, context: Flask, language: str) -> None:
    asked, written = INFLECTIONS[language]
    saved = ada.save("https://example.org/1", title="page")
    other = ada.save("https://example.org/2", title="other")
    run("UPDATE bookmarks SET language = :language WHERE id = :id", language=language, id=saved["id"])
    run("UPDATE bookmarks SET language = 'zxx' WHERE id = :id", id=other["id"])
    for one in (saved, other):
        add_page(one["id"], written)
    assert titles(ada, asked) == ["page"]


@contextmanager
def stems_without_language(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Documents are written as they were before stems named their language."""
    caches = (expand_chunk, stop_words, stop_words_of_all)
    with monkeypatch.context() as patched:
        patched.setattr(stemming, "_lexeme", lambda name, word: stemming._stemmers.stem(name, word))
        for cache in caches:
            cache.cache_clear()
        yield
    for cache in caches:
        cache.cache_clear()


def lexemes(api: Api) -> set[str]:
    """Those of all documents and pages."""
    documents = "SELECT unnest(tsvector_to_array(document)) FROM bookmark_documents WHERE organization_id = :id"
    return set(db.session.scalars(text(documents), {"id": api.organization_id}))


def languages(api: Api) -> set[str]:
    found = text("SELECT language FROM search_languages WHERE organization_id = :id")
    return set(db.session.scalars(found, {"id": api.organization_id}))


def test_documents_of_before_are_found_until_they_are_written_again(
    ada: Api, bob: Api, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stems_without_language(monkeypatch):
        for api in (ada, bob):
            for language, (title, _) in TEXTS.items():
                add_page(api.save(f"https://{language}.example.com/", title=title)["id"], title)
        assert "geschicht" in lexemes(ada)
        assert not [lexeme for lexeme in lexemes(ada) if stemming.language_of(lexeme)]
    # As the migration leaves it.
    run("UPDATE bookmarks SET document_due_at = now()")
    marker = "INSERT INTO search_languages (organization_id, language) SELECT id, :marker FROM organizations"
    run(marker, marker=UNMARKED)
    for title, word in TEXTS.values():
        assert title in titles(ada, word)
        assert title in titles(ada, word, "/bookmarks")
    # Of Bob's one is put off.
    later = (
        "UPDATE bookmarks SET document_due_at = now() + interval '1 hour' WHERE title = :title AND organization_id = :o"
    )
    run(later, o=bob.organization_id, title=TEXTS["de"][0])
    refresh_due_documents()
    assert UNMARKED not in languages(ada)
    assert {"geschicht~de", "libr~es", "run~en"} <= lexemes(ada)
    assert "geschicht" not in lexemes(ada)
    assert UNMARKED in languages(bob)
    for api in (ada, bob):
        for title, word in TEXTS.values():
            assert title in titles(api, word)
    run("UPDATE bookmarks SET document_due_at = now()")
    refresh_due_documents()
    assert languages(bob) == languages(ada) == {*TEXTS}
