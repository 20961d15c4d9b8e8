"""Pages for people who follow the link that unsubscribes: a question with one button, and what became of it."""

from __future__ import annotations

import functools
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent / "templates"


def unsubscribe_page(language: str, *, is_done: bool) -> str:
    """Render the page in a language. Its form sends a POST to the address of the page itself."""
    return _environment().get_template(f"{language}.html").render(is_done=is_done)


@functools.cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
