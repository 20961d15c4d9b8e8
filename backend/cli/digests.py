"""Commands on digests."""

from __future__ import annotations

import click

from backend.admin.service import find_user
from backend.cli.application import connected_application
from backend.digests.service import preview_digest
from backend.errors import DomainError


@click.group("digests")
def digests() -> None:
    """Look at the weekly mails; the worker sends them by itself."""


@digests.command()
@click.argument("login")
def preview(login: str) -> None:
    """Print the digest that the person of this username or mail address would get now. Nothing is mailed."""
    with connected_application():
        try:
            shown = preview_digest(find_user(login).id)
        except DomainError as error:
            raise click.ClickException(error.detail) from None
    click.echo("\n\n".join(shown) if shown else "There is nothing to say: no mail would be sent.")
