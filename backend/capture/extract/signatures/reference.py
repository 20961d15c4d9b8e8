"""Encyclopedias, papers, manuals, notebooks and slides."""

from __future__ import annotations

from backend.capture.extract.signatures.signature import PageSignature

REFERENCE = (
    PageSignature(
        "MediaWiki",
        (".mw-parser-output",),
        ("#mw-content-text .mw-parser-output", ".mw-parser-output"),
        drop=".navbox,.hatnote,.toc,#toc,.vertical-navbox,.sistersitebox,.side-box,.ambox,.noprint,.portalbox,.catlinks,"
        ".printfooter,.shortdescription,.authority-control,.mw-empty-elt,.mw-references-columns,.navbar,.sidebar,"
        ".mw-indicators,.magnify,.portal-bar,.stub",
    ),
    PageSignature("arXiv abstract", ("#abs .abstract",), ("#abs .abstract",), drop=".descriptor"),
    PageSignature(
        "LaTeXML", (".ltx_document",), (".ltx_document",), drop=".ltx_TOC,.ltx_page_footer,nav,.ltx_role_affiliation"
    ),
    PageSignature(
        "man7.org",
        (".page-top .nav-bar", ".sec-table .headline"),
        ("body",),
        drop=".nav-bar,.nav-table,.sec-table,.footer,.top-link,.page-top,form",
    ),
    PageSignature("mandoc", (".manual-text",), (".manual-text",)),
    PageSignature("mandoc of Debian and Arch", (".mandoc",), (".mandoc",)),
    PageSignature("RFC in HTML", (".rfcmarkup",), (".rfcmarkup",), drop=".noprint,.grey"),
    PageSignature("Jupyter notebook", (".jp-Notebook",), (".jp-Notebook main", "body.jp-Notebook", ".jp-Notebook")),
    PageSignature("older Jupyter notebook", ("#notebook-container",), ("#notebook-container",)),
    PageSignature(
        "Quarto", ("#quarto-document-content",), ("#quarto-document-content",), drop="#quarto-margin-sidebar,nav"
    ),
    PageSignature(
        "reveal.js slides", (".reveal .slides", ".reveal"), (".reveal .slides", ".reveal"), drop=".notes,.controls"
    ),
)
