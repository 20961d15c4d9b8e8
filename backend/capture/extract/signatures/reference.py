"""Encyclopedias, papers, manuals, notebooks and slides."""

from __future__ import annotations

from backend.capture.extract.signatures.signature import Signature

REFERENCE = (
    Signature(
        "MediaWiki",
        (".mw-parser-output",),
        ("#mw-content-text .mw-parser-output", ".mw-parser-output"),
        drop=".navbox,.hatnote,.toc,#toc,.vertical-navbox,.sistersitebox,.side-box,.ambox,.noprint,.portalbox,.catlinks,"
        ".printfooter,.shortdescription,.authority-control,.mw-empty-elt,.mw-references-columns,.navbar,.sidebar,"
        ".mw-indicators,.magnify,.portal-bar,.stub",
    ),
    Signature("arXiv abstract", ("#abs .abstract",), ("#abs .abstract",), drop=".descriptor"),
    Signature(
        "LaTeXML", (".ltx_document",), (".ltx_document",), drop=".ltx_TOC,.ltx_page_footer,nav,.ltx_role_affiliation"
    ),
    Signature(
        "man7.org",
        (".page-top .nav-bar", ".sec-table .headline"),
        ("body",),
        drop=".nav-bar,.nav-table,.sec-table,.footer,.top-link,.page-top,form",
    ),
    Signature("mandoc", (".manual-text",), (".manual-text",)),
    Signature("mandoc of Debian and Arch", (".mandoc",), (".mandoc",)),
    Signature("RFC in HTML", (".rfcmarkup",), (".rfcmarkup",), drop=".noprint,.grey"),
    Signature("Jupyter notebook", (".jp-Notebook",), (".jp-Notebook main", "body.jp-Notebook", ".jp-Notebook")),
    Signature("older Jupyter notebook", ("#notebook-container",), ("#notebook-container",)),
    Signature(
        "Quarto", ("#quarto-document-content",), ("#quarto-document-content",), drop="#quarto-margin-sidebar,nav"
    ),
    Signature(
        "reveal.js slides", (".reveal .slides", ".reveal"), (".reveal .slides", ".reveal"), drop=".notes,.controls"
    ),
)
