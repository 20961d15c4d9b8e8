"""Redaction: secrets are hidden in log lines by the key of a value, by the form of a text, and by value (R-LOG 5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from backend.observability.log_lines import MOST_VALUE, shortened

HIDDEN = "[hidden]"
# Deeper structures are shown as text, and of longer ones only the beginning.
MOST_LEVELS, MOST_ITEMS = 4, 50
# Of a longer text the middle is left out before the forms are looked for.
MOST_TEXT = 40_000
# Shorter values stand in too many other texts.
SHORTEST_SECRET = 8

# The middle of names: `new_password`, `X-Api-Key`, `refresh_tokens`.
NAMES = (
    r"(?:passw(?:or)?d|passphrase|\bpwd|secret|token|authori[sz]ation|cookie|credential|signature"
    r"|session[_-]?id|(?:api|access|private|signing|encryption)[_-]?key)"
)
SECRET_KEY = re.compile(NAMES, re.IGNORECASE)
QUOTED_OR_WORD = r"""(?!['"]?\[hidden\])(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s&,;)}\]]+)"""
# The token in the address of a feed stands for its owner.
FEED_TOKEN = re.compile(r"(?<=/feeds/)(?!<|[0-9]+(?:[\s/?]|\Z))[^/\s?]+")
# Each of the forms below has one of these: most texts are looked through once.
MAY_HOLD_SECRETS = re.compile(r"[-._:=/]|AIza|A[KS]IA|\b(?:bearer|basic|digest|token)\s", re.IGNORECASE)
# All in linear time: what is logged may come from anybody. The order matters where one form holds another.
FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,40}-----)?"), HIDDEN),
    # JSON Web Tokens, also in a changed case; API tokens of Fuze.
    (re.compile(r"\beyj[\w-]{8,4000}(?:\.[\w-]+){1,4}", re.IGNORECASE), HIDDEN),
    (re.compile(r"\b(?:fz|fuze)_[0-9a-z]{20,}", re.IGNORECASE), HIDDEN),
    # Keys of providers: OpenAI and Anthropic, Google, GitHub, GitLab, Slack, AWS, Hugging Face, Groq, Stripe.
    (
        re.compile(
            r"\b(?:sk-[\w-]{8,}|AIza[\w-]{30,}|gh[a-z]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[a-z]-[\w-]{10,}"
            r"|A[KS]IA[0-9A-Z]{16}\b|hf_\w{20,}|gsk_\w{20,}|[rs]k_(?:live|test)_\w{10,})"
        ),
        HIDDEN,
    ),
    # Header fields: the whole value.
    (
        re.compile(r"\b((?:proxy-)?authori[sz]ation|(?:set-)?cookie)(['\"]?\s*[:=]\s*)[^\r\n]+", re.IGNORECASE),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"\b(bearer)(\s+)[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1\2{HIDDEN}"),
    # Their schemes are also common words.
    (re.compile(r"\b(basic|digest)(\s+)(?=\S*(?-i:[A-Z0-9=]))[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1\2{HIDDEN}"),
    # That of linkding's clients.
    (re.compile(r"\b(token)(\s+)(?=[\w.-]*[0-9])[\w.-]{16,}", re.IGNORECASE), rf"\1\2{HIDDEN}"),
    # URLs with a password, and secret parameters of others.
    # Passwords may hold blanks where nobody has encoded them; what looks like a port is none.
    (
        re.compile(r"(?<=://)([^\s/:@?#'\"]{0,256}):(?!\d{1,5}(?:[\s,;)]|$))[^/@'\"\r\n]{1,256}@"),
        rf"\1:{HIDDEN}@",
    ),
    (
        re.compile(r"([?&#;](?:key|code|sig|auth|jwt|pass|sid)=)[^\s&#'\"]+", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    (
        re.compile(rf"({NAMES}[\w-]{{0,24}}['\"]?\s{{0,4}}(?>=>?|:)\s{{0,4}}+){QUOTED_OR_WORD}", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    (FEED_TOKEN, HIDDEN),
)

# Also percent-encoded. Not in log lines, where operators look for them.
MAIL_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}")

_secrets: re.Pattern[str] | None = None


def hide_values(secrets: Iterable[str]) -> None:
    """Hide these values from now on, wherever they stand; short ones are left out."""
    global _secrets
    values = sorted({value for value in secrets if len(value) >= SHORTEST_SECRET}, key=len, reverse=True)
    _secrets = re.compile("|".join(map(re.escape, values))) if values else None


def redact(text: str) -> str:
    """Hide the secrets in a text; of a very long one the middle is left out."""
    if len(text) > MOST_TEXT:
        # Between words: half of a secret has not its form.
        head, tail = text[: MOST_TEXT // 4], text[-MOST_TEXT // 2 :]
        text = f"{head.rpartition(' ')[0]} […] {tail.partition(' ')[2]}"
    if _secrets is not None:
        text = _secrets.sub(HIDDEN, text)
    if MAY_HOLD_SECRETS.search(text) is None:
        return text
    for form, replacement in FORMS:
        text = form.sub(replacement, text)
    return text


def redact_for_others(text: str) -> str:
    """Hide secrets and mail addresses in a text that leaves this machine."""
    return MAIL_ADDRESS.sub(HIDDEN, redact(text))


def redact_fields(fields: Mapping[str, Any], levels: int = MOST_LEVELS) -> dict[str, Any]:
    """Hide values by their keys and forms, in nested structures too. Numbers are no secrets."""
    return {name: _redact_value(name, value, levels) for name, value in islice(fields.items(), MOST_ITEMS)}


def loggable_path(path: str) -> str:
    """Hide the secrets in a path."""
    return redact(path)


def _redact_value(name: str, value: Any, levels: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if SECRET_KEY.search(str(name)):
        return HIDDEN
    if isinstance(value, Mapping) and levels:
        return redact_fields({str(key): inner for key, inner in value.items()}, levels - 1)
    if isinstance(value, list | tuple | set | frozenset) and levels:
        return [_redact_value("", inner, levels - 1) for inner in islice(value, MOST_ITEMS)]
    return shortened(redact(value if isinstance(value, str) else _as_text(value)), MOST_VALUE)


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    try:
        return str(value)
    except Exception:
        # A value that cannot be shown must not fail what is logged with it.
        return f"<{type(value).__name__}>"
