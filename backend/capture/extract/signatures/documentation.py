"""Documentation generators."""

from __future__ import annotations

from backend.capture.extract.signatures.signature import PageSignature

_SPHINX = "[itemprop=articleBody],.bd-article,#furo-main-content,.body[role=main],.document[role=main],.rst-content"

DOCUMENTATION = (
    PageSignature(
        "Sphinx",
        (".wy-nav-content", ".sphinxsidebarwrapper", ".bd-article", "#furo-main-content", ".documentwrapper .body"),
        (*_SPHINX.split(","), ".documentwrapper .body"),
        drop=".contents.local,.wy-breadcrumbs,.rst-footer-buttons,.sphinxsidebar,nav,[role=navigation],footer,"
        ".prev-next-area,.related,.viewcode-link,.page-list",
    ),
    PageSignature(
        "Docusaurus",
        ("#__docusaurus",),
        (".theme-doc-markdown", "article .markdown", "article"),
        drop=".theme-doc-toc-mobile,.theme-doc-breadcrumbs,.theme-doc-version-badge,.pagination-nav,footer",
    ),
    PageSignature(
        "MkDocs Material",
        (".md-content .md-content__inner",),
        (".md-content__inner",),
        drop=".md-source-file,.md-feedback,.md-tags,form,nav",
    ),
    PageSignature("MkDocs", ("#mkdocs_search_modal",), ("[role=main]", ".col-md-9"), drop="nav,footer"),
    PageSignature("mdBook", ("#menu-bar #sidebar", "#mdbook-menu-bar"), ("main",), drop="nav,.nav-chapters"),
    PageSignature("Starlight", (".sl-markdown-content",), (".sl-markdown-content",), drop="nav,.pagination-links"),
    PageSignature("VitePress", (".vp-doc",), (".vp-doc",), drop="nav,footer"),
    PageSignature(
        "VuePress", (".theme-default-content",), (".theme-default-content",), drop="nav,footer,.table-of-contents"
    ),
    PageSignature("Docsy", (".td-content",), (".td-content",), drop=".td-page-meta,.feedback--title,nav,.td-toc"),
    PageSignature("Hugo Book", (".book-page",), (".book-page article", ".book-page"), drop="nav,footer,.book-toc"),
    PageSignature("Docsify", (".markdown-section",), (".markdown-section",)),
    PageSignature("Nextra", (".nextra-content",), (".nextra-content main", ".nextra-content"), drop="nav,.nextra-toc"),
    PageSignature("MDN", (".main-page-content",), (".main-page-content",), drop=".prev-next,nav,.article-footer"),
    PageSignature(
        "rustdoc",
        (".rustdoc #main-content", ".rustdoc #main"),
        ("#main-content", "#main"),
        drop=".out-of-band,.src,.srclink,.rightside,#copy-path,rustdoc-toolbar,.search-form,.collapse-toggle,"
        ".rustdoc-breadcrumbs,.notable-traits,.tooltip,#blanket-implementations-list,#synthetic-implementations-list",
    ),
    PageSignature(
        "Go packages",
        (".go-Main .Documentation-content", ".UnitDoc", ".Documentation-overview"),
        (".UnitReadme,.Documentation-content", ".Documentation", ".UnitDoc"),
        drop=".Documentation-toc,.Documentation-indexHeader,.Documentation-index,nav,.Documentation-source,"
        ".Documentation-sinceVersion,.UnitReadme-expandLink",
    ),
    PageSignature(
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
    PageSignature(
        "Doxygen", ("#doc-content .contents",), ("#doc-content .contents",), drop=".toc,.permalink,.dynheader"
    ),
    PageSignature("pdoc", (".pdoc .docstring",), ("main.pdoc", ".pdoc"), drop="nav,.view-source-button,.pdoc-code"),
    PageSignature(
        "TypeDoc", (".tsd-panel",), (".col-content",), drop=".tsd-breadcrumb,nav,.tsd-sources,.tsd-index-panel"
    ),
    PageSignature("Godot and other class references", (".classref-section",), ("[role=main]",), drop="nav,footer"),
    PageSignature("Confluence", ("#main-content .wiki-content",), ("#main-content",)),
    PageSignature("DokuWiki", ("#dokuwiki__content",), ("#dokuwiki__content .page",), drop="#dw__toc,.secedit"),
    PageSignature(
        "GNU texinfo", (".nav-panel .contents", ".top-level-extent"), ("body",), drop=".nav-panel,.contents,.header"
    ),
)
