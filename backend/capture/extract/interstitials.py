"""Interstitial pages: bot challenges, blocks, login and consent walls that are answered in place of the page.

One table of signatures. A signature holds where all of its conditions hold; most hold only for pages with little text,
so that a page about challenges is not taken for one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CHALLENGE = "The site first checks whether a person is asking, and gave no page to Fuze."
BLOCKED = "The site refuses to give this page to programs."
LOGIN = "The site asks for a login before it shows this page."
CONSENT = "The site asks for consent to cookies before it shows this page."

# Characters of visible text. The explanations of firewalls are shorter than an article; a notice is a few sentences.
LITTLE_TEXT, NOTICE_TEXT, FEW_WORDS, LINE_TEXT, ANY_TEXT = 2_000, 600, 200, 60, 1_000_000
SCANNED_MARKUP = 300_000


@dataclass(frozen=True)
class ShownPage:
    """What a page shows of itself: title, markup, visible text, and its URL with the one that was asked for."""

    title: str
    markup: str
    text: str
    url: str
    requested_url: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Signature:
    """Conditions that an interstitial page fulfils; those that are not given hold for every page.

    Attributes:
        name: the product, or the kind of page.
        reason: a sentence for the person who saved the link.
        headers: patterns of whole header values, by lower-case name.
        title: pattern of the whole title.
        title_part: pattern of the title or of a part of it: sites sign their titles.
        markup: pattern within the markup.
        text: pattern within the visible text.
        address: pattern within host and path of the URL.
        unrequested: pattern that host and path of the requested URL do not match: who saves a login page means it.
        longest_text: longest visible text.
    """

    name: str
    reason: str
    headers: Mapping[str, str] = field(default_factory=dict)
    title: str | None = None
    title_part: str | None = None
    markup: str | None = None
    text: str | None = None
    address: str | None = None
    unrequested: str | None = None
    longest_text: int = LITTLE_TEXT

    @property
    def is_in_headers(self) -> bool:
        """Whether the headers alone tell."""
        return not any((self.title, self.title_part, self.markup, self.text, self.address))


LOGIN_INPUT = r"<input\b[^>]{0,300}\btype\s*=\s*[\"']?password"
LOGIN_WORDS = (
    r"(?:please )?(?:log|sign)[ -]?(?:in|on)(?: (?:to|with|or|required)\b.{0,60})?|login(?: required)?"
    r"|(?:authentication|registration) required|member login|anmelden|anmeldung|einloggen|connexion|se connecter"
    r"|iniciar sesi[oó]n|inicia sesi[oó]n|accedi|inloggen|aanmelden|logga in|log ind|logg inn|zaloguj się|entrar"
    r"|вход|войти|登录|登入|ログイン|サインイン|로그인"
)
LOGIN_ADDRESS = (
    r"^accounts\.google\.com/|^login\.(?:microsoftonline|live|yahoo)\.com/|\.(?:okta|auth0)\.com/"
    r"|/(?:log-?in|log_in|sign-?in|sign_in|logon|signon|authwall|sso|saml2?|wp-login\.php|users/sign_in|session/new)"
    r"(?:[/.]|$)"
)
CONSENT_ADDRESS = (
    r"^consent\.(?:google|youtube|yahoo)\.[a-z.]+/|^(?:guce|consent)\.|^guce\.(?:oath|advertising)\.com/|^myprivacy\."
)
HUMAN_TITLES = (
    r"just a moment(?:\.\.\.|…)?|one moment,? please(?:\.\.\.|…)?|please wait(?:\.\.\.|…)?|robot check"
    r"|(?:security|browser|bot) (?:check|verification|checkpoint)|human verification|client challenge|captcha"
    r"|are you (?:a )?(?:robot|human)\??|verify(?:ing)? (?:that )?you(?: are|'re) (?:a )?human(?:\.\.\.|…)?"
    r"|checking your browser(?: before accessing.*)?(?:\.\.\.|…)?|pardon our interruption(?:\.\.\.|…)?"
    r"|attention required!?(?: \| cloudflare)?|loading challenge|vérification de sécurité|un momento(?:\.\.\.|…)?"
    r"|(?:nur )?einen moment(?:,? bitte)?(?:\.\.\.|…)?|un instant(?:\.\.\.|…)?"
)
HUMAN_WORDS = (
    r"enable (?:javascript|js|cookies)|javascript (?:is disabled|is required|and cookies)|not a (?:ro)?bot"
    r"|(?:are|you're|you are) (?:a )?human|checking (?:your|the) browser|verify(?:ing)? (?:that )?you|security check"
    r"|site connection is secure|review the security of your connection|unusual (?:traffic|activity)|captcha"
    r"|automated (?:access|requests|queries)|turn on javascript|performing security verification"
)
DENIED_WORDS = (
    r"(?:do not|don't) have (?:permission|access)|(?:been|is|was) (?:blocked|denied|restricted)|reference #|incident id"
    r"|\bray id|your ip|security (?:service|policy|solution|system)|not (?:allowed|authori[sz]ed|permitted)|request id"
    r"|you are (?:blocked|unable to access)|automated"
)
CHALLENGE_SENTENCES = (
    r"checking (?:your|the) browser before accessing|checking if the site connection is secure"
    r"|(?:verify|confirm)(?:ing)? (?:that )?you(?: are|'re) (?:a )?human"
    r"|(?:verify|confirm) (?:that )?you are not a (?:ro)?bot"
    r"|complete the (?:security check|captcha) to (?:access|continue)"
)
LOGIN_SENTENCES = (
    r"\b(?:log|sign)[ -]?in to (?:access|continue|read|see|view)\b"
    r"|you (?:must|need to) (?:be )?(?:log|sign)(?:ged|ned)?[ -]?in"
)
AKAMAI_REFERENCE = r"errors\.edgesuite\.net|reference(?:\s|&#32;){0,3}(?:#|&#35;)"
DENIED_TITLES = r"(?:403 )?(?:access denied|access forbidden|forbidden)[.!]?"
CONSENT_TITLES = (
    r"before you continue(?: to .{1,60})?|bevor (?:sie fortfahren|du .{1,40}weitergehst|sie .{1,40}fortfahren).{0,40}"
    r"|avant d['’]accéder .{1,40}|antes de (?:ir|continuar).{0,40}|prima di continuare.{0,40}"
    r"|(?:cookie|privacy)[ -](?:consent|wall|gate|settings)|consent(?: required)?|.{1,40} privacy gate"
    r"|we value your privacy|your privacy choices"
)
ACCEPTING = r"accept|agree|consent|reject|akzeptieren|zustimmen|accepter|aceptar|accetta|accepteren"

SIGNATURES = (
    Signature("Cloudflare challenge", CHALLENGE, headers={"cf-mitigated": "challenge"}),
    Signature("Vercel challenge", CHALLENGE, headers={"x-vercel-mitigated": "challenge"}),
    Signature("AWS challenge", CHALLENGE, headers={"x-amzn-waf-action": "challenge|captcha"}),
    Signature("Sucuri block", BLOCKED, headers={"x-sucuri-block": ".+"}),
    Signature("Cloudflare script", CHALLENGE, markup=r"_cf_chl_opt\b|/cdn-cgi/challenge-platform/h/\w/orchestrate"),
    Signature("Cloudflare text", CHALLENGE, markup="enable javascript and cookies to continue", longest_text=FEW_WORDS),
    Signature("Cloudflare server", CHALLENGE, headers={"server": "cloudflare"}, title=HUMAN_TITLES),
    Signature("Cloudflare block", BLOCKED, markup=r"cf-error-details|cf-ray-id|ray id", text="been blocked|banned you"),
    Signature("Cloudflare restriction", BLOCKED, title=r"access denied \| .{1,100} used cloudflare .*"),
    Signature("Akamai block", BLOCKED, title="access denied", markup=AKAMAI_REFERENCE),
    Signature("Akamai server", BLOCKED, headers={"server": "akamaighost"}, title="access denied"),
    Signature("Akamai challenge", CHALLENGE, markup=r"sec-if-cpt-container|/_sec/cp_challenge/"),
    Signature("AWS script", CHALLENGE, markup=r"awsWafCookieDomainList|\bgokuProps\b"),
    Signature("HUMAN challenge", CHALLENGE, markup=r"\bid=[\"']px-captcha|_pxAppId\b", text="human|robot|denied"),
    Signature("HUMAN block", BLOCKED, title=r"access to this page has been denied\.?"),
    Signature("DataDome challenge", CHALLENGE, markup=r"//(?:geo|ct|interstitial)\.captcha-delivery\.com/"),
    Signature("Imperva block", BLOCKED, markup="incapsula incident id"),
    Signature("Imperva challenge", CHALLENGE, markup=r"<iframe\b[^>]{0,300}_Incapsula_Resource"),
    Signature("Sucuri challenge", CHALLENGE, markup="sucuri_cloudproxy_js"),
    Signature("Sucuri notice", BLOCKED, title="sucuri website firewall - access denied"),
    Signature("DDoS-Guard challenge", CHALLENGE, markup=r"/\.well-known/ddos-guard/(?:js-challenge|check)"),
    Signature("DDoS-Guard server", CHALLENGE, headers={"server": "ddos-guard"}, title="ddos-guard|" + HUMAN_TITLES),
    Signature("Anubis challenge", CHALLENGE, markup=r"id=[\"']?anubis_challenge\b"),
    Signature("Vercel checkpoint", CHALLENGE, title="vercel security checkpoint"),
    Signature("Google check", CHALLENGE, markup=r"id=[\"']?captcha-form\b", text="unusual traffic"),
    Signature("Amazon check", CHALLENGE, markup="/errors/validateCaptcha"),
    Signature("challenge by words", CHALLENGE, title=HUMAN_TITLES, markup=HUMAN_WORDS),
    Signature("challenge without text", CHALLENGE, title=HUMAN_TITLES, longest_text=LINE_TEXT),
    Signature("challenge by text", CHALLENGE, text=CHALLENGE_SENTENCES, longest_text=NOTICE_TEXT),
    Signature("block by words", BLOCKED, title=DENIED_TITLES, text=DENIED_WORDS, longest_text=NOTICE_TEXT),
    Signature("block without text", BLOCKED, title=DENIED_TITLES, longest_text=LINE_TEXT),
    Signature("login page", LOGIN, title_part=LOGIN_WORDS, markup=LOGIN_INPUT, unrequested=LOGIN_ADDRESS),
    Signature("login form", LOGIN, text=LOGIN_SENTENCES, markup=LOGIN_INPUT, unrequested=LOGIN_ADDRESS,
              longest_text=NOTICE_TEXT),
    Signature("redirect to a login form", LOGIN, address=LOGIN_ADDRESS, markup=LOGIN_INPUT,
              unrequested=LOGIN_ADDRESS),
    Signature("redirect to a login page", LOGIN, address=LOGIN_ADDRESS, title_part=LOGIN_WORDS,
              unrequested=LOGIN_ADDRESS),
    Signature("redirect to a consent page", CONSENT, address=CONSENT_ADDRESS, unrequested=CONSENT_ADDRESS,
              longest_text=ANY_TEXT),
    Signature("consent page", CONSENT, title_part=CONSENT_TITLES, markup=r"<(?:form|button)\b", text=ACCEPTING),
)  # fmt: skip

HEADER_NAMES = frozenset(name for signature in SIGNATURES for name in signature.headers)
_TITLE_PARTS = re.compile(r"\s+[-–—|·•:»]\s+")


def interstitial_by_headers(headers: Mapping[str, str]) -> Signature | None:
    """Return the signature that the headers of a response fulfil alone."""
    found = (one for one in SIGNATURES if one.is_in_headers and _headers_match(one, headers))
    return next(found, None)


def interstitial(page: ShownPage) -> Signature | None:
    """Return the first signature that a page fulfils; None for a page of its own."""
    title = " ".join(page.title.split())
    markup = page.markup[:SCANNED_MARKUP]
    return next((one for one in SIGNATURES if not one.is_in_headers and _matches(one, page, title, markup)), None)


def _matches(signature: Signature, page: ShownPage, title: str, markup: str) -> bool:
    return (
        len(page.text) <= signature.longest_text
        and _headers_match(signature, page.headers)
        and (signature.title is None or _whole(signature.title, title))
        and (signature.title_part is None or any(_whole(signature.title_part, part) for part in _parts(title)))
        and (signature.text is None or _within(signature.text, page.text))
        and (signature.markup is None or _within(signature.markup, markup))
        and (signature.address is None or _within(signature.address, _place(page.url)))
        and (signature.unrequested is None or not _within(signature.unrequested, _place(page.requested_url)))
    )


def _parts(title: str) -> list[str]:
    return [title, *_TITLE_PARTS.split(title)]


def _headers_match(signature: Signature, headers: Mapping[str, str]) -> bool:
    return all(_whole(pattern, headers.get(name, "").strip()) for name, pattern in signature.headers.items())


def _place(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return (parts.hostname or "") + parts.path


def _whole(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text, re.IGNORECASE) is not None


def _within(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None
