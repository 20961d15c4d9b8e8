"""Furniture: what generators put into a text that is not part of it.

One table of rules: a class name, an attribute or a tag, and the condition under which the element is removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from backend.capture.extract.preparation.elements import classes_of, remove, text_of

Condition = Callable[[Any], bool]

_SIGNS = re.compile(r"[\s\u200b-\u200d\ufeff\ufe0e\ufe0f¶§#🔗↩↪⏎↑^⤴⬆\[\]\u2934\u21b5]*")
_PROMPT = re.compile(r"\s*(?:In|Out)?\s*\[[\s\d*]*\]\s*:?\s*")
_NUMBERS = re.compile(r"[\s\d]*")
_HIDDEN_STYLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "dt", "summary"))
MAX_DECORATION = 200  # Characters of an element that is hidden from screen readers only, and no content.
MAX_HIDDEN_SHARE = 0.3  # Of a page; where more is hidden, a script shows it.
MAX_CONTROL = 60  # Characters of a button that says what it does, and is no content.


def _always(_: Any) -> bool:
    return True


def _is_sign(element: Any) -> bool:
    return _SIGNS.fullmatch(text_of(element)) is not None and element.find(".//img") is None


def _is_numbers(element: Any) -> bool:
    return _NUMBERS.fullmatch(text_of(element)) is not None


def _is_prompt(element: Any) -> bool:
    return _PROMPT.fullmatch(text_of(element)) is not None or not text_of(element).strip()


def _is_short(element: Any) -> bool:
    return len(text_of(element).strip()) <= MAX_CONTROL


def _is_decoration(element: Any) -> bool:
    return len(text_of(element)) <= MAX_DECORATION and next(element.iter("p", "pre", "li", "table"), None) is None


def _is_control(element: Any) -> bool:
    in_heading = any(ancestor.tag in _HEADINGS for ancestor in element.iterancestors())
    return _is_short(element) and not in_heading


def _is_bar(element: Any) -> bool:
    return element.find(".//pre") is None and element.find(".//p") is None


def _named(names: str, condition: Condition) -> dict[str, Condition]:
    return dict.fromkeys(names.split(), condition)


# Class names of well-known generators, by what their elements are.
BY_CLASS: dict[str, Condition] = {
    # Permalinks: Sphinx, MkDocs, Docusaurus, Jupyter, GitHub, VitePress, AnchorJS, rustdoc, Hugo.
    **_named("headerlink anchor-link hash-link header-anchor heading-anchor anchorjs-link permalink anchor", _is_sign),
    **_named("heading-link headline-hash sl-anchor-link autolink doc-anchor self-link selflink", _is_sign),
    # Line numbers: Pygments, Rouge, Chroma, Prism, highlight.js, GitHub, Gitea, GitLab, Vim, SyntaxHighlighter.
    **_named("linenos linenodiv lineno linenum line-number line-numbers-rows gutter rouge-gutter lnt ln", _is_numbers),
    **_named("lnlinks lines-num blob-num hljs-ln-numbers LineNr diff-line-num code-line-number", _is_numbers),
    **_named("react-line-number react-code-line-number react-syntax-highlighter-line-number", _is_numbers),
    **_named("src-line-numbers crayon-nums line-num CodeMirror-linenumber rust-line-numbers", _is_numbers),
    # Copy buttons and the bars of listings.
    **_named("copybtn copy-btn copy-button btn-copy btn-clipboard copy-code-button clipboard-button", _is_short),
    **_named("copy-to-clipboard-button zeroclipboard-container snippet-clipboard-content-button", _is_short),
    **_named("code-copy md-clipboard code-block-copy toolbar buttonGroup select-all", _is_bar),
    # Edit links.
    **_named("mw-editsection theme-edit-this-page edit-this-page edit-page-link edit-link", _always),
    **_named("md-content__button page-edit editlink last-updated theme-last-updated sl-edit-link", _is_short),
    # Links back from a footnote to its place.
    **_named("footnote-backref footnote-back reversefootnote mw-cite-backlink footnote-return", _is_sign),
    **_named("data-footnote-backref fn-backref footnote-backlink", _is_sign),
    # Prompts of notebooks and consoles.
    **_named("jp-InputPrompt jp-OutputPrompt input_prompt output_prompt prompt", _is_prompt),
    # Buttons and teasers that WordPress puts into a post.
    **_named("sharedaddy jp-relatedposts jetpack-likes-widget-wrapper addtoany_share_save_container", _always),
    # For screen readers only.
    **_named("sr-only visually-hidden visuallyhidden screen-reader-text a11y-hidden is-sr-only", _is_decoration),
    **_named("skiplink skip-link skip-to-content skipToContent", _is_short),
    **_named("noprint mw-jump-link", _is_decoration),
}
BY_TAG: dict[str, Condition] = {
    "button": _is_control,
    "clipboard-copy": _always,
    "dialog": _always,
    "input": _always,
    "select": _always,
    "template": _always,
}
# An attribute, and what it must begin with.
BY_ATTRIBUTE: tuple[tuple[str, str, Condition], ...] = (
    ("aria-hidden", "true", _is_decoration),
    ("data-footnote-backref", "", _is_sign),
    ("data-line-number", "", _is_numbers),
    ("role", "doc-backlink", _is_sign),
    ("aria-label", "Permalink", _is_sign),
    ("aria-label", "Direct link to", _is_sign),
)


def remove_furniture(tree: Any) -> None:
    """Remove all that one of the rules calls furniture, and elements that the page hides."""
    most_hidden = MAX_HIDDEN_SHARE * len(text_of(tree))
    for element in list(tree.iter("*")):
        if element.getparent() is None or element.tag == "body" or (not element.attrib and element.tag not in BY_TAG):
            continue
        if _is_furniture(element) or (_is_hidden(element) and len(text_of(element)) <= most_hidden):
            remove(element)


def _is_furniture(element: Any) -> bool:
    if (condition := BY_TAG.get(element.tag)) and condition(element):
        return True
    for name in classes_of(element):
        if (condition := BY_CLASS.get(name)) and condition(element):
            return True
    if element.tag == "a" and (element.get("href") or "").startswith("#") and _is_sign(element):
        return bool(text_of(element).strip())
    return any(
        value.startswith(start) and rule(element)
        for name, start, rule in BY_ATTRIBUTE
        if (value := element.get(name)) is not None
    )


def _is_hidden(element: Any) -> bool:
    if "hidden" in element.attrib and element.get("hidden") != "until-found":
        return True
    return _HIDDEN_STYLE.search(element.get("style") or "") is not None
