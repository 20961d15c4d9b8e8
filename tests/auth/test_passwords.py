"""Which passwords will do."""

from __future__ import annotations

import pytest

from backend.auth.passwords import common_passwords, password_fault

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "password",
    [
        "password123",
        "PASSWORD1234",
        "Password123!",
        "P@ssw0rd2026!",
        "qwertyuiop",
        "1q2w3e4r5t",
        "basketball",  # Among the first thousands of every leak, and a word besides.
        "administrator",
        "letmein1234",
        "1234567890",
        "12345678901234567890",
        "0987654321",
        "abcdefghij",
        "ZYXWVUTSRQ",
        "adminadmin",
        "passwordpassword",
        "aaaaaaaaaa",
        "abcabcabcabc",
        "\U0001f680" * 12,
    ],
)
def test_what_is_tried_first_will_not_do(password: str) -> None:
    fault = password_fault(password, "ada", "ada@example.org")
    assert fault == "This password is among the most common ones."


@pytest.mark.parametrize(
    ("password", "email"),
    [
        ("A-Long-Username", "ada@example.org"),
        ("\uff21-long-username", "ada@example.org"),
        ("Long@Example.org", "long@example.org"),
        ("long-before-the-sign", "long-before-the-sign@example.org"),
        ("long@xn--bcher-kva.example", "long@b\u00fccher.example"),
    ],
)
def test_the_own_name_and_address_will_not_do(password: str, email: str) -> None:
    fault = password_fault(password, "a-long-username", email)
    assert fault == "The password must differ from the username and the mail address."


@pytest.mark.parametrize("password", ["short", "123456789", "x" * 129])
def test_others_are_too_short_or_too_long(password: str) -> None:
    assert "10 to 128 characters" in (password_fault(password, "ada", "ada@example.org") or "")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "TestPass123!",
        "S3curePassw0rd!",
        "8374629105",
        "\u4e09\u5f20\u674e\u56db\u738b\u4e94\u8d75\u516d\u94b1\u4e03",
        "x7" * 4 + "y" * 120,
    ],
)
def test_others_will_do(password: str) -> None:
    assert password_fault(password, "ada", "ada@example.org") is None


def test_the_list_is_long_and_has_what_is_frequent_as_a_word_too() -> None:
    assert len(common_passwords()) > 90_000
    assert {"password", "basketball", "washington", "jonathan"} <= common_passwords()
