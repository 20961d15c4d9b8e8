"""The phrases of reasons: the same in every language that mails speak."""

from __future__ import annotations

from string import Formatter
from typing import get_args

import pytest

from backend.mail.languages import LANGUAGES
from backend.profile.schemas import Language
from backend.recommendations.phrases import PHRASES

pytestmark = pytest.mark.unit


def test_every_language_of_mails_has_phrases() -> None:
    assert set(PHRASES) == set(LANGUAGES) == set(get_args(Language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_phrase_takes_the_same_values_in_every_language(language: str) -> None:
    def fields(phrases: str) -> dict[str, set[tuple[str | None, str | None]]]:
        return {
            name: {(field, form) for _, field, form, _ in Formatter().parse(phrase) if field is not None}
            for name, phrase in PHRASES[phrases].items()
        }

    assert fields(language) == fields(LANGUAGES[0])
