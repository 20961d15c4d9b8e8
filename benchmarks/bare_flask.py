"""The least that Flask can answer: what the product's answers are compared with. Served by `bare_gunicorn.py`."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    """Greet."""
    return "hello"
