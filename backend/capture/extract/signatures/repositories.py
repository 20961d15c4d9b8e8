"""Code hosts and package indexes."""

from __future__ import annotations

from backend.capture.extract.signatures.signature import Signature

REPOSITORIES = (
    Signature("GitHub file", (".react-code-lines",), (".react-code-lines",)),
    Signature("GitHub file of older versions", (".js-file-line-container",), (".blob-wrapper",)),
    Signature("Gitea file", (".file-view .lines-code", ".file-view .code-view"), (".file-view",)),
    Signature("GitLab file", (".blob-viewer",), (".blob-viewer",), drop=".line-numbers,.file-title"),
    Signature("cgit file", (".blob .lines",), (".blob .lines",)),
    Signature("Markdown of GitHub", (".markdown-body",), ("article.markdown-body", ".markdown-body")),
    Signature("Markdown of Gitea", (".file-view .markup",), (".file-view .markup", ".file-view")),
    Signature("GitLab wiki or README", (".file-content .md", ".wiki .md"), (".file-content .md", ".wiki .md")),
    Signature("PyPI", (".project-description",), (".project-description",)),
    Signature("npm", ("#tabpanel-readme", "#readme"), ("#tabpanel-readme article", "#tabpanel-readme", "#readme")),
    Signature("RubyGems", (".gem__desc",), (".gem__desc",)),
    Signature("Hugging Face", (".model-card-content",), (".model-card-content .prose", ".model-card-content")),
)
