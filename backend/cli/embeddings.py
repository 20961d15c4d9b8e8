"""Commands on the vectors by which bookmarks are found by meaning."""

from __future__ import annotations

import time

import click

from backend.ai.embeddings.provider import EmbeddingProvider, EmbeddingsUnavailable
from backend.ai.service import embedding_provider
from backend.cli.application import connected_application
from backend.extensions import current_settings, db
from backend.index.embedding_rebuild import (
    count_missing_vectors,
    embedding_status,
    ensure_index,
    mark_for_rebuild,
    remove_superseded,
)
from backend.index.embeddings import embed_next_batch
from backend.index.messages import embed_message
from backend.jobs.queue import send

PROGRESS_SECONDS = 5.0
# Bookmarks that a worker has claimed are done by it, or come back.
CLAIMED_SECONDS = 2.0


@click.group("embeddings")
def embeddings() -> None:
    """Look at the vectors of bookmarks, or move them to the model that the settings name."""


@embeddings.command()
def status() -> None:
    """Tell the model, the vectors of every model, and how many bookmarks wait."""
    with connected_application():
        settings = current_settings()
        found = embedding_status(settings.EMBEDDING_DIMENSION)
        click.echo(f"Provider:  {settings.EMBEDDING_PROVIDER}")
        click.echo(f"Model:     {settings.EMBEDDING_MODEL}")
        click.echo(f"Dimension: {settings.EMBEDDING_DIMENSION}")
        click.echo(f"Index:     {'ready' if found.indexed else 'none'}")
        click.echo(f"Waiting:   {found.pending}")
        for one in found.models:
            click.echo(f"Vectors:   {one.vectors} of {one.model} ({one.dimension}), organizations: {one.organizations}")


@embeddings.command()
@click.option("--organization", type=click.IntRange(min=1), help="The id of one organization; without it, all.")
@click.option("--wait", is_flag=True, help="Make the vectors here and now, beside the worker.")
def rebuild(organization: int | None, wait: bool) -> None:
    """Make the vectors that are missing under the model of the settings; then remove other models'.

    Search goes on: a bookmark whose vector is still to be made is found by its words. Safe to run again.
    """
    with connected_application():
        settings = current_settings()
        if settings.EMBEDDING_PROVIDER == "none":
            raise click.ClickException("EMBEDDING_PROVIDER is none: there is no model to move to.")
        if not ensure_index(settings.EMBEDDING_DIMENSION):
            click.echo(
                "Without the index, search by meaning compares all vectors. Run this again for it; the owner of the"
                " tables builds it, whom DATABASE_MIGRATION_URL names.",
                err=True,
            )
        marked = mark_for_rebuild(settings.EMBEDDING_MODEL, settings.EMBEDDING_DIMENSION, organization)
        click.echo(f"To be embedded by {settings.EMBEDDING_MODEL}: {marked}")
        if wait:
            _work_off(organization)
        else:
            send([embed_message()])
        removed = remove_superseded(settings.EMBEDDING_MODEL, settings.EMBEDDING_DIMENSION, organization)
        click.echo(f"Vectors of other models removed: {removed}")


def _work_off(organization: int | None) -> None:
    try:
        provider = embedding_provider(interactive=False)
        while waiting := _waiting(organization):
            click.echo(f"Waiting: {waiting}", err=True)
            if not _embed_for_a_while(provider):
                time.sleep(CLAIMED_SECONDS)
    except EmbeddingsUnavailable as fault:
        raise click.ClickException(f"{fault.reason} What is missing stays marked: run this again.") from None


def _embed_for_a_while(provider: EmbeddingProvider) -> bool:
    end = time.monotonic() + PROGRESS_SECONDS
    while found := embed_next_batch(provider):
        if time.monotonic() > end:
            break
    return found > 0


def _waiting(organization: int | None) -> int:
    waiting = count_missing_vectors(organization)
    db.session.commit()
    return waiting
