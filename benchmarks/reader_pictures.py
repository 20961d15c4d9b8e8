"""Pictures of pages in the reader view, to look at: `scripts/reader-pictures DIRECTORY [--pages NAME …]`.

Reads stored and made pages below the API, and lets Chromium draw the sanitised HTML under a plain style sheet.
"""

from __future__ import annotations

import argparse
import html
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from backend.capture.extract.page import ExtractedPage
from backend.capture.extract.page_reader import extract_page
from benchmarks.made_pages import load_made
from benchmarks.page_truth import load_truth

WIDTH, HEIGHT = 900, 1800  # Pixels.
SECONDS = 60
STYLE = """
body { max-width: 42rem; margin: 2rem auto; font: 18px/1.5 serif; overflow-wrap: break-word }
pre { background: #f3f3f3; padding: .6rem; overflow-x: auto; font-size: 14px } code { background: #f3f3f3 }
table { border-collapse: collapse; font-size: 15px } td, th { border: 1px solid #bbb; padding: .2rem .5rem }
figure, blockquote { border-left: 3px solid #ccc; margin-left: 0; padding-left: 1rem }
figcaption, caption { font-size: 15px; color: #555 } img { max-width: 100%; min-width: 3rem; min-height: 2rem }
.about { color: #777; font-size: 14px }
"""


def read_pages() -> Iterator[tuple[str, ExtractedPage]]:
    """Yield all pages by name, the made ones first."""
    for made in load_made():
        yield made.path.stem, extract_page(made.body(), url=made.url, media_type=made.media_type, charset="utf-8")
    for truth in load_truth():
        yield truth.id, extract_page(truth.body(), url=truth.url, media_type="text/html", charset=None)


def document(page: ExtractedPage) -> str:
    """Return the page as a reader shows it: title, author and day above the text."""
    about = " · ".join(
        filter(None, (page.author, page.site_name, page.published_at and f"{page.published_at:%Y-%m-%d}"))
    )
    head = f"<title>reader</title><meta charset=utf-8><style>{STYLE}</style>"
    above = f"<h1>{html.escape(page.title or '')}</h1><p class=about>{html.escape(about)}</p>"
    return f"<!doctype html><html><head>{head}</head><body>{above}{page.html}</body></html>"


def draw(browser: str, markup: str, picture: Path) -> None:
    """Let the browser draw a document; hosts of pictures are out of its reach."""
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory, "page.html")
        source.write_text(markup)
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--host-rules=MAP * ~NOTFOUND")
        sizes = (f"--window-size={WIDTH},{HEIGHT}", f"--user-data-dir={directory}/profile")
        command = [browser, *options, *sizes, f"--screenshot={picture}", source.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)


def main() -> None:
    """Draw the pages that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="where the pictures go")
    parser.add_argument("--pages", nargs="+", default=[], help="names of pages; all the made ones else")
    options = parser.parse_args()
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        parser.error("There is no Chromium here.")
    options.directory.mkdir(parents=True, exist_ok=True)
    names = set(options.pages) or {made.path.stem for made in load_made() if not made.is_reduced}
    for name, page in read_pages():
        if name in names:
            draw(browser, document(page), options.directory.resolve() / f"{name}.png")
            print(name, flush=True)


if __name__ == "__main__":
    main()
