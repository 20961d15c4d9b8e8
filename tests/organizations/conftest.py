"""What is mailed and recorded while a test runs."""

from __future__ import annotations

from typing import Any

import pytest

from backend.jobs.queue import Message
from backend.organizations import invitations, members, service
from tests.organizations.teams import Outbox, make_team
from tests.support.api import Api


@pytest.fixture(autouse=True)
def outbox(monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """Remembers what is mailed: only the mail holds the token."""
    outbox = Outbox()
    add_mail = invitations.add_mail

    def remember(to: str, template: str, values: dict[str, str]) -> Message:
        outbox.mails.append((to, template, values))
        return add_mail(to, template, values)

    monkeypatch.setattr(invitations, "add_mail", remember)
    return outbox


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str, Any, Any]]:
    """Security events as they are recorded: person, kind, organization, detail."""
    recorded: list[tuple[int, str, Any, Any]] = []
    record_event = service.record_event

    def remember(user_id: int, kind: str, *, organization_id: int | None = None, detail: Any = None) -> None:
        recorded.append((user_id, kind, organization_id, detail))
        record_event(user_id, kind, organization_id=organization_id, detail=detail)

    for module in (service, members, invitations):
        monkeypatch.setattr(module, "record_event", remember)
    return recorded


@pytest.fixture
def team(ada: Api) -> int:
    """An organization of Ada's."""
    return make_team(ada)
