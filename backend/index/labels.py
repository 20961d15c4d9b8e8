"""Labels: lexemes that restrict a search to an organization, a site or a language. All begin with a space, which no
word does."""

from __future__ import annotations

from collections.abc import Iterator

from backend.text.stemming import primary_tag


def organization_label(organization_id: int) -> str:
    """Return the label of an organization's documents."""
    return f" o{organization_id}"


def site_label(host: str) -> str:
    """Return the label of documents on a host or its subdomains."""
    return f" s{host}"


def language_label(tag: str) -> str:
    """Return the label of documents in a language, by its primary tag."""
    return f" l{tag}"


def generation_label(organization_id: int, generation: int) -> str:
    """Return the label of an organization's documents written in a generation of its statistics."""
    return f" g{organization_id}.{generation}"


def labels_of(organization_id: int, domain: str, language: str | None, generation: int) -> Iterator[str]:
    """Yield all labels of a bookmark.

    Args:
        organization_id: Its organization.
        domain: Its host, in normal form.
        language: BCP 47 tag that its page states.
        generation: The current generation of the organization's statistics.
    """
    yield organization_label(organization_id)
    yield generation_label(organization_id, generation)
    parts = domain.split(".")
    for start in range(max(1, len(parts) - 1)):
        yield site_label(".".join(parts[start:]))
    if tag := primary_tag(language):
        yield language_label(tag)
