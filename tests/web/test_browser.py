"""The client in a browser, on a stack as a person starts it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from benchmarks.web_client import FOLLOW
from tests.support.api import PASSWORD
from tests.support.processes import eventually
from tests.support.stack import RunningStack
from tests.web.browsing import Visitor
from tests.web.sites import SavedSite

pytestmark = pytest.mark.processes
AXE = Path(__file__).parents[2] / ".venv" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """(rules) => axe.run({runOnly: rules}).then(({violations}) =>
  violations.map(({id, nodes}) => `${id}: ${nodes.map((node) => node.html).join(' ')}`))"""
# Before the first search, after 20 in a minute, after 50, and a minute later.
TYPING_DELAYS = """async () => {
  const assets = document.querySelector('meta[name=fuze-assets]').content;
  const { countSearch, typingDelay } = await import(`${assets}core/typing-pace.js`);
  const after = (searches) => {
    for (let at = 0; at < searches; at += 1) countSearch(1e6);
    return typingDelay(1e6);
  };
  return [after(0), after(20), after(30) >= 1000, typingDelay(1e6 + 60_000)];
}"""
DARK = ("/", "/library", "/search?q=lighthouse", "/dashboard", "/settings/tokens", "/login")
Visit = Callable[..., Visitor]
WIDTH = 320
MARKUP = '<img src=x onerror="window.hacked = 1">'
# Shown by an interception in place of what the server has sanitised.
UNSANITISED = """<h2>Text</h2><script>window.top.hacked = 1</script>
<img src="/nothing.png" onerror="window.top.hacked = 1">
<a id="bad" href="javascript:window.top.hacked = 1">bad</a> <a id="good" href="https://example.org/">good</a>"""


def heading(page: Any, text: str) -> Any:
    """The heading of a screen, once it is shown."""
    return page.get_by_role("heading", name=text, level=1).wait_for()


def test_from_an_account_to_a_project(visit: Visit, site: SavedSite) -> None:
    visitor = visit()
    page = visitor.page
    page.goto("/")
    heading(page, "Log in")
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("Mail address").fill("walker@example.org")
    page.get_by_label("Username").fill("walker")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Make an account").click()
    page.locator("[aria-invalid]").wait_for()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make an account").click()
    heading(page, "Welcome, walker")
    page.get_by_role("main").get_by_role("link", name="Add a link").first.click()
    page.get_by_label("Address").fill(f"{site.url}/article")
    page.get_by_role("combobox", name="Tags").fill("islands")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("The page has been read.").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Search").click()
    page.get_by_role("combobox", name="Search").fill("lighthouse")
    page.locator(".row mark").first.wait_for()
    page.get_by_role("link", name="Quokkas", exact=True).click()
    page.get_by_role("main").get_by_role("link", name="Read", exact=True).click()
    assert "quokkas that live" in page.frame_locator("iframe").locator("body").inner_text()
    page.get_by_role("link", name="Projects").click()
    page.get_by_role("button", name="New project").click()
    page.get_by_label("Name").fill("Lighthouse")
    page.get_by_label("Description").fill("Where quokkas live by a lighthouse")
    page.get_by_role("button", name="Make the project").click()
    heading(page, "Lighthouse")
    page.get_by_label("New task").fill("Count the quokkas")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("link", name="Count the quokkas").wait_for()
    assert visitor.violations() == []


def test_the_first_load_asks_for_nothing_twice(visit: Visit) -> None:
    visitor = visit("once", service_workers="block")
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url.partition("/api/v1/")[2]))
    first = ["auth/refresh?cookie=true", "bookmarks?page_size=30", "organizations?page_size=100", "profile"]
    page = visitor.open("/library")
    page.wait_for_load_state("networkidle")
    assert sorted(filter(None, asked)) == first
    assert [one for one in asked if one][:2] == first[:2]
    asked.clear()
    # Somebody who is logged out asks nothing; with the cookie of an ended session, once.
    visitor.context.clear_cookies()
    for cookies, expected in (([], []), ([{"name": "fuze_csrf", "value": "ended", "url": page.url}], first[:1])):
        visitor.context.add_cookies(cookies)
        page.goto("/library")
        heading(page, "Log in")
        page.wait_for_load_state("networkidle")
        assert list(filter(None, asked)) == expected


def test_a_round_of_the_screens_leaves_nothing_behind(visit: Visit) -> None:
    visitor = visit("walker-round", service_workers="block")
    links = [{"url": f"https://example.org/{number}", "title": "again", "capture": False} for number in range(40)]
    visitor.api("POST", "/bookmarks/bulk", {"items": links})
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    page = visitor.open("/")
    chromium = visitor.context.new_cdp_session(page)
    chromium.send("Performance.enable")
    counts = [walk_round(page, chromium) for _ in range(3)]
    nodes = [one.pop("Nodes") for one in counts]
    assert counts[2] == counts[1]
    # Whether an icon of a list that still loads is counted differs; a list left behind has hundreds.
    assert abs(nodes[2] - nodes[1]) < 30
    # A list that is shown again is not loaded any further.
    assert any("/search?q=again" in address for address in asked)
    assert not any("cursor=" in address for address in asked)


def walk_round(page: Any, chromium: Any) -> dict[str, float]:
    """Go through some screens by their links and home again; what the page then has of nodes and listeners."""
    for path in ("library", "search?q=again", "projects", "./"):
        page.evaluate(FOLLOW, path)
        page.locator("h1").first.wait_for()
        page.locator(".loading").first.wait_for(state="detached")
    page.wait_for_load_state("networkidle")
    chromium.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in chromium.send("Performance.getMetrics")["metrics"]}
    return {name: found[name] for name in ("Nodes", "JSEventListeners", "Documents")}


def test_a_session_that_has_ended_leads_to_login_and_back(visit: Visit) -> None:
    visitor = visit("ended")
    page = visitor.open("/tags")
    visitor.api("POST", "/auth/logout-all")
    page.get_by_role("link", name="Library").first.click()
    heading(page, "Log in")
    assert "next=%2Flibrary" in page.url
    page.get_by_label("Username or mail address").fill("ended")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    heading(page, "Library")


def test_what_one_tab_does_the_other_hears(visit: Visit) -> None:
    visitor = visit("tabs")
    first, second = visitor.open("/settings/sessions"), visitor.tab()
    second.goto("/library")
    heading(second, "Library")
    first.get_by_role("button", name="Log out", exact=True).click()
    heading(second, "Log in")


def test_hostile_pages_run_nothing(visit: Visit, site: SavedSite) -> None:
    visitor = visit("careful", service_workers="block")
    saved = visitor.api("POST", "/bookmarks", {"url": f"{site.url}/hostile", "title": MARKUP, "tags": [MARKUP]})
    page = visitor.open(f"/bookmarks/{saved['id']}")
    page.get_by_role("main").get_by_role("link", name="Read", exact=True).click()
    frame = page.frame_locator("iframe")
    frame.get_by_text("press me").wait_for()
    assert frame.locator("a[href^=javascript]").count() == 0
    page.route("**/content", lambda route: route.fulfill(json=_content(UNSANITISED)))
    page.reload()
    frame.locator("#good[rel='noopener noreferrer']").wait_for()
    assert frame.locator("#bad").get_attribute("href") is None
    for path in ("/library", "/tags", f"/search?q={site.url}", "/"):
        visitor.open(path)
        page.locator(".loading").first.wait_for(state="detached")
        assert page.evaluate("window.hacked") is None
        assert visitor.violations() == []
    visitor.open("/library")
    assert page.locator(".row-title").inner_text() == MARKUP


def _content(markup: str) -> dict[str, Any]:
    known = {"title": "T", "byline": None, "text": "T", "word_count": 1, "captured_at": "2026-01-01T00:00:00Z"}
    return {**known, "html": markup}


def test_links_of_no_web_page_are_no_links(visit: Visit) -> None:
    visitor = visit("links", service_workers="block")
    saved = visitor.api("POST", "/bookmarks", {"url": "https://example.org/a", "capture": False})
    path = f"/api/v1/bookmarks/{saved['id']}"
    visitor.page.route(f"**{path}", lambda route: route.fulfill(json={**saved, "url": "javascript:window.hacked=1"}))
    page = visitor.open(f"/bookmarks/{saved['id']}")
    assert page.locator("a[href^=javascript]").count() == 0


def test_everything_goes_by_the_keyboard(visit: Visit, site: SavedSite) -> None:
    visitor = visit("typist")
    page = visitor.open("/")
    page.keyboard.press("a")
    heading(page, "Add a link")
    page.keyboard.type(f"{site.url}/article?typed=1")
    page.keyboard.press("Enter")
    page.get_by_text("The page has been read.").wait_for()
    page.locator("h1").focus()
    page.keyboard.press("/")
    page.keyboard.type("quokkas")
    page.locator(".row").first.wait_for()
    page.locator("h1").focus()
    page.keyboard.press("j")
    page.locator(".row-title:focus").wait_for()
    page.keyboard.press("s")
    page.locator('.row [aria-pressed="true"]').wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Edit").wait_for()
    page.keyboard.press("?")
    heading(page, "Help")


def test_without_a_connection_lists_are_read_and_links_wait(visit: Visit) -> None:
    visitor = visit("offline")
    visitor.api("POST", "/bookmarks", {"url": "https://example.org/before", "title": "Saved before", "capture": False})
    page = visitor.open("/library")
    page.evaluate("navigator.serviceWorker.ready")
    page.reload()
    page.get_by_role("link", name="Saved before").wait_for()
    visitor.context.set_offline(True)
    page.reload()
    page.get_by_role("link", name="Saved before").wait_for()
    page.get_by_role("link", name="Add a link").click()
    page.get_by_label("Address").fill("https://example.org/later")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("1 saved links wait to be sent.").wait_for()
    visitor.context.set_offline(False)
    page.get_by_text("1 waiting links were sent.").wait_for()
    assert visitor.api("POST", "/bookmarks/lookup", {"url": "https://example.org/later"})["id"]


def test_a_change_elsewhere_meanwhile_is_shown_before_it_is_overwritten(visit: Visit) -> None:
    visitor = visit("merger")
    saved = visitor.api("POST", "/bookmarks", {"url": "https://example.org/m", "title": "First", "capture": False})
    page = visitor.open(f"/bookmarks/{saved['id']}")
    page.get_by_role("button", name="Edit").click()
    visitor.api("PATCH", f"/bookmarks/{saved['id']}", {"notes": "Theirs"})
    page.get_by_label("Title").fill("Mine")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Theirs").wait_for()
    page.get_by_role("button", name="Save mine").click()
    heading(page, "Mine")
    now = visitor.api("GET", f"/bookmarks/{saved['id']}")
    assert (now["title"], now["notes"]) == ("Mine", "Theirs")


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not here: make install-dev fetches it")
def test_no_screen_has_a_fault_that_axe_finds(visit: Visit, site: SavedSite) -> None:
    visitor = visit("examined")
    saved = visitor.api("POST", "/bookmarks", {"url": f"{site.url}/article?axe", "tags": ["island"]})["id"]
    project = visitor.api(
        "POST", "/projects", {"name": "Lighthouse", "description": "quokkas", "technologies": ["sea"]}
    )
    task = visitor.api("POST", "/tasks", {"title": "Count", "project_id": project["id"], "due_at": "2026-01-01"})
    visitor.api("POST", "/tasks", {"title": "Again", "parent_id": task["id"]})
    screens = [
        *("/", "/library", "/trash", "/search", "/search?q=lighthouse", "/add", f"/bookmarks/{saved}"),
        *(f"/bookmarks/{saved}/read", "/tags", "/projects", f"/projects/{project['id']}", "/tasks"),
        *(f"/tasks/{task['id']}", "/dashboard", "/transfer", "/help"),
        *(f"/settings/{name}" for name in ("profile", "appearance", "sessions", "tokens", "organizations", "ai")),
        *(f"/settings/{name}" for name in ("feeds", "security", "account")),
    ]
    visitor.api("DELETE", f"/bookmarks/{visitor.api('POST', '/bookmarks', {'url': 'https://example.org/gone'})['id']}")
    visitor.open(f"/bookmarks/{saved}").get_by_text("Read the page again").wait_for()
    visitor.page.evaluate("localStorage.setItem('fuze.facets', 'open')")
    faults = {path: found for path in screens if (found := examine(visitor, path))}
    entrance = ("/login", "/register", "/forgot-password")
    nobody = visit()
    faults |= {path: found for path in entrance if (found := examine(nobody, path))}
    assert faults == {}


def examine(visitor: Visitor, path: str) -> list[str]:
    """Run axe over a screen, and look at the colours of some in dark once more; the faults."""
    page = visitor.open(path)
    page.locator(".loading").first.wait_for(state="detached")
    light = axe_faults(page)
    if path not in DARK:
        return light
    page.emulate_media(color_scheme="dark")
    dark: list[str] = page.evaluate(RUN_AXE, ["color-contrast"])
    page.emulate_media(color_scheme="light")
    return light + dark


def axe_faults(page: Any) -> list[str]:
    """Run axe over what a page shows."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(RUN_AXE, RULES)
    return found


def shown_states(page: Any, saved: int) -> Iterator[str]:
    """Bring the page from one state to the next, and name each."""
    page.goto("/library")
    page.get_by_role("group", name="Tags").get_by_role("button").first.wait_for()
    yield "facets"
    page.get_by_label("Select quokka").check()
    yield "selection"
    page.goto(f"/bookmarks/{saved}")
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("group", name="Suggested tags").get_by_role("button").first.wait_for()
    yield "suggested tags"
    page.goto(f"/bookmarks/{saved}/read")
    page.frame_locator("iframe").get_by_text("Text").wait_for()
    yield "reader"
    page.goto("/trash")
    page.get_by_role("button", name="Empty the trash").click()
    page.get_by_role("dialog").wait_for()
    yield "emptying the trash"


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not here: make install-dev fetches it")
def test_no_state_has_a_fault_at_320_pixels_nor_at_200_percent(visit: Visit) -> None:
    """640 pixels are what 1280 are at a zoom of 200 percent."""
    visitor = visit("zoomed", service_workers="block")
    pages = [{"url": f"https://site-{at}.example/", "tags": [f"a rather long tag {at}"]} for at in range(12)]
    visitor.api("POST", "/bookmarks/bulk", {"items": [{**one, "capture": False} for one in pages]})
    visitor.api("DELETE", f"/bookmarks/{save(visitor, 'gone')}")
    saved = save(visitor, "quokka", tags=["sea"], notes="Mine\n> Text")
    near = {"bookmark": {"id": 1, "title": "x", "url": "", "tags": ["coast"]}, "score": 0.9}
    page = visitor.page
    page.route("**/similar?*", lambda route: route.fulfill(json={"items": [near]}))
    page.route("**/content", lambda route: route.fulfill(json=_content("<p>Text</p>")))
    page.add_init_script("localStorage.setItem('fuze.facets', 'open')")
    faults: dict[str, Any] = {}
    for state in shown_states(page, saved):
        for width in (WIDTH, 2 * WIDTH):
            page.set_viewport_size({"width": width, "height": 700})
            needed = page.evaluate("document.documentElement.scrollWidth")
            # Both widths have one design but for the lines of rows: those are examined twice.
            found = axe_faults(page) if width == WIDTH or state == "facets" else []
            if found or needed > width:
                faults[f"{state} at {width}"] = [*found, f"{needed} pixels wide"]
    assert faults == {}


def test_narrow_screens_need_no_sideways_scrolling(visit: Visit) -> None:
    visitor = visit("narrow", viewport={"width": WIDTH, "height": 700})
    visitor.api(
        "POST", "/bookmarks", {"url": "https://example.org/" + "long" * 60, "tags": ["t" * 60], "capture": False}
    )
    for path in ("/", "/library", "/add", "/projects", "/tasks", "/settings/tokens", "/dashboard", "/help"):
        page = visitor.open(path)
        page.locator(".loading").first.wait_for(state="detached")
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH, path


def test_it_speaks_german_too(visit: Visit) -> None:
    visitor = visit("deutsch")
    page = visitor.open("/settings/appearance")
    page.get_by_label("Language").select_option("de")
    heading(page, "Einstellungen")
    page.reload()
    heading(page, "Einstellungen")
    assert page.locator("html").get_attribute("lang") == "de"


def wait_shown(page: Any, titles: list[str]) -> None:
    """Wait until a list of links shows these titles, in this order."""
    page.wait_for_function(
        "(given) => JSON.stringify([...document.querySelectorAll('.row-title')].map((one) => one.innerText)) === given",
        arg=json.dumps(titles, separators=(",", ":"), ensure_ascii=False),
    )


def save(visitor: Visitor, title: str, **fields: Any) -> int:
    """Save a link of this title, unread by the worker; its id."""
    body = {"url": f"https://{fields.pop('host', 'example.org')}/{title}", "title": title, "capture": False, **fields}
    return int(visitor.api("POST", "/bookmarks", body)["id"])


def test_lists_and_searches_are_narrowed_by_what_they_hold(visit: Visit) -> None:
    visitor = visit("facets")
    save(visitor, "quokka-one", tags=["sea", MARKUP], host="a.example")
    save(visitor, "quokka-two", tags=["sea", "two words"], host="b.example", is_read=True)
    page = visitor.open("/library")
    wait_shown(page, ["quokka-two", "quokka-one"])
    page.get_by_text("Narrow down").click()
    sites = page.get_by_role("group", name="Sites")
    sites.get_by_role("button", name="a.example 1").click()
    wait_shown(page, ["quokka-one"])
    sites.get_by_role("button", name="a.example 1", pressed=True).click()
    tags = page.get_by_role("group", name="Tags")
    tags.get_by_role("button", name="#sea 2").click()
    tags.get_by_role("button", name="#two words 1").click()
    wait_shown(page, ["quokka-two"])
    assert page.url.endswith("/library?tag=sea&tag=two+words")
    page.get_by_role("button", name="Remove filter #two words").click()
    wait_shown(page, ["quokka-two", "quokka-one"])
    page.get_by_role("group", name="State").get_by_role("button", name="Unread 1").click()
    wait_shown(page, ["quokka-one"])
    page = visitor.open("/search?q=quokka&mode=text")
    page.get_by_role("group", name="Tags").get_by_role("button", name="#two words 1").click()
    wait_shown(page, ["quokka-two"])
    assert page.get_by_role("combobox", name="Search").input_value() == 'quokka tag:"two words"'
    assert page.evaluate("window.hacked") is None
    assert visitor.violations() == []


def test_the_library_is_narrowed_by_language(visit: Visit, site: SavedSite) -> None:
    visitor = visit("reader")
    save(visitor, "quokka")
    german = visitor.api("POST", "/bookmarks", {"url": f"{site.url}/german"})["id"]
    assert eventually(lambda: visitor.api("GET", f"/bookmarks/{german}")["language"] == "de")
    page = visitor.open("/library")
    wait_shown(page, ["Gezeiten", "quokka"])
    page.get_by_text("Narrow down").click()
    page.get_by_role("group", name="Language").get_by_role("button", name="German 1").click()
    wait_shown(page, ["Gezeiten"])
    assert page.url.endswith("/library?language=de")
    page.get_by_role("button", name="Remove filter German").click()
    wait_shown(page, ["Gezeiten", "quokka"])


def test_the_trash_gives_back_and_is_emptied(visit: Visit) -> None:
    visitor = visit("tidy")
    for title in ("one", "two", "three", "four"):
        visitor.api("DELETE", f"/bookmarks/{save(visitor, title)}")
    project = visitor.api("POST", "/projects", {"name": "Old plans"})
    visitor.api("DELETE", f"/projects/{project['id']}")
    page = visitor.open("/library")
    page.get_by_role("navigation").get_by_role("link", name="Trash").first.click()
    wait_shown(page, ["four", "three", "two", "one"])
    page.get_by_role("button", name="Restore three").click()
    wait_shown(page, ["four", "two", "one"])
    page.get_by_label("Select two").check()
    page.get_by_role("button", name="Delete for good", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete for good").click()
    wait_shown(page, ["four", "one"])
    page.get_by_role("button", name="Restore Old plans").click()
    page.get_by_text("Old plans").wait_for(state="detached")
    page.get_by_role("button", name="Empty the trash").click()
    page.get_by_role("dialog").get_by_role("button", name="Empty the trash").click()
    page.get_by_text("2 links deleted for good").wait_for()
    page.get_by_text("No links in the trash.").wait_for()
    assert visitor.api("GET", "/bookmarks?is_archived=any")["total"] == 1
    assert visitor.api("GET", f"/projects/{project['id']}")["name"] == "Old plans"


def test_passages_are_highlighted_and_quoted_in_the_notes(visit: Visit, site: SavedSite) -> None:
    visitor = visit("marker")
    saved = visitor.api("POST", "/bookmarks", {"url": f"{site.url}/article?marked", "notes": "Mine"})
    page = visitor.open(f"/bookmarks/{saved['id']}")
    page.get_by_role("main").get_by_role("link", name="Read", exact=True).click()
    page.frame_locator("iframe").get_by_text("Sentence 3 tells").wait_for()
    archived = page.get_by_role("link", name="Archived copy").get_attribute("href")
    assert archived.startswith("https://web.archive.org/web/20")
    assert archived.endswith(f"/{saved['url']}")
    page.get_by_role("button", name="Highlight").click()
    page.get_by_text("Select a passage first.").wait_for()
    page.evaluate("""() => {
      const page = document.querySelector('iframe').contentDocument;
      page.getSelection().selectAllChildren(page.querySelector('p'));
    }""")
    page.get_by_role("button", name="Highlight").click()
    page.get_by_text("Highlighted, and quoted in the notes.").wait_for()
    notes = visitor.api("GET", f"/bookmarks/{saved['id']}")["notes"]
    assert notes.startswith("Mine\n\n> Sentence 0 tells of the lighthouse")
    shown = "() => document.querySelector('iframe')?.contentWindow?.CSS?.highlights?.get('quotes')?.size === 1"
    page.wait_for_function(shown)
    page.reload()
    page.wait_for_function(shown)


def test_tags_of_similar_links_are_suggested(visit: Visit) -> None:
    visitor = visit("suggested", service_workers="block")
    saved = save(visitor, "island", tags=["sea"])
    near = [({"tags": ["Sea", "birds", "coast"]}, 0.5), ({"tags": ["birds", "far"]}, 0.4), ({"tags": ["coast"]}, 0.1)]
    items = [
        {"bookmark": {"id": 9 + at, "title": "x", "url": "", **one}, "score": score}
        for at, (one, score) in enumerate(near)
    ]
    visitor.page.route("**/similar?*", lambda route: route.fulfill(json={"items": items}))
    page = visitor.open(f"/bookmarks/{saved}")
    page.get_by_role("button", name="Edit").click()
    suggested = page.get_by_role("group", name="Suggested tags")
    suggested.get_by_role("button").first.wait_for()
    assert suggested.get_by_role("button").all_inner_texts() == ["birds"]
    suggested.get_by_role("button", name="Add tag birds").click()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("main").get_by_role("link", name="#birds").wait_for()
    assert visitor.api("GET", f"/bookmarks/{saved}")["tags"] == ["sea", "birds"]


def test_an_administrator_sees_health_and_keeps_people_out(visit: Visit, stack: RunningStack) -> None:
    visit("guest")
    visitor = visit("chief")
    addresses = json.loads((stack.data_dir / "stack.json").read_text())
    with (
        psycopg2.connect(addresses["DATABASE_URL"].replace("+psycopg2", "")) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE users SET role = 'admin' WHERE username = 'chief'")
    connection.close()
    page = visitor.open("/")
    page.get_by_role("navigation").get_by_role("link", name="Administration").first.click()
    page.get_by_role("heading", name="Health: ").wait_for()
    page.get_by_role("heading", name="database").wait_for()
    page.get_by_role("button", name="Empty the cache").click()
    page.get_by_role("dialog").get_by_role("button", name="Empty the cache").click()
    page.get_by_text("The cache is empty.").wait_for()
    page.get_by_label("Name or mail address").fill("gues")
    page.get_by_role("button", name="Disable: guest").click()
    page.get_by_role("dialog").get_by_role("button", name="Disable").click()
    page.get_by_role("button", name="Enable: guest").wait_for()
    assert page.get_by_role("button", name="Disable: chief").count() == 0
    if AXE.exists():
        page.evaluate(AXE.read_text())
        assert page.evaluate(RUN_AXE, RULES) == []


def test_an_import_shows_its_progress_and_what_failed(visit: Visit, tmp_path: Path) -> None:
    visitor = visit("mover", accept_downloads=True)
    lines = [f'<DT><A HREF="https://example.org/{number}">Link {number}</A>' for number in range(40)]
    lines[3] = '<DT><A HREF="javascript:alert(1)">Script</A>'
    file = tmp_path / "bookmarks.html"
    file.write_text("<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><p>\n" + "\n".join(lines) + "\n</DL>")
    page = visitor.open("/transfer")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("heading", name="Imported").wait_for()
    facts = page.locator(".facts").inner_text().split()
    assert facts[facts.index("Saved") + 1] == "39"
    assert "javascript:alert(1)" in page.locator("tbody").inner_text()
    assert page.locator("a[href^=javascript]").count() == 0
    with page.expect_download() as started:
        page.get_by_role("button", name="Export as CSV").click()
    exported = Path(started.value.path()).read_text()
    assert started.value.suggested_filename == "fuze.csv"
    assert exported.count("https://example.org/") == 39


def test_tasks_are_moved_by_dragging_and_by_keys(visit: Visit) -> None:
    visitor = visit("sorter")
    project = visitor.api("POST", "/projects", {"name": "Order"})["id"]
    for title in ("first", "second", "third"):
        visitor.api("POST", "/tasks", {"title": title, "project_id": project})
    page = visitor.open(f"/projects/{project}")
    row = page.locator(".task-row")
    row.nth(2).wait_for()
    row.nth(2).drag_to(row.nth(0), target_position={"x": 60, "y": 4})
    wait_order(page, ["third", "first", "second"])
    page.get_by_role("link", name="third").focus()
    page.keyboard.press("Alt+ArrowDown")
    wait_order(page, ["first", "third", "second"])
    page.locator('.task-row a:focus:text("third")').wait_for()
    page.keyboard.press("Alt+ArrowRight")
    page.locator("li li", has_text="third").wait_for()
    found = {one["title"]: one for one in visitor.api("GET", f"/tasks?project_id={project}")["items"]}
    assert found["third"]["parent_id"] == found["first"]["id"]
    page.get_by_role("button", name="Move out: third").click()
    page.locator("li li").wait_for(state="detached")
    wait_order(page, ["first", "third", "second"])


def wait_order(page: Any, titles: list[str]) -> None:
    """Wait until the tasks stand in this order."""
    page.wait_for_function(
        "(titles) => [...document.querySelectorAll('.task-row a')].map((one) => one.innerText).join() === titles",
        arg=",".join(titles),
    )


def test_an_older_answer_never_replaces_a_newer_one(visit: Visit) -> None:
    """On a slow network the answer to the first letters may come last."""
    visitor = visit("patient", service_workers="block")
    save(visitor, "quokka")
    save(visitor, "quay")
    page = visitor.page

    def answer(route: Any) -> None:
        if "q=qu&" in route.request.url:
            waiting.append(route)
        else:
            route.continue_()

    waiting: list[Any] = []
    page.route("**/api/v1/search?*", answer)
    visitor.open("/search?mode=text")
    assert page.evaluate(TYPING_DELAYS) == [0, 0, True, 0]
    box = page.get_by_role("combobox", name="Search")
    with page.expect_request(lambda request: "/search?q=qu&" in request.url):
        box.press_sequentially("qu")
    box.press_sequentially("okka")
    wait_shown(page, ["quokka"])
    with page.expect_response(lambda response: "/search?q=qu&" in response.url):
        waiting[0].continue_()
    page.wait_for_timeout(50)
    wait_shown(page, ["quokka"])


def test_a_slow_network_is_told_and_waited_for(visit: Visit) -> None:
    visitor = visit("slow", service_workers="block")
    save(visitor, "late")
    page = visitor.page
    held: list[Any] = []
    page.route("**/api/v1/bookmarks?*", lambda route: held.append(route))
    with page.expect_request("**/api/v1/bookmarks?*"):
        page.goto("/library")
    page.locator(".loading", has_text="Loading…").wait_for()
    held[0].fulfill(status=503, headers={"Retry-After": "2", "Content-Type": "application/problem+json"}, body="{}")
    page.get_by_text("Not available right now. Try again in 2 s.").wait_for()
    page.unroute("**/api/v1/bookmarks?*")
    page.get_by_role("button", name="Try again").click()
    wait_shown(page, ["late"])


def test_an_expired_token_is_renewed_without_a_word(visit: Visit) -> None:
    visitor = visit("expired", service_workers="block")
    page = visitor.open("/tags")
    refused: list[str] = []

    def refuse_once(route: Any) -> None:
        if refused:
            route.continue_()
            return
        refused.append(route.request.headers["authorization"])
        route.fulfill(status=401, headers={"WWW-Authenticate": "Bearer"}, json={"status": 401, "title": "Expired"})

    page.route("**/api/v1/projects?*", refuse_once)
    with page.expect_response("**/auth/refresh?cookie=true"):
        page.get_by_role("navigation").get_by_role("link", name="Projects").first.click()
    page.get_by_text("No projects here.").wait_for()
    assert len(refused) == 1


def test_what_one_tab_archives_leaves_the_list_of_the_other(visit: Visit) -> None:
    visitor = visit("twice")
    save(visitor, "stays")
    save(visitor, "goes")
    first, second = visitor.open("/library"), visitor.tab()
    second.goto("/library")
    wait_shown(second, ["goes", "stays"])
    first.get_by_role("button", name="Archive goes").click()
    wait_shown(second, ["stays"])
    first.get_by_role("button", name="Undo").click()
    wait_shown(first, ["goes", "stays"])


def test_a_newcomer_needs_no_pointer(visit: Visit, site: SavedSite) -> None:
    """Register, paste a link, find it by a word of its text, make a project, get a recommendation: keys alone."""
    page = visit().page

    def reach(name: str) -> None:
        """Press Tab until the focus is on what has this name."""
        for _ in range(60):
            named = "document.activeElement.getAttribute('aria-label') || document.activeElement.labels?.[0]?.innerText"
            if page.evaluate(f"({named} || document.activeElement.innerText || '').trim()") == name:
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {name!r}")

    page.goto("/")
    heading(page, "Log in")
    reach("Make an account")
    page.keyboard.press("Enter")
    heading(page, "Make an account")
    for name, value in (("Mail address", "keys@example.org"), ("Username", "keys"), ("Password", PASSWORD)):
        reach(name)
        page.keyboard.type(value)
    page.keyboard.press("Enter")
    heading(page, "Welcome, keys")
    page.keyboard.press("a")
    heading(page, "Add a link")
    page.evaluate("document.activeElement.blur()")
    page.evaluate(
        """(text) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text', text);
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
    }""",
        f"{site.url}/article?keys",
    )
    reach("Save")
    page.keyboard.press("Enter")
    page.get_by_text("The page has been read.").wait_for()
    page.locator("h1").focus()
    page.keyboard.press("/")
    # None of the letters is lost, nor taken for a shortcut, though the screen is not there yet.
    page.keyboard.type("quokkas")
    page.locator(".row mark").first.wait_for()
    assert page.get_by_role("combobox", name="Search").input_value() == "quokkas"
    page.keyboard.press("Escape")
    page.locator("h1").focus()
    reach("Projects")
    page.keyboard.press("Enter")
    heading(page, "Projects")
    reach("New project")
    page.keyboard.press("Enter")
    reach("Name")
    page.keyboard.type("Lighthouse")
    reach("Description")
    page.keyboard.type("Where quokkas live beside a lighthouse")
    reach("Make the project")
    page.keyboard.press("Enter")
    heading(page, "Lighthouse")
    reach("Attach: Quokkas")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Detach Quokkas").wait_for()
