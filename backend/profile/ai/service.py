"""The person's own LLM provider."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from backend.actor import Actor
from backend.ai.credentials import server_credentials
from backend.ai.llm.usage import read_user_usage
from backend.ai.models import AiProvider
from backend.auth.events import record_event
from backend.auth.remaining_access import lock_for_new_access
from backend.auth.service import get_user
from backend.clock import utc_now
from backend.encryption import encrypt
from backend.errors import Invalid, NotFound
from backend.extensions import current_settings, db
from backend.jobs.models import Job
from backend.jobs.queue import send
from backend.jobs.service import add_job, job_message
from backend.outbound.addresses import is_permitted, literal_address
from backend.outbound.failures import FetchError
from backend.outbound.urls import parse_url
from backend.profile.schemas import AiCapsOut, AiPeriodOut, AiProviderIn, AiProviderOut, AiUsageOut
from backend.profile.service import in_personal_organization

# Of a shorter key, four characters would reveal too much.
HINTED_LENGTH = 12


def read_provider(actor: Actor) -> AiProviderOut:
    """Read the provider that the person has set.

    Raises:
        NotFound: there is none.
    """
    provider = db.session.get(AiProvider, actor.user_id)
    if provider is None:
        raise NotFound
    return _out(provider)


def set_provider(actor: Actor, data: AiProviderIn) -> AiProviderOut:
    """Set the provider; without a key, the stored one stays.

    Raises:
        Invalid: the address cannot be used, or names another server than that of the stored key.
        Unauthenticated: the session has just been revoked.
    """
    _refuse_address(data.base_url)
    # Concurrent requests wait here for each other.
    lock_for_new_access(actor)
    provider = db.session.get(AiProvider, actor.user_id, populate_existing=True)
    if provider is None:
        provider = AiProvider(user_id=actor.user_id, base_url=data.base_url)
        db.session.add(provider)
    _refuse_to_send_key_elsewhere(provider, data)
    provider.base_url, provider.model, provider.updated_at = data.base_url, data.model, utc_now()
    if data.api_key is not None:
        provider.api_key_encrypted = encrypt(data.api_key)
        provider.api_key_hint = f"…{data.api_key[-4:]}" if len(data.api_key) >= HINTED_LENGTH else None
    record_event(actor.user_id, "ai_key_changed", detail={"action": "set", "host": urlsplit(data.base_url).hostname})
    db.session.commit()
    return _out(provider)


def delete_provider(actor: Actor) -> None:
    """Delete the provider and its key.

    Raises:
        NotFound: there is none.
    """
    provider = db.session.get(AiProvider, actor.user_id)
    if provider is None:
        raise NotFound
    db.session.delete(provider)
    record_event(actor.user_id, "ai_key_changed", detail={"action": "deleted"})
    db.session.commit()


def request_test(actor: Actor) -> Job:
    """Queue a job that asks the provider for one token.

    Raises:
        NotFound: no provider is set.
    """
    read_provider(actor)
    job = add_job(in_personal_organization(actor, get_user(actor)), "ai_test", {})
    db.session.commit()
    send([job_message(job)])
    return job


def read_usage(actor: Actor) -> AiUsageOut:
    """Read the person's provider and their usage: two statements."""
    settings = current_settings()
    own, servers = db.session.get(AiProvider, actor.user_id), server_credentials(settings)
    provider = own or servers
    today, month = read_user_usage(actor.user_id)
    return AiUsageOut(
        provider="own" if own else "server" if servers else None,
        model=provider.model if provider else None,
        today=AiPeriodOut.model_validate(today),
        month=AiPeriodOut.model_validate(month),
        caps=AiCapsOut(daily_tokens=settings.LLM_DAILY_TOKENS, monthly_tokens=settings.LLM_MONTHLY_TOKENS),
    )


def _out(provider: AiProvider) -> AiProviderOut:
    return AiProviderOut(
        base_url=provider.base_url,
        model=provider.model,
        has_api_key=provider.api_key_encrypted is not None,
        api_key_hint=provider.api_key_hint,
        updated_at=provider.updated_at,
    )


def _refuse_address(base_url: str) -> None:
    """Refuse an address that is wrong without DNS; the worker checks what names resolve to."""
    try:
        address = parse_url(base_url)
    except FetchError as error:
        raise Invalid.field("body.base_url", error.reason, "base_url") from None
    if set(base_url) & set("?#") or any(character.isspace() for character in base_url):
        raise Invalid.field("body.base_url", "A base URL has no query, fragment or spaces.", "base_url")
    literal = literal_address(address.raw_host.decode("ascii"))
    if literal is not None and not is_permitted(literal, current_settings().AI_ALLOWED_NETWORKS):
        message = "This address is not on the public internet, and the operator does not allow it."
        raise Invalid.field("body.base_url", message, "private_address")


def _refuse_to_send_key_elsewhere(provider: AiProvider, data: AiProviderIn) -> None:
    # A stolen session must not send the stored key to another server.
    has_key = provider.api_key_encrypted is not None and data.api_key is None
    if has_key and _server(provider.base_url) != _server(data.base_url):
        raise Invalid.field("body.api_key", "The stored key is for another server: give it again.", "api_key_required")


def _server(base_url: str) -> tuple[str, bytes, int | None]:
    address: httpx.URL = parse_url(base_url)
    return address.scheme, address.raw_host, address.port
