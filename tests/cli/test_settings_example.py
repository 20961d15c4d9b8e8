"""`.env.example` is made from the settings and says the same."""

from __future__ import annotations

import re

import pytest
from dotenv import dotenv_values

from backend.cli.env_example import render
from config import SECRET_NAMES, Settings
from tests.support.stack import ROOT

pytestmark = [pytest.mark.unit]


def test_the_file_is_in_step_with_the_settings():
    text = (ROOT / ".env.example").read_text()
    assert text == render(), "run: python -m backend env-example > .env.example"


def test_every_setting_is_there_once_with_its_description():
    text = render()
    for name, field in Settings.model_fields.items():
        assert len(re.findall(rf"^#?{name}=", text, re.MULTILINE)) == 1
        assert field.description
        assert re.search(rf"^# {re.escape(field.description)}\n#?{name}=", text, re.MULTILINE)


def test_a_plain_copy_sets_no_secret_and_changes_nothing(tmp_path):
    copy = tmp_path / ".env"
    copy.write_text(render())
    assert set(dotenv_values(copy).values()) == {""}
    assert set(SECRET_NAMES) < set(dotenv_values(copy))


def test_the_defaults_it_shows_are_the_defaults(tmp_path, monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)
    copy = tmp_path / ".env"
    copy.write_text(re.sub(r"^#(?=[A-Z_]+=)", "", render(), flags=re.MULTILINE))
    assert Settings(_env_file=copy) == Settings(_env_file=None)
