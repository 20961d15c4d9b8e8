"""Commands on encrypted values."""

from __future__ import annotations

import click

from backend.ai.key_rotation import rotate_keys as rotate
from backend.cli.application import connected_application


@click.command("rotate-keys")
def rotate_keys() -> None:
    """Encrypt everything that is stored encrypted with the present SECRET_KEY.

    Set a new SECRET_KEY, put the old one into PREVIOUS_SECRET_KEYS, restart, run this; then take the old one out. Safe
    to break off and to run again.
    """
    with connected_application():
        done = rotate()
        click.echo(f"Encrypted again: {done.renewed}")
        click.echo(f"With the present key already: {done.current}")
        if done.unreadable:
            raise click.ClickException(f"{done.unreadable} can be read with none of the keys; left as they are.")
