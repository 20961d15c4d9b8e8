"""`docs/configuration.md` is made from the settings and says the same."""

from __future__ import annotations

import re

import pytest

from backend.cli.config_docs import SECTIONS, render
from config import COMPOSE, Settings
from tests.support.stack import ROOT

pytestmark = [pytest.mark.unit]


def test_the_page_is_in_step_with_the_settings():
    text = (ROOT / "docs" / "configuration.md").read_text()
    assert text == render(), "run: python -m backend config-docs > docs/configuration.md"


def test_every_setting_has_one_row_with_its_description():
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", render(), re.MULTILINE)
    assert sorted(name for name, _ in rows) == sorted([*Settings.model_fields, *COMPOSE])
    assert all((Settings.model_fields[name].description or "") in row for name, row in rows if name not in COMPOSE)


def test_every_section_begins_with_a_setting():
    assert set(SECTIONS) <= set(Settings.model_fields)
    assert next(iter(Settings.model_fields)) in SECTIONS


@pytest.mark.parametrize(
    ("name", "values", "default"),
    [
        ("ENVIRONMENT", "`development`, `testing`, `production`", "`development`"),
        ("SECRET_KEY", "secret", ""),
        ("WEB_CONCURRENCY", "integer from 1 to 64", ""),
        ("CAPTURE_TIMEOUT_SECONDS", "number over 0 to 120", "`20`"),
        ("ALLOWED_ORIGINS", "list", ""),
        ("ENABLE_CACHING", "`true`, `false`", "`true`"),
    ],
)
def test_a_row_says_what_a_setting_takes(name: str, values: str, default: str):
    row = next(line for line in render().splitlines() if line.startswith(f"| `{name}` |"))
    assert row.split(" | ")[1] == values
    assert default in row
