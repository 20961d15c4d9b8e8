"""/feedback: what people say of recommendations."""

from __future__ import annotations

from flask import Blueprint

from backend.actor import Actor
from backend.http.operations import operation
from backend.recommendations import queries
from backend.recommendations.feedback import service as feedback
from backend.recommendations.schemas import FeedbackIn, FeedbackListQuery, FeedbackOut, FeedbackPage, FeedbackPut

blueprint = Blueprint("feedback", __name__, url_prefix="/feedback")


@blueprint.post("")
@operation(
    scope="recommendations:write",
    limit="write",
    tag="recommendations",
    responses={200: FeedbackOut, 201: FeedbackOut},
    changes="person",
)
def give_feedback(actor: Actor, json: FeedbackIn) -> tuple[FeedbackOut, int]:
    """Say what a bookmark is worth for a subject, or that it was opened or saved."""
    said, is_new = feedback.give_feedback(actor, json)
    return said, 201 if is_new else 200


@blueprint.get("")
@operation(scope="recommendations:read", limit="list", tag="recommendations", responses={200: FeedbackPage})
def list_feedback(actor: Actor, query: FeedbackListQuery) -> FeedbackPage:
    """List the person's own feedback."""
    return queries.list_feedback(actor, query)


@blueprint.put("/<id:feedback_id>")
@operation(
    scope="recommendations:write",
    limit="write",
    tag="recommendations",
    responses={200: FeedbackOut, 409: None},
    changes="person",
)
def correct_feedback(actor: Actor, feedback_id: int, json: FeedbackPut) -> FeedbackOut:
    """Correct feedback; it counts once."""
    return feedback.correct_feedback(actor, feedback_id, json)


@blueprint.delete("/<id:feedback_id>")
@operation(scope="recommendations:write", limit="write", tag="recommendations", responses={204: None}, changes="person")
def withdraw_feedback(actor: Actor, feedback_id: int) -> tuple[str, int]:
    """Take feedback back."""
    feedback.withdraw_feedback(actor, feedback_id)
    return "", 204
