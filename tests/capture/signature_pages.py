"""Small pages in the markup of each generator and site that has a signature; {0}, or {who} and {what}, is the text."""

# ruff: noqa: E501 — markup is easier to compare on one line.
from __future__ import annotations

# Posts, by the name of their signature; the page holds three of them.
THREADS = {
    "phpBB": '<div class="post"><dl class="postprofile"><dt><a class="username">{who}</a></dt></dl><div class="postbody"><div class="content">{what}</div><div class="signature">sig</div></div></div>',
    "XenForo": '<article class="message"><a class="username">{who}</a><div class="message-body">{what}</div></article>',
    "MyBB": '<div id="posts"><div class="post"><div class="author_information"><span class="largetext">{who}</span></div><div class="post_body">{what}</div></div></div>',
    "Discourse": '<div class="crawler-post"><span itemprop="name">{who}</span><div class="post" itemprop="text">{what}</div></div>',
    "vBulletin": '<li class="postbit"><a class="username">{who}</a><blockquote class="postcontent">{what}</blockquote><div class="signature">sig</div></li>',
    "Simple Machines": '<div class="post_wrapper"><div class="poster"><h4><a>{who}</a></h4><ul><li>Member</li></ul></div><div class="postarea"><div class="post"><div class="inner">{what}</div></div></div></div>',
    "Flarum": '<article class="CommentPost"><span class="username">{who}</span><div class="Post-body">{what}</div><aside class="Post-footer">reply</aside></article>',
    "Hacker News": '<table class="comment-tree"><tr class="comtr"><td><a class="hnuser">{who}</a><div class="commtext">{what}</div><div class="reply">reply</div></td></tr></table>',
    "Lobsters": '<div class="comments_subtree"><div class="comment"><div class="byline"><a class="u-author">{who}</a></div><div class="comment_text">{what}</div></div></div>',
    "old Reddit": '<div class="thing"><div class="entry"><a class="author">{who}</a><div class="usertext-body"><div class="md">{what}</div></div></div></div>',
    "Stack Exchange": '<div class="answer"><div class="js-post-body">{what}</div><div class="user-details"><a>{who}</a></div></div>',
    "GitHub issues": '<div class="timeline-comment"><a class="author">{who}</a><div class="comment-body">{what}</div></div>',
    "GitLab issues": '<ul class="issuable-discussion"><li class="note"><span class="note-header-author-name">{who}</span><div class="note-text">{what}</div></li></ul>',
    "Gitea issues": '<div class="timeline-item"><div class="comment-header"><a class="author">{who}</a></div><div class="render-content">{what}</div></div>',
    "HyperKitty": '<div class="email"><div class="email-author"><span class="name">{who}</span></div><div class="email-body">{what}</div></div>',
    "Bugzilla": '<div class="bz_comment"><span class="bz_comment_user"><span class="fn">{who}</span></span><div class="bz_comment_text">{what}</div></div>',
    "Jira": '<div class="activity-comment"><a class="user-hover">{who}</a><div class="action-body">{what}</div></div>',
    "Trac": '<div class="change"><span class="trac-author">{who}</span><div class="comment searchable">{what}</div></div>',
    "discussion in microdata": '<div itemtype="https://schema.org/Comment"><b itemprop="author"><i itemprop="name">{who}</i></b><div itemprop="text">{what}</div><p>reply</p></div>',
    "questions and answers in microdata": '<div itemtype="http://schema.org/Answer"><b itemprop="author">{who}</b><div itemprop="text">{what}</div><p>reply</p></div>',
}
# What of a thread stands before its posts, where a signature looks for it.
BEFORE = {
    "Jira": '<div id="description-val"></div>',
    "Trac": '<div id="ticket"><div class="description"></div></div>',
    "discussion in microdata": '<div itemtype="https://schema.org/DiscussionForumPosting"></div>',
    "questions and answers in microdata": '<div itemtype="http://schema.org/QAPage"></div>',
}

DOCUMENTS = {
    "GNU Mailman archive": '<div class="htMessage">{0}</div><p>Built</p>',
    "Sphinx": '<div class="wy-nav-content"><div itemprop="articleBody">{0}</div><footer>Built</footer></div>',
    "Docusaurus": '<div id="__docusaurus"><article><div class="theme-doc-markdown">{0}</div><footer>Built</footer></article></div>',
    "MkDocs Material": '<div class="md-content"><article class="md-content__inner">{0}</article>Built</div>',
    "MkDocs": '<div id="mkdocs_search_modal"></div><div class="col-md-9" role="main">{0}<footer>Built</footer></div>',
    "mdBook": '<div id="menu-bar">Built</div><div id="sidebar">Built</div><main>{0}</main>',
    "Starlight": '<div class="sl-markdown-content">{0}</div><p>Built</p>',
    "VitePress": '<div class="vp-doc">{0}</div><p>Built</p>',
    "VuePress": '<div class="theme-default-content">{0}<div class="table-of-contents">Built</div></div><p>Built</p>',
    "Docsy": '<div class="td-content">{0}<div class="td-page-meta">Built</div></div><p>Built</p>',
    "Hugo Book": '<div class="book-page"><article>{0}</article><footer>Built</footer></div>',
    "Docsify": '<article class="markdown-section">{0}</article><p>Built</p>',
    "Nextra": '<article class="nextra-content"><main>{0}<nav>Built</nav></main></article>',
    "MDN": '<article class="main-page-content">{0}<div class="article-footer">Built</div></article><p>Built</p>',
    "rustdoc": '<div class="rustdoc"><section id="main-content">{0}<a class="src">Built</a></section><p>Built</p></div>',
    "Go packages": '<main class="go-Main"><nav>Built</nav><div class="Documentation-content">{0}<div class="Documentation-index">Built</div></div></main>',
    "Javadoc": '<main><nav class="sub-nav">Built</nav><section id="class-description">{0}</section></main><p>Built</p>',
    "Doxygen": '<div id="doc-content"><div class="header">Built</div><div class="contents"><div class="toc">Built</div>{0}</div></div>',
    "pdoc": '<main class="pdoc"><nav>Built</nav><div class="docstring">{0}</div></main>',
    "TypeDoc": '<div class="col-content"><ul class="tsd-breadcrumb"><li>Built</li></ul><section class="tsd-panel">{0}</section></div><p>Built</p>',
    "Godot and other class references": '<div role="main"><section class="classref-section">{0}</section><footer>Built</footer></div>',
    "Confluence": '<div id="main-content" class="wiki-content">{0}</div><p>Built</p>',
    "DokuWiki": '<div id="dokuwiki__content"><div class="page"><div id="dw__toc">Built</div>{0}</div></div><p>Built</p>',
    "MediaWiki": '<div class="mw-parser-output">{0}<div class="navbox">Built</div></div>',
    "arXiv abstract": '<div id="abs"><blockquote class="abstract"><span class="descriptor">Built</span>{0}</blockquote></div><p>Built</p>',
    "LaTeXML": '<article class="ltx_document"><nav class="ltx_TOC">Built</nav>{0}</article><footer>Built</footer>',
    "mandoc": '<div class="manual-text">{0}</div><p>Built</p>',
    "mandoc of Debian and Arch": '<div class="mandoc">{0}</div><p>Built</p>',
    "RFC in HTML": '<div class="rfcmarkup"><span class="grey">Built</span>{0}</div><p>Built</p>',
    "Jupyter notebook": '<div class="jp-Notebook"><div>{0}</div></div><p>Built</p>',
    "older Jupyter notebook": '<div id="notebook-container"><div>{0}</div></div><p>Built</p>',
    "Quarto": '<main id="quarto-document-content">{0}<nav>Built</nav></main><div id="quarto-margin-sidebar">Built</div>',
    "reveal.js slides": '<div class="reveal"><div class="slides"><section>{0}</section></div></div><p>Built</p>',
    "GitHub file": '<div class="react-code-lines"><div class="react-code-line-contents">{0}</div></div><p>Built</p>',
    "GitHub file of older versions": '<div class="blob-wrapper"><table class="js-file-line-container"><tr><td class="blob-num">1</td><td>{0}</td></tr></table></div><p>Built</p>',
    "Gitea file": '<div class="file-view"><table><tr><td class="lines-code"><code>{0}</code></td></tr></table></div><p>Built</p>',
    "GitLab file": '<div class="blob-viewer"><div class="line-numbers">1</div><pre>{0}</pre></div><p>Built</p>',
    "cgit file": '<table class="blob"><tr><td class="linenumbers"></td><td class="lines"><pre>{0}</pre></td></tr></table><p>Built</p>',
    "Markdown of GitHub": '<article class="markdown-body">{0}</article><p>Built</p>',
    "Markdown of Gitea": '<div class="file-view"><div class="markup">{0}</div></div><p>Built</p>',
    "GitLab wiki or README": '<div class="file-content"><div class="md">{0}</div></div><p>Built</p>',
    "PyPI": '<div class="project-description">{0}</div><p>Built</p>',
    "npm": '<div id="tabpanel-readme"><article>{0}</article></div><p>Built</p>',
    "RubyGems": '<div class="gem__desc">{0}</div><p>Built</p>',
    "Hugging Face": '<div class="model-card-content"><div class="prose">{0}</div></div><p>Built</p>',
}
# These call the whole body the text, so nothing stands beside it but what is dropped.
WHOLE_BODIES = {
    "man7.org": '<div class="page-top">Built</div><div class="nav-bar">Built</div>{0}<div class="footer">Built</div>',
    "GNU texinfo": '<div class="nav-panel">Built</div><div class="top-level-extent">{0}</div>',
}
