"""One stack, one site to save links of, and one browser for the tests that drive the client."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.stack import RunningStack
from tests.web.browsing import CHROMIUM, Visitor, browser_flags
from tests.web.sites import SavedSite

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    """Fuze as a person starts it, which may read pages of this machine."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    directory = Path(tempfile.mkdtemp(prefix="fuze-web-"))
    settings = {
        "CAPTURE_ALLOWED_NETWORKS": "127.0.0.0/8",
        "ENABLE_RATE_LIMITING": "false",
        "REGISTRATIONS_PER_HOUR": "1000",
    }
    with RunningStack(directory / "data", **settings) as running:
        yield running.wait_ready()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def site() -> Iterator[SavedSite]:
    """Pages to save."""
    with SavedSite() as served:
        yield served


@pytest.fixture(scope="module")
def browser(stack: RunningStack) -> Iterator[playwright.Browser]:
    """Debian's chromium."""
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=CHROMIUM, args=browser_flags())
        yield launched
        launched.close()


@pytest.fixture
def visit(stack: RunningStack, browser: playwright.Browser) -> Iterator[Callable[..., Visitor]]:
    """Open the client as a new person who is logged in; without a name, as nobody."""
    visitors: list[Visitor] = []

    def open_client(name: str | None = None, **options: object) -> Visitor:
        context = browser.new_context(base_url=stack.url, locale="en-GB", **options)
        visitors.append(Visitor(context, name))
        return visitors[-1]

    yield open_client
    for visitor in visitors:
        visitor.context.close()
    for visitor in visitors:
        assert visitor.faults == []
