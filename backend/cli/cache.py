"""Commands on the answers that are kept."""

from __future__ import annotations

import click

from backend.cache_warmup.service import recent_people
from backend.cache_warmup.service import warm as warm_people
from backend.cli.application import connected_application
from backend.http.response_cache import statistics


@click.group("cache")
def cache() -> None:
    """Look at the cache, empty it or fill it."""


@cache.command()
def stats() -> None:
    """Tell how often answers were found, by kind."""
    with connected_application():
        found = statistics.read_statistics()
    click.echo(f"Redis:    {'connected' if found.connected else 'away'}, {found.errors} failed questions")
    click.echo(f"Answers:  {found.hits} found, {found.misses} made, {found.hit_rate_percent} % found")
    for name, one in found.namespaces.items():
        click.echo(f"  {name:<14} {one.hits:>9} found {one.misses:>9} made {one.hit_rate_percent:>6} %")


@cache.command()
def clear() -> None:
    """Forget all answers, and count from zero."""
    with connected_application():
        statistics.clear()
        connected = statistics.read_statistics().connected
    if not connected:
        raise click.ClickException("Redis is away: nothing could be cleared.")
    click.echo("The cache is empty.")


@cache.command()
def warm() -> None:
    """Make the first answers of everybody who was here within a day."""
    with connected_application():
        people = warm_people(recent_people())
    click.echo(f"Warmed up for {people} people.")
