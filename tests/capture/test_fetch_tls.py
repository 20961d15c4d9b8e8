"""Certificates are checked against the host's name, whatever address is connected (DESIGN 7)."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from backend.capture.fetch import fetch_page
from backend.outbound import transport
from tests.capture.fetching import ENDLESS, HTML, PUBLIC, Names, bounds, failure, given_up
from tests.capture.local_server import LocalServer, redirect, response, running

pytestmark = pytest.mark.unit

NAMES = Names({"site.example": [[PUBLIC]], "other.example": [[PUBLIC]]})


def certify(folder: Path, name: str, days: int = 1) -> Path:
    """A self-signed certificate for a name, with its key, that runs out in `days`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}{days}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate for site.example that the fetch is made to trust."""
    certificate = certify(tmp_path, "site.example")
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(transport, "trusted_context", lambda: context)
    return certificate


def test_a_certificate_of_the_right_name_is_accepted_and_named_in_sni(trusted: Path) -> None:
    asked_for: list[str | None] = []
    context = serving(trusted)
    context.sni_callback = lambda connection, name, _: asked_for.append(name)
    with running(PUBLIC, tls=context) as server:
        server.answers["/"] = response(body=HTML, content_type="text/html")
        page = fetch_page(server.url(host="site.example.", scheme="https"), bounds(NAMES))
    assert page.body == HTML
    assert page.url == server.url(host="site.example", scheme="https")
    assert asked_for == ["site.example"]


@pytest.mark.parametrize("host", ["other.example", PUBLIC])
def test_a_certificate_of_another_name_is_refused(host: str, trusted: Path) -> None:
    with running(PUBLIC, tls=serving(trusted)) as server:
        refusal = failure(server.url(host=host, scheme="https"), bounds(NAMES))
    assert not refusal.retryable
    assert "certificate" in refusal.reason
    assert server.requests == []


def test_a_certificate_that_ran_out_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = certify(tmp_path, "site.example", days=-1)
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(transport, "trusted_context", lambda: context)
    with running(PUBLIC, tls=serving(certificate)) as server:
        assert not failure(server.url(host="site.example", scheme="https"), bounds(NAMES)).retryable


def test_a_self_signed_certificate_is_refused(tmp_path: Path) -> None:
    with running(PUBLIC, tls=serving(certify(tmp_path, "site.example"))) as server:
        refusal = failure(server.url(host="site.example", scheme="https"), bounds(NAMES))
    assert not refusal.retryable
    assert "certificate" in refusal.reason
    assert server.requests == []


def test_a_redirect_may_lead_from_https_to_http(trusted: Path, server: LocalServer) -> None:
    server.answers["/plain"] = response(body=HTML)
    with running(PUBLIC, tls=serving(trusted)) as secure:
        secure.answers["/"] = redirect(server.url("/plain", host="site.example"), set_cookie="secret=1")
        page = fetch_page(secure.url(host="site.example", scheme="https"), bounds(NAMES))
    assert page.url == server.url("/plain", host="site.example")
    assert "cookie" not in server.requests[0].headers


def test_a_handshake_that_the_server_breaks_off_may_be_tried_again(trusted: Path) -> None:
    context = serving(trusted)
    context.sni_callback = lambda connection, name, _: ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
    with running(PUBLIC, tls=context) as server:
        assert failure(server.url(host="site.example", scheme="https"), bounds(NAMES)).retryable


def test_a_handshake_that_stalls_ends_at_the_deadline(trusted: Path) -> None:
    context = serving(trusted)
    context.sni_callback = lambda connection, name, _: time.sleep(ENDLESS)
    with running(PUBLIC, tls=context) as server:
        given_up(server.url(host="site.example", scheme="https"), bounds(NAMES, timeout_seconds=0.3))
