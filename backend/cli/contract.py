"""Commands that print the routes and the OpenAPI document."""

from __future__ import annotations

import json

import click

from backend.cli.application import detached_application
from backend.http.openapi.document import openapi_document


@click.command()
def routes() -> None:
    """List every route: methods, path, endpoint."""
    rules = sorted(detached_application().url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint))
    rows = [
        (",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})), rule.rule, rule.endpoint) for rule in rules
    ]
    widths = [max(map(len, column), default=0) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


@click.command()
def openapi() -> None:
    """Print the OpenAPI document as JSON."""
    click.echo(json.dumps(openapi_document(detached_application()), indent=2, ensure_ascii=False))
