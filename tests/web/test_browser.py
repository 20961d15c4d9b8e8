"""The client in a browser, on a stack as a person starts it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import PASSWORD
from tests.web.browsing import Visitor
from tests.web.sites import SavedSite

pytestmark = pytest.mark.processes
AXE = Path(__file__).parents[2] / ".venv" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """(rules) => axe.run({runOnly: rules}).then(({violations}) =>
  violations.map(({id, nodes}) => `${id}: ${nodes.map((node) => node.html).join(' ')}`))"""
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
    page.get_by_text("Saved:").wait_for()
    page.locator("h1").focus()
    page.keyboard.press("/")
    page.locator("input[type=search]:focus").wait_for()
    page.keyboard.type("quokkas")
    page.locator(".row").first.wait_for()
    page.keyboard.press("Escape")
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
        *("/", "/library", "/library?view=trash", "/search", "/search?q=lighthouse", "/add", f"/bookmarks/{saved}"),
        *(f"/bookmarks/{saved}/read", "/tags", "/projects", f"/projects/{project['id']}", "/tasks"),
        *(f"/tasks/{task['id']}", "/dashboard", "/transfer", "/help"),
        *(f"/settings/{name}" for name in ("profile", "appearance", "sessions", "tokens", "organizations", "ai")),
        *(f"/settings/{name}" for name in ("feeds", "security", "account")),
    ]
    visitor.open(f"/bookmarks/{saved}").get_by_text("Read the page again").wait_for()
    faults = {path: found for path in screens if (found := examine(visitor, path))}
    entrance = ("/login", "/register", "/forgot-password")
    nobody = visit()
    faults |= {path: found for path in entrance if (found := examine(nobody, path))}
    assert faults == {}


def examine(visitor: Visitor, path: str) -> list[str]:
    """Run axe over a screen, and look at the colours of some in dark once more; the faults."""
    page = visitor.open(path)
    page.locator(".loading").first.wait_for(state="detached")
    page.evaluate(AXE.read_text())
    light: list[str] = page.evaluate(RUN_AXE, RULES)
    if path not in DARK:
        return light
    page.emulate_media(color_scheme="dark")
    dark: list[str] = page.evaluate(RUN_AXE, ["color-contrast"])
    page.emulate_media(color_scheme="light")
    return light + dark


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
