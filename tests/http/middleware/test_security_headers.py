"""The headers of R-HTTP 2 whose value depends on the request; tests/test_url_map.py has the rest."""

from __future__ import annotations

import pytest

from backend.http.middleware.security_headers import API_POLICY, DOCS_POLICY, HEADERS, PICTURES_POLICY
from tests.support.api import Api

pytestmark = pytest.mark.integration


def test_browsers_are_held_to_https_under_https_only(anonymous: Api) -> None:
    secure = anonymous.request("GET", "/api/health/live", base_url="https://fuze.example.org")
    plain = anonymous.request("GET", "/api/health/live", base_url="http://fuze.example.org")
    assert secure.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "Strict-Transport-Security" not in plain.headers


@pytest.mark.unit
def test_the_headers_are_those_of_the_requirements() -> None:
    assert HEADERS["X-Content-Type-Options"] == "nosniff"
    assert HEADERS["X-Frame-Options"] == "DENY"
    assert HEADERS["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert HEADERS["X-XSS-Protection"] == "1; mode=block"
    assert HEADERS["Permissions-Policy"]


@pytest.mark.unit
def test_no_policy_lets_a_script_run_that_is_not_a_file_of_ours() -> None:
    assert "default-src 'none'" in API_POLICY
    directives = dict(directive.strip().split(" ", 1) for directive in DOCS_POLICY.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'self'"
    assert directives["frame-ancestors"] == "'none'"
    assert directives["connect-src"] == "'self'"
    directives = dict(directive.strip().split(" ", 1) for directive in PICTURES_POLICY.split(";"))
    assert (directives.pop("style-src"), set(directives.values())) == ("'unsafe-inline'", {"'none'"})


@pytest.mark.parametrize("path", ["/api/docsx", "/api/docs-", "/api/v1/api/docs", "/api/v1/dashboard/charts"])
def test_looser_policies_are_for_docs_pages_and_pictures_alone(anonymous: Api, path: str) -> None:
    assert anonymous.get(path).headers["Content-Security-Policy"] == API_POLICY
