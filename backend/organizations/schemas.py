"""What comes in and goes out under /organizations and /invitations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from backend.actor import Role
from backend.auth.schemas import Email
from backend.http.field_types import SafeText
from backend.http.schemas import OptionalRequestBody, Page, PageQuery, PatchBody, QueryParams, RequestBody, ResponseBody
from backend.organizations.models import Organization

NAME_SCHEMA = {
    "type": "string",
    "format": "name",
    "minLength": 1,
    "maxLength": 100,
    "examples": ["Analytical Engines"],
}
Name = Annotated[SafeText, Field(max_length=100, pattern=r"\S"), WithJsonSchema(NAME_SCHEMA)]
SLUG_SCHEMA = {
    "type": "string",
    "format": "slug",
    "minLength": 2,
    "maxLength": 64,
    "description": "Letters, digits and single hyphens between them; kept in lower case",
    "examples": ["analytical-engines"],
}
Slug = Annotated[
    SafeText,
    Field(
        min_length=2,
        max_length=64,
        pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$",
    ),
    AfterValidator(str.lower),
    WithJsonSchema(SLUG_SCHEMA),
]


class OrganizationIn(RequestBody):
    """A new organization."""

    name: Name
    slug: Slug | None = Field(None, description="Made from the name when left out")


class OrganizationPatch(PatchBody):
    """Changes to an organization."""

    name: Name | None = None
    slug: Slug | None = None


class OrganizationDeleteIn(OptionalRequestBody):
    """Proof that this organization is meant."""

    name: SafeText | None = Field(
        None, max_length=100, description="The organization's name, exactly", examples=["Analytical Engines"]
    )


class OrganizationDeleteQuery(QueryParams):
    """The same, for clients that send no body with DELETE."""

    name: SafeText | None = Field(None, max_length=100, description="The organization's name, where the body lacks it")


class OrganizationOut(ResponseBody):
    """An organization, as one of its members sees it."""

    id: int
    name: str
    slug: str
    personal: bool
    role: Role = Field(description="What the person may do there")
    created_at: datetime

    @classmethod
    def of(cls, organization: Organization, role: str) -> OrganizationOut:
        """The API's shape of a row, for a member of this role."""
        columns = {column.key: getattr(organization, column.key) for column in Organization.__table__.columns}
        return cls.model_validate({**columns, "role": role})


class OrganizationPage(Page[OrganizationOut]):
    """One page of organizations."""


class MemberPatch(RequestBody):
    """Another role."""

    role: Role


class MemberOut(ResponseBody):
    """A person who belongs to an organization."""

    user_id: int
    username: str
    email: str
    role: Role
    joined_at: datetime


class MemberPage(Page[MemberOut]):
    """One page of members."""


class InvitationIn(RequestBody):
    """Whom to invite."""

    email: Email
    role: Role


class InvitationOut(ResponseBody):
    """An invitation that is open."""

    id: int
    email: str
    role: Role
    expires_at: datetime
    created_at: datetime


class InvitationPage(Page[InvitationOut]):
    """One page of open invitations."""


class AcceptIn(RequestBody):
    """The token that came by mail."""

    token: SafeText = Field(max_length=200)


class OrganizationListQuery(PageQuery):
    """Which page."""


class MemberListQuery(PageQuery):
    """Which page."""


class InvitationListQuery(PageQuery):
    """Which page."""
