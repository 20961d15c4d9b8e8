"""Code hosts and package indexes."""

from __future__ import annotations

from backend.capture.extract.signatures.signature import PageSignature

REPOSITORIES = (
    PageSignature("GitHub file", (".react-code-lines",), (".react-code-lines",)),
    PageSignature("GitHub file of older versions", (".js-file-line-container",), (".blob-wrapper",)),
    PageSignature("Gitea file", (".file-view .lines-code", ".file-view .code-view"), (".file-view",)),
    PageSignature("GitLab file", (".blob-viewer",), (".blob-viewer",), drop=".line-numbers,.file-title"),
    PageSignature("cgit file", (".blob .lines",), (".blob .lines",)),
    PageSignature("Markdown of GitHub", (".markdown-body",), ("article.markdown-body", ".markdown-body")),
    PageSignature("Markdown of Gitea", (".file-view .markup",), (".file-view .markup", ".file-view")),
    PageSignature("GitLab wiki or README", (".file-content .md", ".wiki .md"), (".file-content .md", ".wiki .md")),
    PageSignature("PyPI", (".project-description",), (".project-description",)),
    PageSignature("npm", ("#tabpanel-readme", "#readme"), ("#tabpanel-readme article", "#tabpanel-readme", "#readme")),
    PageSignature("RubyGems", (".gem__desc",), (".gem__desc",)),
    PageSignature("Hugging Face", (".model-card-content",), (".model-card-content .prose", ".model-card-content")),
)
