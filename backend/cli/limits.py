"""Commands on the rate limits: those of Flask-Limiter (`flask limiter`), on the configured application."""

from __future__ import annotations

import click
from flask.cli import ScriptInfo
from flask_limiter.commands import cli as flask_limiter

from backend.app import create_app
from backend.cli.settings import settings_with_database


@click.group("limiter", commands=flask_limiter.commands)
@click.pass_context
def limiter(context: click.Context) -> None:
    """Look at the rate limits of routes, or clear a caller's."""
    context.obj = ScriptInfo(create_app=lambda: create_app(settings_with_database()))
