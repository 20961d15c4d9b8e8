"""What a site puts before, between and behind the paragraphs of an article is no part of it."""

from __future__ import annotations

import pytest

from backend.capture.extract.page_reader import extract_page

pytestmark = pytest.mark.unit

PROSE = [
    f"<p>The {place} lamp was lit by hand until the {year}s, when the keepers of the coast, who had asked for it for"
    " thirty years, were given a clockwork that turned the glass, and the nights became a little shorter.</p>"
    for place, year in (("northern", 1880), ("western", 1890), ("southern", 1900), ("eastern", 1910))
]


def text_of(*pieces: str, head: str = "") -> str:
    body = f"<article class='post-content'>{''.join(pieces)}</article>"
    markup = f"<!doctype html><html><head><title>Lamps of four coasts</title>{head}</head><body>{body}</body></html>"
    page = extract_page(markup.encode(), url="https://a.example/lamps", media_type="text/html", charset="utf-8")
    return page.text


@pytest.mark.parametrize(
    "ending",
    [
        "<h3>What do you think of lamps?</h3>",
        "<p>Follow us on Instagram and <a href='/y'>YouTube</a>.</p>",
        "<p>Write to Jo Reed at jo@lamps.example</p>",
        "<p><a href='/s'>Subscribe to the weekly letter of the coast</a> to read more of this.</p>",
        "<p>Filed under: <a href='/l'>Lamps</a></p>",
        "<p>SOURCE: Coast Office</p>",
        "<p>(Reporting by Jo Reed; editing by Vera Ohm)</p>",
        "<p>12 comments</p>",
        "<p><a href='/other'>The bells of four coasts and who rings them</a></p>",
        "<p>Jo Reed is a keeper of lamps and writes about the coast for a living.</p>",
    ],
)
def test_what_a_site_says_behind_an_article_is_left_out(ending: str) -> None:
    text = text_of(*PROSE, ending, head='<meta name="author" content="Jo Reed">')
    assert text.endswith("the nights became a little shorter.")
    assert "eastern" in text


@pytest.mark.parametrize(
    "ending",
    [
        "<p>Write to nobody, the keepers said, and say that the lamps are lit.</p>",
        "<p>Follow the coast to the north, and there are more of them than anybody counts.</p>",
        "<p>Jo Reed</p>",
        "<p>Sources of light were few, and those few were guarded by day and by night.</p>",
    ],
)
def test_what_an_article_says_at_its_end_stays(ending: str) -> None:
    assert ending[3:-4] in text_of(*PROSE, ending)


@pytest.mark.parametrize(
    "beginning",
    [
        "<p>By Jo Reed<br>Monday, November 18, 2019</p>",
        "<p>2021-10-16 | Coast</p>",
        "<p>4 min read</p>",
        "<p>https://a.example/lamps</p>",
    ],
)
def test_a_byline_a_date_and_an_address_before_an_article_are_left_out(beginning: str) -> None:
    assert text_of(beginning, *PROSE).startswith("The northern lamp")


def test_a_short_first_sentence_with_a_year_stays() -> None:
    assert text_of("<p>It began in 1880.</p>", *PROSE).startswith("It began in 1880.")


@pytest.mark.parametrize(
    "lead",
    [
        "<p>Read more: <a href='/b'>Bells of four coasts and those who ring them</a></p>",
        "<p>[<a href='/b'>Related: Bells of four coasts and those who ring them</a>]</p>",
        "<p><a href='/b'>&gt;&gt;&gt; Bells of four coasts and those who ring them</a></p>",
        "<p>You may also like...</p><p><a href='/b'>Bells of four coasts</a></p><p><a href='/c'>Bells of two</a></p>",
        "<p>Lesen Sie auch: <a href='/b'>Bells of four coasts and those who ring them</a></p>",
    ],
)
def test_lines_that_lead_elsewhere_between_paragraphs_are_left_out(lead: str) -> None:
    text = text_of(PROSE[0], PROSE[1], lead, PROSE[2], PROSE[3])
    assert "Bells" not in text
    assert "like..." not in text
    assert [place in text for place in ("northern", "western", "southern", "eastern")] == [True] * 4


def test_a_paragraph_that_begins_like_a_lead_stays() -> None:
    line = "Related by marriage, the keepers of the west and the south shared one boat and one ledger."
    assert line in text_of(PROSE[0], f"<p>{line}</p>", *PROSE[1:])


def test_comments_behind_an_article_are_no_part_of_it() -> None:
    comments = "".join(f"<li id='comment-{n}'><p>I knew the {n}th keeper, and he said this.</p></li>" for n in range(9))
    assert "knew" not in text_of(*PROSE, f"<ol class='commentlist'>{comments}</ol>")


def test_comments_that_are_the_page_stay() -> None:
    comments = "".join(f"<li class='comment'>{paragraph}</li>" for paragraph in PROSE)
    assert "eastern" in text_of(f"<ol class='comments'>{comments}</ol>")


def test_a_table_of_contents_is_left_out_and_a_list_of_other_links_stays() -> None:
    contents = "<ul><li><a href='#n'>Lamps of the north</a></li><li><a href='#w'>Lamps of the west</a></li></ul>"
    places = "<ul><li>North: <a href='#n'>see there</a></li><li>West: <a href='/w'>the old tower</a></li></ul>"
    text = text_of(PROSE[0], contents, PROSE[1], places, *PROSE[2:])
    assert "Lamps of the" not in text
    assert "North: see there\nWest: the old tower" in text
