"""Words of texts and queries: the same in both, in every script."""

from __future__ import annotations

import random
import time
import unicodedata
from collections import defaultdict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import text as sql_text

from backend.extensions import db
from backend.search.suggest.vocabulary import _words_of_chunk, words_in
from backend.text.language_detection import detect_language
from backend.text.stemming import STEMMERS, language_of, lexemes_of, stem_of
from backend.text.stop_words import is_stop_word
from backend.text.terms import UNMARKED, query_forms, query_terms
from backend.text.tokens import Token, analyze, expand_chunk, lexeme_literal, term_positions

unit = pytest.mark.unit


def holds(text: str, language: str | None, places: list[list[str]]) -> bool:
    """Whether the places stand in the text one after the other."""
    at = defaultdict(set)
    for token in analyze(text, language):
        at[token.position].add(token.term)
    return bool(places) and any(
        all(at[start + offset].intersection(place) for offset, place in enumerate(places)) for start in list(at)
    )


def finds(word: str, text: str, language: str | None = "en", languages: tuple[str | None, ...] | None = None) -> bool:
    return any(holds(text, language, form) for form in query_forms(word, languages or (language,)))


def terms(text: str, language: str | None = "en") -> list[str]:
    return [token.term for token in analyze(text, language)]


@unit
@pytest.mark.parametrize(
    ("language", "text", "found", "missed"),
    [
        ("en", "The quick runners were running happily", "run runner quickly HAPPILY the", "runway hap"),
        ("en", "Python's generators", "python generator GENERATORS", "pythons2"),
        (
            "de",
            "Die Häuser an der Straße, größer als üblich",
            "haus Haus HÄUSER strasse Strassen gross größe ublich",
            "hau",
        ),
        ("de", "Ueber Groesse", "über Größe", ""),
        ("fr", "L'amour naît aujourd'hui, créées à l’école", "amour nait creer école ecoles aujourd'hui", "mour"),
        ("es", "Las naciones comió canción", "nacion nación comer canciones cancion", "naco"),
        ("ru", "Новые книги о программировании и ёлках", "книга новый программирование ёлка елка елки", "кни"),
        ("el", "Οι άνθρωποι της Αθήνας", "άνθρωπος ανθρωποσ ΑΘΗΝΑ αθήνα", "ανθ"),
        ("ar", "كِتَاب جديد في المكتبة", "كتاب الكتاب جديد مكتبة", "كت"),
        ("fa", "کتاب\u200cهای خوب", "کتاب كتاب", "خ"),
        ("tr", "İstanbul'da ışık kitapları", "istanbul ISTANBUL ışık kitap", "ist"),
        ("pl", "Łódź i książki", "lodz Łódź książka", "ksia"),
        ("cs", "V knihách", "kniha knihach", ""),
        ("hi", "नई किताबें", "किताब किताबें नई", "कताब"),
        ("ta", "புத்தகங்கள்", "புத்தகம்", ""),
        ("uk", "п'ять їжаків", "п'ять п’ять п’ять їжаків", "їжак іжаків"),
        ("vi", "Tiếng Việt", "tieng việt VIET", "viets"),
        ("ja", "日本語の全文検索エンジンを作る", "日本 日本語 全文検索 検索エンジン エンジン 作る 作", "京都 本日"),
        ("ja", "データベースとｶﾞｲﾄﾞ", "データ ベース ﾃﾞｰﾀﾍﾞｰｽ ガイド", "デター"),
        ("ja", "Pythonの使い方 running", "python 使い方 Pythonの使い run", "pytho"),
        ("zh", "我喜欢用.NET开发搜索引擎，C++也行", "搜索 引擎 搜索引擎 喜欢 欢 .net C++ 开发", "擎搜 C"),
        ("ko", "검색엔진을 만드는 방법", "검색 엔진 검색엔진 방법", "진엔 만방"),
        ("th", "ภาษาไทยง่าย น้ำ", "ภาษา ไทย ภาษาไทย น้ำ", "ไทยภาษา"),
        ("he", "שָׁלוֹם עולם", "שלום עולם", ""),
        (None, "Books and книги και άνθρωποι", "books книга άνθρωπος", "book"),
        ("en", "Books and книги και άνθρωποι", "book книга άνθρωπος", ""),
        ("de", "Neue книги über running", "книга", "run"),
        ("ja", "books книги", "book книга", ""),
    ],
)
def test_words_are_found_in_every_language(language, text, found, missed):
    assert [word for word in found.split() if not finds(word, text, language)] == []
    assert [word for word in missed.split() if finds(word, text, language)] == []


@unit
@pytest.mark.parametrize(
    ("text", "found", "missed"),
    [
        ("foo_bar", "foo_bar FOO_BAR foo bar", "foobar foo_ba oo_bar"),
        ("foo bar foobar", "foo bar foobar", "foo_bar"),
        ("C++ and C#", "C++ c++ c# C#", "C c+ d#"),
        ("plain c", "C", "C++ C#"),
        ("C++11, C#8", "C++ C++11 C#", "C"),
        ("Notepad++", "notepad++ notepad", "note"),
        ("F# on .NET", "F# .NET net", "F .NE"),
        ("the net", "net", ".net"),
        ("ASP.NET", "asp.net net asp", ""),
        ("node.js", "node.js Node.js node js nodejs NodeJS", "nod js.node"),
        ("NodeJS or nodejs", "node.js nodejs", "node"),
        ("v1.2.3", "v1.2.3 1.2.3 1.2 V1.2 1", "1.3 v1.2.4 2.4"),
        ("release 1.2.3", "v1.2.3 1.2", ""),
        ("Python 3.11", "3.11 3", "3.1 311"),
        ("don't", "don't don’t dont", "don"),
        ("e-mail", "e-mail email E‑Mail mail emails", "e-male"),
        ("email", "e-mail email", "mail"),
        ("self-hosted", "self-hosted selfhosted self hosted", "selfless"),
        ("self hosted", "self-hosted", "selfhosted"),
        ("TCP/IP", "TCP/IP tcp ip", "IP/TCP"),
        ("getElementById camelCase", "getElementById getelementbyid element camelcase camel case", "lement"),
        ("GitHub and JavaScript", "github javascript JavaScript", "git java script"),
        ("@user", "@user user", "@use"),
        ("user", "user", "@user"),
        ("x86-64", "x86-64 x86 64", "x8664 x86-32"),
        ("utf-8", "utf-8 utf8", "utf8s"),
        ("std::vector", "std::vector std vector", "vector::std"),
        ("foo.bar()", "foo.bar() foo.bar foo bar", "bar.foo"),
        ("U.S.A. e.g. A.I.", "USA U.S.A. e.g. eg AI", ""),
        ("AT&T R&D", "AT&T at&t R&D", "AT&D R&R"),
        ("O'Reilly's", "O'Reilly oreilly reilly", ""),
        ("she'll we're", "she we", "shell were"),
        ("https://www.example.com/a-b/foo_bar?x=1#top", "example example.com foo_bar a-b top x", "https www"),
        ("joe@example.com", "joe@example.com example.com joe", "@example"),
        ("soft\u00adhyphen zero\u200dwidth", "softhyphen zerowidth", "soft"),
        ("ＦＵＬＬ ﬁne x²", "full fine x2", ""),
        ("٣ ３", "3", "4"),
        ("great 👍🏽 ❤️ 🇩🇪 👩‍💻", "👍 👍🏿 ❤ 🇩🇪 👩‍💻", "🇫🇷 💻"),
        ("__init__ _private", "__init__ init private", ""),
    ],
)
def test_code_words_are_found_whole_and_by_their_parts(text, found, missed):
    assert [word for word in found.split() if not finds(word, text)] == []
    assert [word for word in missed.split() if finds(word, text)] == []


@unit
@pytest.mark.parametrize(
    ("phrase", "text", "stands"),
    [
        ("to be or not to be", "To be, or not to be", True),
        ("be to", "to be", False),
        ("state of the art", "a state-of-the-art engine", True),
        ("state-of-the-art", "state of the art", True),
        ("github actions", "with GitHub Actions", True),
        ("node.js runtime", "the Node.js runtime", True),
        ("foo_bar baz", "call foo_bar baz", True),
        ("foo_bar baz", "call foo bar baz", False),
        ("foo bar", "call foo_bar", True),
        ("1.2 beta", "1.2 beta", True),
        ("amour fou", "l'amour fou", True),
        ("全文検索", "全文検索", True),
        ("Python入門", "Python 入門", True),
        ("検索全文", "全文検索", False),
    ],
)
def test_phrases_stand_in_order(phrase, text, stands):
    assert holds(text, "en", query_terms(phrase, ["en"])) is stands


@unit
def test_a_query_is_read_in_all_languages_of_the_texts():
    assert query_terms("running", ["en", "de", None]) == [["running", "run~en", "running~de"]]
    assert query_terms("running", ["en-GB", "EN_us", "en"]) == [["running", "run~en"]]
    assert query_terms("running", []) == [["running"]]
    assert query_terms("running", ["uk"]) == query_terms("running", ["en"])
    assert query_terms("running", ["sk"]) == query_terms("running", ["zxx"]) == [["running"]]
    assert query_terms("running", ["en", UNMARKED]) == [["running", "run~en", "run"]]
    assert query_terms("knihách", ["cs", "fr"]) == [["knihach", "knih~cs", "knihach~cs", "knihach~fr"]]
    assert query_terms("C++", ["en", "de"]) == [["c++"]]
    assert query_terms("日本語", ["ja", "en"]) == [["日本"], ["本語"]]
    assert query_terms("-", ["en"]) == query_forms("-", ["en"]) == []
    assert query_forms("node.js", ["en"]) == [[["node", "node~en"], ["js", "js~en"]], [["nodejs", "nodej~en"]]]


INFLECTIONS = {
    "ar": ("كتاب", "الكتاب"), "ca": ("programes", "programa"), "cs": ("knihy", "kniha"), "da": ("bøgerne", "bøger"),
    "de": ("Bücher", "Buch"), "el": ("άνθρωποι", "άνθρωπος"), "en": ("running", "run"), "eo": ("libroj", "libro"),
    "es": ("libros", "libro"), "et": ("raamatud", "raamat"), "eu": ("liburuak", "liburu"), "fa": ("کتابها", "کتاب"),
    "fi": ("kirjassa", "kirja"), "fr": ("livres", "livre"), "ga": ("gcat", "cat"), "hi": ("किताबें", "किताब"),
    "hu": ("könyvek", "könyv"), "hy": ("քաղաքներ", "քաղաք"), "id": ("membaca", "baca"), "it": ("libri", "libro"),
    "lt": ("knygos", "knyga"), "nb": ("bøkene", "bøker"), "ne": ("किताबहरू", "किताब"), "nl": ("boeken", "boek"),
    "nn": ("bøkene", "bøker"), "no": ("bøkene", "bøker"), "pl": ("książki", "książka"), "pt": ("livros", "livro"),
    "ro": ("cărțile", "carte"), "ru": ("книги", "книга"), "sr": ("књиге", "књига"), "st": ("libuka", "buka"),
    "sv": ("böckerna", "böcker"), "ta": ("புத்தகங்கள்", "புத்தகம்"), "tr": ("kitaplar", "kitap"), "yi": ("קינדער", "קינד"),
}  # fmt: skip


@unit
@pytest.mark.parametrize("language", sorted(STEMMERS))
def test_inflections_are_found_within_their_language_in_a_library_of_many(language):
    asked, written = INFLECTIONS[language]
    assert finds(asked, written, language, tuple(STEMMERS))
    assert finds(written, asked, language, tuple(STEMMERS))


@unit
@pytest.mark.parametrize(
    ("query", "text", "language"),
    [
        *(("vim", "vi", "hu"), ("arm", "ar", "hu"), ("hugo", "hug", "pt"), ("redis", "red", "en")),
        *(("debian", "debi", "en"), ("running", "run", "de"), ("organ", "org", "zxx"), ("books", "book", None)),
    ],
)
def test_a_stem_of_one_language_is_no_word_of_another(query, text, language):
    stems = {stem_of(lexeme) for tag in STEMMERS for lexeme in lexemes_of(query, tag)}
    assert text in stems or language in ("en", "zxx", None)
    assert not finds(query, text, "vi" if language != "zxx" else "zxx", (None, *STEMMERS))


@unit
def test_names_of_code_and_addresses_are_found_as_they_are_written():
    assert terms("getElements") == ["getelements", "get", "elements"]
    assert terms("snake_cases") == ["snake_cases", "snake", "cases"]
    assert {"running", "example", "books"} <= set(terms("https://running.example/books"))
    assert terms("Running shoes", "zxx") == ["running", "shoes"]


@unit
@pytest.mark.parametrize(
    ("text", "language"),
    [
        *(("A fast key-value store for caching", "en"), ("Awesome plugins", "en"), ("Das Buch und die Bücher", "de")),
        *(("Ein Buch über Bücher", "de"), ("Los libros de la biblioteca", "es"), ("Học Python cơ bản", "vi")),
        *(("Створення сервісу", "uk"), ("آموزش پایتون چگونه", "fa"), ("Vim", None), ("qwzx", None), ("", None)),
        *(("El libro de la historia", "es"), ("Event Sourcing by Julián Domínguez and José Núñez", "en")),
    ],
)
def test_a_text_tells_its_language_by_its_own_words_or_none(text, language):
    assert detect_language(text) == language


@unit
def test_parts_share_the_positions_of_the_text():
    assert analyze("The Node.js foo_bar", "en") == [
        Token("the~en", 1, 0, 3),
        Token("nodej~en", 2, 4, 11),
        Token("node~en", 2, 4, 8),
        Token("js~en", 3, 9, 11),
        Token("foo_bar", 4, 12, 19),
        Token("foo", 4, 12, 15),
        Token("bar", 5, 16, 19),
    ]
    assert [(token.term, token.position) for token in analyze("全文 x 語", "ja")] == [
        *(("全文", 1), ("全", 1), ("文", 1)),
        *(("x~en", 2), ("語", 3)),
    ]


@unit
def test_accented_words_have_the_stem_of_the_word_without_accents_too():
    assert terms("knihách", "cs") == ["knih~cs", "knihach~cs"]
    assert terms("knihach", "cs") == ["knihach~cs"]
    assert terms("cafés", "en") == ["cafe~en"]


@unit
@pytest.mark.parametrize(
    ("word", "language", "stop"),
    [
        *(("The", "en", True), ("being", "en", True), ("search", "en", False), ("the", None, True)),
        *(("für", "de", True), ("fur", "de", True), ("die", "de", True), ("die", "en", False)),
        *(("не", "ru", True), ("не", None, True), ("og", "nb", True), ("the", "zh", False), ("", "en", False)),
    ],
)
def test_stop_words_are_told_by_language(word, language, stop):
    assert is_stop_word(word, language) is stop
    assert all(is_stop_word(term, language) is stop for term in terms(word, language))


@unit
def test_long_words_are_cut_the_same_in_texts_and_queries():
    word = "x" * 5000
    assert terms(word) == ["x" * 100 + "~en"]
    assert finds(word, f"a {word} b")
    assert max(map(len, map(stem_of, terms("ﷺ" * 50 + " " + "ab-" * 999 + "c", "ar")))) <= 100


LANGUAGES = st.sampled_from(["en", "de", "fr", "ru", "tr", "ar", "ja", "sr", "xx", None])
LETTERS = st.text("aeiousnßéüøłæIİıчёйΣςάאبأेकनั日本ガｶﾞ각\u0301\u00ad\u200d0١²Ⅻ'’-._@#+&/:  \t👍🏽\u20e3", max_size=30)
TEXTS = LETTERS | st.text(max_size=200)


@unit
@given(TEXTS, LANGUAGES)
@example("\x00", None)
@example("\ud800a\udfff", "en")
def test_tokens_lie_in_the_text_in_order(text, language):
    tokens = analyze(text, language)
    positions = [token.position for token in tokens]
    assert set(positions) == set(range(1, max(positions, default=0) + 1))
    for token in tokens:
        assert 0 <= token.start < token.end <= len(text)
        assert 0 < len(stem_of(token.term)) <= 100
        assert language_of(token.term) is None or len(language_of(token.term)) == 2
        assert not any(character.isspace() or character == "\0" for character in token.term)


@unit
@given(TEXTS, LANGUAGES, LANGUAGES)
@example("ŉ", "en", None)
def test_every_text_holds_every_word_it_is_made_of(text, language, other):
    for word in text.split():
        places = query_terms(word, [other, language])
        assert bool(places) == bool(analyze(word, language))
        if places:
            assert holds(f"before {text} after", language, places)


@unit
@given(LETTERS, LANGUAGES)
def test_a_composed_and_a_decomposed_text_are_the_same(text, language):
    spellings = {tuple(terms(unicodedata.normalize(form, text), language)) for form in ("NFC", "NFD")}
    assert len(spellings) == 1


@unit
@given(st.text("aeioucnszyAEOéèüöäñçøåőžščřąęłńïÉŞİğ", min_size=1, max_size=12), LANGUAGES)
def test_accents_and_case_do_not_matter(word, language):
    bare = unicodedata.normalize("NFD", word).translate(dict.fromkeys(range(0x300, 0x370)))
    bare = bare.replace("ø", "o").replace("ł", "l")
    assert finds(bare, word, language)
    assert finds(word, bare, language)
    assert finds(word.lower().replace("i̇", "i"), word, language)


def test_postgresql_reads_the_literals_as_they_were_meant(context):
    random.seed(0)
    alphabet = "ab'\\\":*,1A&|!<>() \n\t日本語ü👍C+#._-/@"
    texts = ["", "it's C:\\dir 'x' a\\'b", *("".join(random.choices(alphabet, k=60)) for _ in range(200))]
    found = [term_positions(one, "en", 1_000_000).positions for one in texts]
    awkward = {"a'b\\c'' \\'": [1], "'": [2], "\\": [3], "b:1A,2": [70_000]}
    many = {"x": list(range(1, 20_000))}
    for one in [*found, awkward, many]:
        rows = db.session.execute(
            sql_text("SELECT lexeme, positions, weights FROM unnest(CAST(:literal AS tsvector))"),
            {"literal": lexeme_literal(one, "B")},
        )
        assert {row.lexeme: row.positions for row in rows} == {
            term: sorted({min(position, 16383) for position in positions})[:255] for term, positions in one.items()
        }


@unit
def test_a_literal_names_every_place_once():
    terms = term_positions("it's a dog's dog o'x", "en", 1_000).positions
    assert lexeme_literal(terms, "A") == "'it~en':1A 'a~en':2A 'dog~en':3A,4A 'ox~en':5A 'o~en':5A 'x~en':6A"
    assert lexeme_literal(terms, "C", 7).startswith("'it~en':8C 'a~en':9C 'dog~en':10C,11C")
    assert lexeme_literal({"q'\\": [99_999] * 2}, "D") == "'q''\\\\':16383D"
    assert lexeme_literal({}, "A") == ""


@unit
@pytest.mark.parametrize("language", [None, "en", "de", "zxx"])
@given(text=st.text(max_size=60) | st.text("ab'.-/:@# Xé字👍", max_size=60))
@example(text="Node.js's C++ don't qu'il AbstractBeanFactory at tcp/ip node.js")
def test_terms_are_those_of_the_tokens(text, language):
    tokens = analyze(text, language)
    terms, last = term_positions(text, language, 1_000_000)
    assert [(term, position) for term, positions in terms.items() for position in positions] == [
        (term, token.position)
        for term in dict.fromkeys(token.term for token in tokens)
        for token in tokens
        if token.term == term
    ]
    assert last == (tokens[-1].position if tokens else 0)


@unit
def test_terms_are_those_of_the_leading_tokens_that_fit():
    # A lexeme takes 12 bytes beside its own, and 2 for each further position.
    assert term_positions("one two one", None, 15 + 15 + 2) == ({"one": [1, 3], "two": [2]}, 3)
    assert term_positions("one two one", None, 15 + 15 + 1) == ({"one": [1], "two": [2]}, 2)
    assert term_positions("é one", None, 13) == ({"e": [1]}, 1)
    assert term_positions("one", None, 14) == ({}, 0)


@unit
@pytest.mark.parametrize(
    "piece", ["word ", "a.b-", "x", "日本", "a_", "1.2.", "👍", "a'", "@a/", "aB", "C++", "é\u0301", "_"]
)
def test_reading_takes_linear_time(piece):
    started = time.process_time()
    analyze(piece * 20_000, "en")
    query_terms(piece * 20_000, ["en"])
    assert time.process_time() - started < 5


class Looked(str):
    """A text that counts how often it is looked through for something."""

    times = 0

    def __contains__(self, part):
        self.times += 1
        return str.__contains__(self, part)


@unit
@pytest.mark.parametrize("piece", ["a-", "a.", "a'", "a_", "a/", "aB-"])
def test_a_chunk_of_many_words_is_not_looked_through_for_each_of_them(piece):
    chunk = Looked(piece * 1_000 + "a")
    expand_chunk.__wrapped__(chunk, "en")
    assert chunk.times <= 2


@unit
@pytest.mark.parametrize("remembered", [expand_chunk, _words_of_chunk])
def test_long_chunks_are_not_remembered(remembered):
    remembered.cache_clear()
    for number in range(50):
        chunk = f"a{number}-" * 200
        analyze(f"{chunk} word", "en")
        words_in(f"{chunk} word")
    assert remembered.cache_info().currsize == 1


def test_what_is_remembered_of_a_word_is_not_changed_by_whoever_asked() -> None:
    first = query_terms("gardens", ["en"])
    first[0].clear()
    assert query_terms("gardens", ["en"]) == [["gardens", "garden~en"]]
