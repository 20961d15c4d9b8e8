"""/profile/ai: the person's own LLM provider."""

from __future__ import annotations

from flask import Blueprint, url_for

from backend.actor import Actor
from backend.http.operations import operation
from backend.jobs.schemas import JobOut
from backend.profile.ai import service as ai_service
from backend.profile.schemas import AiProviderIn, AiProviderOut, AiUsageOut

blueprint = Blueprint("profile_ai", __name__, url_prefix="/profile/ai")


@blueprint.get("")
@operation(scope="login", limit="read", tag="profile", responses={200: AiProviderOut})
def read_provider(actor: Actor) -> AiProviderOut:
    """Read which LLM provider you have set."""
    return ai_service.read_provider(actor)


@blueprint.put("")
@operation(scope="login", limit="write", tag="profile", responses={200: AiProviderOut})
def set_provider(actor: Actor, json: AiProviderIn) -> AiProviderOut:
    """Set your own LLM provider."""
    return ai_service.set_provider(actor, json)


@blueprint.delete("")
@operation(scope="login", limit="write", tag="profile", responses={204: None})
def delete_provider(actor: Actor) -> tuple[str, int]:
    """Forget your LLM provider and its key."""
    ai_service.delete_provider(actor)
    return "", 204


@blueprint.get("/usage")
@operation(scope="login", limit="read", tag="profile", responses={200: AiUsageOut})
def read_usage(actor: Actor) -> AiUsageOut:
    """Read what language models were asked for you, and how much is left of the server's."""
    return ai_service.read_usage(actor)


@blueprint.post("/test")
@operation(scope="login", limit="write", tag="profile", responses={202: JobOut})
def test_provider(actor: Actor) -> tuple[JobOut, int, dict[str, str]]:
    """Ask your LLM provider for one token."""
    job = ai_service.request_test(actor)
    return JobOut.of(job), 202, {"Location": url_for("jobs.read_job", job_id=job.id)}
