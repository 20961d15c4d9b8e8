"""Faults of language models, in sentences for the person. Never the provider's own text: it may quote the key."""

from __future__ import annotations

STATUSES = {
    400: "The provider does not take the request (400): check the model.",
    401: "The provider does not take the key (401).",
    402: "The provider wants to be paid first (402).",
    403: "The provider does not allow this with the key (403).",
    404: "The provider knows no such address or model (404): check the base URL and the model.",
    405: "There is no chat at this base URL (405).",
    429: "The provider takes no more requests for now, or the credit is used up (429).",
}
NOT_A_CHAT = "The answer is not one of an OpenAI-compatible chat: check the base URL."


class LlmFault(Exception):
    """No answer.

    Attributes:
        reason: a sentence for the person.
        is_charged: whether the provider may charge for the call all the same.
    """

    def __init__(self, reason: str, *, is_charged: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_charged = is_charged


class EndpointFault(LlmFault):
    """A fault of the endpoint itself, which would affect other calls too."""


def describe_status(status: int) -> str:
    """Describe a status other than 2xx."""
    if 300 <= status < 400:
        return f"The provider redirects ({status}): enter the address that it leads to."
    if status >= 500:
        return f"The provider has trouble of its own ({status})."
    return STATUSES.get(status, f"The provider refuses the request ({status}).")


def format_duration(seconds: float) -> str:
    """Format a duration in its largest unit, rounded up."""
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds > size:
            return _counted(-(-seconds // size), name)
    return _counted(max(1, -(-seconds // 1)), "second")


def _counted(number: float, name: str) -> str:
    return f"{number:.0f} {name}{'' if number == 1 else 's'}"
