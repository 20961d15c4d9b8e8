"""How many SQL statements a request about organizations takes: no more for more members."""

from __future__ import annotations

import pytest

from tests.organizations.teams import Outbox, fill_with_members, invite, make_team
from tests.support.api import Api
from tests.support.sql import SqlCounter

pytestmark = [pytest.mark.integration, pytest.mark.requires_db]


@pytest.mark.parametrize("number", [1, 30])
def test_a_list_takes_three_and_a_single_read_two(ada: Api, team: int, sql: SqlCounter, number: int) -> None:
    fill_with_members(ada, team, number - 1)
    invitations = f"/organizations/{team}/invitations"
    with sql.at_most(3):
        assert ada.get(invitations).json["total"] == 0
    for place in range(number):
        ada.post(invitations, {"email": f"{place}@example.org", "role": "viewer"})
        make_team(ada, f"Team {place}")
    for path, total in (
        ("/organizations", number + 2),
        (f"/organizations/{team}/members", number),
        (invitations, number),
    ):
        with sql.at_most(3):
            assert ada.get(path, page_size=100).json["total"] == total
        cursor = ada.get(path, page_size=1).json["next_cursor"]
        if cursor:
            with sql.at_most(3):
                assert ada.get(path, cursor=cursor).status_code == 200
    with sql.at_most(2):
        assert ada.get(f"/organizations/{team}").status_code == 200


@pytest.mark.parametrize("number", [1, 30])
def test_a_write_takes_no_more_with_more_members(
    ada: Api, bob: Api, team: int, sql: SqlCounter, outbox: Outbox, number: int
) -> None:
    fill_with_members(ada, team, number - 1)
    with sql.at_most(11):
        assert invite(ada, team, bob).status_code == 201
    with sql.at_most(8):
        assert bob.post("/invitations/accept", {"token": outbox.token(bob)}).status_code == 200
    # With the role go the person's jobs, open invitations and remembered answers: a statement each.
    with sql.at_most(10):
        assert ada.patch(f"/organizations/{team}/members/{bob.user_id}", {"role": "viewer"}).status_code == 200
    with sql.at_most(10):
        assert ada.delete(f"/organizations/{team}/members/{bob.user_id}").status_code == 204
    with sql.at_most(5):
        assert ada.patch(f"/organizations/{team}", {"name": "New"}).status_code == 200
    with sql.at_most(8):
        assert ada.request("DELETE", f"/organizations/{team}", json={"name": "New"}).status_code == 204
