"""Command `demo`: an account with the demo collection."""

from __future__ import annotations

import secrets

import click
from pydantic import ValidationError

from backend.actor import Actor
from backend.auth.schemas import RegisterIn
from backend.cli.application import connected_application
from backend.cli.demo.collection import load_collection
from backend.errors import Conflict, Invalid
from backend.extensions import current_settings
from backend.registration.service import create_user


@click.command()
@click.option("--username", default="demo", show_default=True, help="Name of the new account.")
@click.option("--password", help="Its password. [default: one is made up and printed]")
@click.option("--force", is_flag=True, help="In production too.")
def demo(username: str, password: str | None, force: bool) -> None:
    """Make an account with a small, made-up collection: bookmarks, page texts, projects and tasks.

    An account that is there already is left as it is.
    """
    with connected_application():
        if current_settings().ENVIRONMENT == "production" and not force:
            raise click.ClickException("this is a production server; if you want the demo account here, add --force")
        account = _account(username, password or secrets.token_urlsafe(12))
        try:
            user = create_user(account.email, account.username, account.password, admin=False)
        except Conflict:
            click.echo(f"There is an account {username} already; nothing was changed. For another: --username NAME")
            return
        except Invalid as refusal:
            raise click.ClickException(refusal.extra["errors"][0]["message"]) from None
        loaded = load_collection(Actor(user.id, user.personal_organization_id, "owner"))
    click.echo(f"Made the account {username}" + ("" if password else f" with the password {account.password}"))
    click.echo(f"Bookmarks: {loaded.bookmarks}, {loaded.pages} of them with a page to read")
    click.echo(f"Projects:  {loaded.projects}, with {loaded.tasks} tasks")


def _account(username: str, password: str) -> RegisterIn:
    try:
        return RegisterIn(email=f"{username}@fuze.example", username=username, password=password)
    except ValidationError as error:
        # A bad name makes a bad mail address as well; the name's own fault comes after it.
        fault = error.errors(include_url=False, include_context=False, include_input=False)[-1]
        raise click.ClickException(f"{fault['loc'][0]}: {fault['msg'].removeprefix('Value error, ')}") from None
