"""The dashboard's charts as a browser draws them, to look at: `scripts/dashboard-charts DIRECTORY`.

Activity and growth are those of a simulated year, tags and reading those of real links; each also of somebody who has
nothing, and the tags of somebody with names in many scripts. Chromium draws all of them 320 and 1200 pixels wide, in
light and in dark.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from backend.clock import utc_now
from backend.extensions import db
from benchmarks.corpora import load_links
from benchmarks.dashboard import loaded_application, member
from benchmarks.simulated_year import simulate
from tests.support.api import Api
from tests.support.factories import make_person

WIDTHS = {320: 2_200, 1200: 7_000}  # The height of the window for each width of a picture, in pixels.
# As Blink counts the schemes that a person may prefer.
SCHEMES = {"light": 1, "dark": 0}
SECONDS = 60
NAMES = ("activity", "growth", "tags", "reading")
SAVED, SEED = 3_000, 14
TAGS = (
    *("</text><script>alert(1)</script>", "עברית ותגית ארוכה מאוד", "اللغة العربية", "👩‍👩‍👧‍👦 family", "a & b"),
    *("データベース設計の手引き", "Donaudampfschifffahrt", "हिन्दी", "W" * 60, "x"),
)
STYLE = ":root { color-scheme: light dark } body { margin: 10px } img { display: block; margin-bottom: 20px }"
# Most saves and readings are of late; `:days` are how far back they go.
SPREAD = text("""
    UPDATE bookmarks SET created_at = now() - power(random(), 2) * interval '1 day' * :days
     WHERE organization_id = :organization
""")
READ = text("""
    UPDATE bookmarks SET read_at = now() - power(random(), 1.5) * interval '84 days'
     WHERE organization_id = :organization AND id % 9 = 0
""")


def pictures(app: Flask, team_client: Api) -> Iterator[tuple[str, bytes]]:
    """Yield the pictures by name."""
    collector, hostile, nobody = (make_person(app, name) for name in ("collector", "hostile", "nobody"))
    _save(app, collector, random.Random(SEED).sample(load_links(), SAVED))
    links = [{"url": f"https://example.org/{n}", "tags": TAGS[: n % 10 + 1], "capture": False} for n in range(200)]
    _save(app, hostile, links)
    for name in NAMES:
        yield name, _picture(team_client if name in NAMES[:2] else collector, name)
    yield "tags of all kinds", _picture(hostile, "tags")
    for name in NAMES:
        yield f"{name} of nobody", _picture(nobody, name)


def _save(app: Flask, person: Api, links: Sequence[dict[str, object]]) -> None:
    for start in range(0, len(links), 1_000):
        response = person.post("/bookmarks/bulk", {"items": links[start : start + 1_000]})
        assert response.status_code == 200, response.get_data(as_text=True)
    with app.app_context(), db.engine.begin() as connection:
        values = {"organization": person.organization_id, "days": 75}
        connection.execute(SPREAD, values)
        connection.execute(text("UPDATE bookmarks SET is_read = true WHERE id % 9 = 0"))
        connection.execute(READ, values)
    person.patch("/profile", {})  # What is cached is invalid.


def _picture(person: Api, name: str) -> bytes:
    response = person.get(f"/dashboard/charts/{name}.svg")
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.data


def page(drawn: dict[str, bytes], width: int) -> str:
    """Return a page that shows the pictures below one another."""
    images = (
        f'<img width={width} src="data:image/svg+xml;base64,{b64encode(data).decode()}">' for data in drawn.values()
    )
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{''.join(images)}"


def draw(browser: str, source: Path, size: tuple[int, int], scheme: str, picture: Path) -> None:
    """Let the browser draw a page for somebody who prefers a scheme."""
    with tempfile.TemporaryDirectory() as profile:
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}")
        look = (f"--window-size={size[0]},{size[1]}", f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}")
        command = [browser, *options, *look, f"--screenshot={picture}", source.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)


def main() -> None:
    """Draw all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="where the pictures go")
    directory: Path = parser.parse_args().directory.resolve()
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        parser.error("There is no Chromium here.")
    directory.mkdir(parents=True, exist_ok=True)
    year = simulate(SEED, utc_now(), organizations=1, people=10, events=6_000)
    with loaded_application(year, 0) as app:
        team = Api(app)
        team.client, headers = member(app, year, year.organizations[0])
        team.client.environ_base |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        drawn = dict(pictures(app, team))
    for name, data in drawn.items():
        (directory / f"{name}.svg").write_bytes(data)
    for width, height in WIDTHS.items():
        source = directory / f"{width}.html"
        source.write_text(page(drawn, width))
        for scheme in SCHEMES:
            draw(browser, source, (width + 20, height), scheme, directory / f"{width}-{scheme}.png")
            print(f"{width}-{scheme}.png", flush=True)


if __name__ == "__main__":
    main()
