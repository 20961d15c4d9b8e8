"""Commands on people's accounts."""

from __future__ import annotations

import sys

import click

from backend.auth import service
from backend.cli.application import connected_application
from backend.errors import DomainError


@click.command("create-user")
@click.argument("email")
@click.argument("username")
@click.option("--admin", is_flag=True, help="Let this account administer the whole server.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
def create_user(email: str, username: str, admin: bool, password_stdin: bool) -> None:
    """Make an account for EMAIL under the name USERNAME, also where registration is closed."""
    with connected_application():
        if password_stdin:
            password = sys.stdin.readline().rstrip("\r\n")
        else:
            password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        try:
            user = service.create_user(email, username, password, admin=admin)
        except DomainError as error:
            raise click.ClickException(error.detail) from None
        click.echo(f"Made the account {user.username} ({user.email})")
