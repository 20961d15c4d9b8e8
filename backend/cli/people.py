"""Commands on accounts."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click
from pydantic import ValidationError

from backend.admin.schemas import AdminUsersQuery
from backend.admin.service import accounts_with_faults, find_user, list_all_users, set_admin, set_disabled
from backend.auth.models import User
from backend.auth.schemas import RegisterIn
from backend.cli.application import connected_application
from backend.errors import DomainError, Invalid
from backend.http.validation import validation_message
from backend.registration.service import create_user as create_user_account


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
            given = RegisterIn(email=email, username=username, password=password)
            user = create_user_account(given.email, given.username, given.password, admin=admin)
        except (ValidationError, Invalid) as error:
            raise click.ClickException(_faults(error)) from None
        except DomainError as error:
            raise click.ClickException(error.detail) from None
        click.echo(f"Made the account {user.username} ({user.email})")


@click.group("users")
def users() -> None:
    """List and check accounts, disable or enable them, make administrators."""


@users.command("list")
@click.option("--matching", metavar="TEXT", help="Only those with this in their username or mail address.")
@click.option("--disabled", is_flag=True, help="Only disabled ones.")
def list_accounts(matching: str | None, disabled: bool) -> None:
    """List accounts, the oldest first: id, username, mail address, role, and whether it is disabled."""
    with connected_application():
        query = AdminUsersQuery(q=matching, disabled=disabled or None, sort="created_at", page_size=100)
        while True:
            page = list_all_users(query)
            for user in page.items:
                state = "disabled" if user.disabled_at else "enabled"
                click.echo("\t".join((str(user.id), user.username, user.email, user.role, state)))
            if page.next_cursor is None:
                return
            query = query.model_copy(update={"cursor": page.next_cursor})


@users.command()
def check() -> None:
    """Name accounts that log in by mail address only, since their username breaks the rules: id, username, mail
    address, and what is wrong. They may choose another in their profile."""
    with connected_application():
        faults = 0
        for user, fault in accounts_with_faults():
            faults += 1
            click.echo("\t".join((str(user.id), user.username, user.email, fault)))
        click.echo(f"Accounts to rename: {faults}", err=True)


@users.command()
@click.argument("login")
def disable(login: str) -> None:
    """Keep the person of this username or mail address out, and end all their sessions."""
    _change(login, lambda user: set_disabled(user.id, True), "Disabled")


@users.command()
@click.argument("login")
def enable(login: str) -> None:
    """Let the person of this username or mail address in again."""
    _change(login, lambda user: set_disabled(user.id, False), "Enabled")


@users.command()
@click.argument("login")
def promote(login: str) -> None:
    """Make the person of this username or mail address an administrator."""
    _change(login, lambda user: set_admin(user.id, True), "Made an administrator of")


@users.command()
@click.argument("login")
def demote(login: str) -> None:
    """Take the administrator's rights from the person of this username or mail address."""
    _change(login, lambda user: set_admin(user.id, False), "No administrator any more:")


def _faults(error: ValidationError | Invalid) -> str:
    """Format faults, one line each, without the value, which may be the password."""
    if isinstance(error, Invalid):
        return "\n".join(fault["message"] for fault in error.extra["errors"])
    return "\n".join(f"{fault['loc'][0]}: {validation_message(fault)}" for fault in error.errors(include_input=False))


def _change(login: str, change: Callable[[User], User], done: str) -> None:
    with connected_application():
        try:
            user = change(find_user(login))
        except DomainError as error:
            raise click.ClickException(error.detail) from None
        click.echo(f"{done} {user.username} ({user.email})")
