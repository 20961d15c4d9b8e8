"""Command line: the embedded stack and the operator's commands.

In: arguments and settings. Out: running processes, changes of the database, text on standard output.
Called as `python -m backend`; each command imports its module when it runs.
"""

from __future__ import annotations

from importlib import import_module

import click

from config import VERSION

COMMANDS = {
    "up": ("backend.cli.up", "up", "Run all of Fuze in the foreground, until Ctrl-C."),
    "worker": ("backend.cli.worker", "worker", "Work off the queue of jobs."),
    "scheduler": (
        "backend.cli.scheduler",
        "scheduler",
        "Send due and lost jobs to the queue, every minute.",
    ),
    "create-user": ("backend.cli.people", "create_user", "Make an account."),
    "users": (
        "backend.cli.people",
        "users",
        "List and check accounts, disable or enable them, make administrators.",
    ),
    "demo": ("backend.cli.demo.command", "demo", "Make an account with a small, made-up collection to try."),
    "rotate-keys": ("backend.cli.encryption", "rotate_keys", "Encrypt what is stored with the present SECRET_KEY."),
    "db": (
        "backend.cli.database",
        "database",
        "Change the version of the database's tables, or report on their state.",
    ),
    "backup": ("backend.cli.backup", "backup", "Save the database and the data directory in a file, or verify one."),
    "restore": ("backend.cli.backup", "restore", "Load a backup; Fuze must be stopped."),
    "embeddings": (
        "backend.cli.embeddings",
        "embeddings",
        "Look at the vectors for search by meaning, or move to another model.",
    ),
    "activity": (
        "backend.cli.activity",
        "activity",
        "Count the activity log again, or make its partitions.",
    ),
    "digests": ("backend.cli.digests", "digests", "Look at the weekly mail of a person."),
    "cache": ("backend.cli.cache", "cache", "Look at the cache, empty it or fill it."),
    "limiter": ("backend.cli.limits", "limiter", "Look at the rate limits of routes, or clear a caller's."),
    "routes": ("backend.cli.contract", "routes", "List every route."),
    "openapi": ("backend.cli.contract", "openapi", "Print the OpenAPI document."),
    "env-example": ("backend.cli.env_example", "env_example", "Print .env.example: every setting."),
    "config-docs": (
        "backend.cli.config_docs",
        "config_docs",
        "Print docs/configuration.md: every setting with its values.",
    ),
}


class LazyGroup(click.Group):
    """Command group that imports a command's module only when it runs: `up` does not need the whole application."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="Fuze", message="%(prog)s %(version)s")
def main() -> None:
    """Fuze: a self-hosted backend for what people save to read and use."""
