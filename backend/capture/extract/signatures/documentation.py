"""Documentation generators."""

from __future__ import annotations

from backend.capture.extract.signatures.signature import Signature

_SPHINX = "[itemprop=articleBody],.bd-article,#furo-main-content,.body[role=main],.document[role=main],.rst-content"

DOCUMENTATION = (
    Signature(
        "Sphinx",
        (".wy-nav-content", ".sphinxsidebarwrapper", ".bd-article", "#furo-main-content", ".documentwrapper .body"),
        (*_SPHINX.split(","), ".documentwrapper .body"),
        drop=".contents.local,.wy-breadcrumbs,.rst-footer-buttons,.sphinxsidebar,nav,[role=navigation],footer,"
        ".prev-next-area,.related,.viewcode-link,.page-list",
    ),
    Signature(
        "Docusaurus",
        ("#__docusaurus",),
        (".theme-doc-markdown", "article .markdown", "article"),
        drop=".theme-doc-toc-mobile,.theme-doc-breadcrumbs,.theme-doc-version-badge,.pagination-nav,footer",
    ),
    Signature(
        "MkDocs Material",
        (".md-content .md-content__inner",),
        (".md-content__inner",),
        drop=".md-source-file,.md-feedback,.md-tags,form,nav",
    ),
    Signature("MkDocs", ("#mkdocs_search_modal",), ("[role=main]", ".col-md-9"), drop="nav,footer"),
    Signature("mdBook", ("#menu-bar #sidebar", "#mdbook-menu-bar"), ("main",), drop="nav,.nav-chapters"),
    Signature("Starlight", (".sl-markdown-content",), (".sl-markdown-content",), drop="nav,.pagination-links"),
    Signature("VitePress", (".vp-doc",), (".vp-doc",), drop="nav,footer"),
    Signature(
        "VuePress", (".theme-default-content",), (".theme-default-content",), drop="nav,footer,.table-of-contents"
    ),
    Signature("Docsy", (".td-content",), (".td-content",), drop=".td-page-meta,.feedback--title,nav,.td-toc"),
    Signature("Hugo Book", (".book-page",), (".book-page article", ".book-page"), drop="nav,footer,.book-toc"),
    Signature("Docsify", (".markdown-section",), (".markdown-section",)),
    Signature("Nextra", (".nextra-content",), (".nextra-content main", ".nextra-content"), drop="nav,.nextra-toc"),
    Signature("MDN", (".main-page-content",), (".main-page-content",), drop=".prev-next,nav,.article-footer"),
    Signature(
        "rustdoc",
        (".rustdoc #main-content", ".rustdoc #main"),
        ("#main-content", "#main"),
        drop=".out-of-band,.src,.srclink,.rightside,#copy-path,rustdoc-toolbar,.search-form,.collapse-toggle,"
        ".rustdoc-breadcrumbs,.notable-traits,.tooltip,#blanket-implementations-list,#synthetic-implementations-list",
    ),
    Signature(
        "Go packages",
        (".go-Main .Documentation-content", ".UnitDoc", ".Documentation-overview"),
        (".UnitReadme,.Documentation-content", ".Documentation", ".UnitDoc"),
        drop=".Documentation-toc,.Documentation-indexHeader,.Documentation-index,nav,.Documentation-source,"
        ".Documentation-sinceVersion,.UnitReadme-expandLink",
    ),
    Signature(
        "Javadoc",
        (
            "#class-description",
            ".class-declaration-page",
            ".package-declaration-page",
            ".contentContainer .description",
        ),
        ("main", ".contentContainer"),
        drop="nav,.sub-nav,.subNav,.topNav,.bottomNav,.sub-title,.inheritance,footer,.table-tabs",
    ),
    Signature("Doxygen", ("#doc-content .contents",), ("#doc-content .contents",), drop=".toc,.permalink,.dynheader"),
    Signature("pdoc", (".pdoc .docstring",), ("main.pdoc", ".pdoc"), drop="nav,.view-source-button,.pdoc-code"),
    Signature("TypeDoc", (".tsd-panel",), (".col-content",), drop=".tsd-breadcrumb,nav,.tsd-sources,.tsd-index-panel"),
    Signature("Godot and other class references", (".classref-section",), ("[role=main]",), drop="nav,footer"),
    Signature("Confluence", ("#main-content .wiki-content",), ("#main-content",)),
    Signature("DokuWiki", ("#dokuwiki__content",), ("#dokuwiki__content .page",), drop="#dw__toc,.secedit"),
    Signature(
        "GNU texinfo", (".nav-panel .contents", ".top-level-extent"), ("body",), drop=".nav-panel,.contents,.header"
    ),
)
