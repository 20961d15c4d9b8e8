"""Sections that hold no steps: introductions, references, navigation and questions."""

from __future__ import annotations

import re

from backend.text.sort_keys import bare_words

_PHRASES = """
    about|about me|actual|actual result|expected|expected result|steps to reproduce|how to reproduce
    about the author|about us|acceptance criteria|acknowledgements|acknowledgments|additional resources
    appendix|author|authors|background|benefits|bibliography|changelog|citations|comments|conclusion|conclusions
    contact|contents|context|copyright|credits|definition of done|discussion|external links|faq|faqs
    feedback|final thoughts|footer|footnotes|frequently asked questions|further reading|further resources|glossary
    goal|goals|help|in this article|intro|introduction|key takeaways|learn more|leave a comment|leave a reply|license
    licence|links|more information|motivation|navigation|newsletter|next|next steps|non goals|note|notes
    objective|objectives|on this page|other resources|out of scope|overview|preface|prerequisite|prerequisites|previous
    purpose|recap|recommended|recommended reading|references|related|related articles|related content|related links
    related posts|related reading|resources|see also|share|share this|similar articles|sources
    sponsors|subscribe|summary|support|table of contents|takeaways|thanks|the bottom line|tl dr|tldr|tags|toc
    troubleshooting|useful links|what s next|what you need|what you will need|what you ll need|before you begin
    before you start|where to go from here|wrap up|wrapping up|you will need|you might also like|you may also like

    abschluss|abgrenzung|akzeptanzkriterien|allgemeines|anhang|anmerkung|anmerkungen|ausblick|autor
    das brauchst du|das könnte dich auch interessieren|danksagung|einführung|einleitung|einzelnachweise|fazit|fragen
    häufige fragen|häufig gestellte fragen|hintergrund|hinweis|hinweise|impressum|inhalt|inhaltsverzeichnis|kommentare
    kontakt|kontext|literatur|motivation|nächste schritte|newsletter|nicht enthalten|nicht im umfang|notiz|notizen
    quelle|quellen|resümee|schluss|schritte zum reproduzieren
    schlussfolgerung|schlusswort|siehe auch|teilen|verwandte artikel|verweise
    voraussetzung|voraussetzungen|vorwort|weblinks|weiterführende links|weitere informationen|weitere artikel|ziel
    ziele|zum weiterlesen|zusammenfassung|überblick|übersicht|über den autor|über die autorin|über mich|über uns

    conclusión|introducción|referencias|resumen|véase también|requisitos|enlaces externos|índice
    références|résumé|sommaire|voir aussi|prérequis|liens externes|conclusione|introduzione|riferimenti|vedi anche
    conclusie|inleiding|zie ook|referenties|conclusão|introdução|referências|ver também|заключение|введение|ссылки
    см также|литература|содержание|参考|参考文献|まとめ|はじめに|関連記事|总结|结论|简介|目录|另见|相关文章|概述
"""
NON_STEP_SECTIONS = frozenset(phrase.strip() for phrase in _PHRASES.replace("\n", "|").split("|") if phrase.strip())
# Questions and explanations are no steps.
QUESTION = re.compile(
    r"(?:what|why|who|when)\s+(?:is|are|was|does|do|s|should)\b|why\b|who\b|was\s+(?:ist|sind|bedeutet)\b|warum\b|wieso\b"
    r"|.*[?？]\s*$",
    re.IGNORECASE,
)


def is_non_step_section(line: str) -> bool:
    """Tell whether a heading, or the line before a list, begins a section without steps."""
    return bare_words(line) in NON_STEP_SECTIONS


def is_explanation(heading: str) -> bool:
    """Tell whether a heading is a question or an explanation."""
    return QUESTION.match(heading.strip()) is not None
