"""Threads: forums, questions with answers, comments that are the page, issue trackers, mailing lists."""

from __future__ import annotations

from backend.capture.extract.signatures.signature import PageSignature

THREADS = (
    PageSignature(
        "Hacker News",
        (".fatitem .commtext", ".comment-tree", ".fatitem .toptext"),
        (".toptext,.commtext",),
        post=".fatitem,.comtr",
        author=".hnuser",
        drop=".reply",
    ),
    PageSignature(
        "Stack Exchange",
        (".js-post-body", ".s-prose .postcell"),
        (".js-post-body,.comment-copy", ".s-prose"),
        post=".question,.answer",
        author=".user-details[itemprop=author] a,.user-details a",
        drop=".post-notice",
    ),
    PageSignature(
        "phpBB",
        (".postbody .postprofile", "#phpbb .postbody"),
        (".content",),
        post=".post",
        author=".username,.username-coloured,.author strong",
        drop=".signature,.notice",
    ),
    PageSignature(
        "XenForo",
        (".message .message-body",),
        (".message-body",),
        post=".message",
        author=".username,.message-name",
        drop=".message-signature,.message-attribution,.message-lastEdit,.bbCodeBlock-expandLink,.js-selectToQuoteEnd",
    ),
    PageSignature(
        "MyBB",
        ("#posts .post_body",),
        (".post_body",),
        post=".post",
        author=".author_information .largetext,.post_author a",
        drop=".signature,.post_edit",
    ),
    PageSignature(
        "Discourse",
        (".crawler-post", ".topic-post .cooked"),
        (".post[itemprop=text]", ".post[itemprop=articleBody]", ".cooked", ".post"),
        post=".crawler-post,.topic-post",
        author="[itemprop=name],.names .username,.username",
        drop=".crawler-post-meta,.post-likes,.cooked-selection-barrier,.lightbox .meta",
    ),
    PageSignature(
        "vBulletin",
        (".postcontent .postbit", ".postcontainer .postcontent", ".b-post__content"),
        (".postcontent", ".js-post__content-text", ".b-post__content"),
        post=".postcontainer,.postbit,.b-post",
        author=".username,.author",
        drop=".signature",
    ),
    PageSignature(
        "Simple Machines",
        (".post_wrapper .postarea",),
        (".post .inner", ".inner", ".post"),
        post=".post_wrapper",
        author=".poster h4 a,.poster h4",
        drop=".signature,.modified",
    ),
    PageSignature(
        "Flarum", (".Post-body",), (".Post-body",), post=".Post,.CommentPost", author=".username", drop=".Post-footer"
    ),
    PageSignature(
        "old Reddit",
        (".usertext-body .thing",),
        (".usertext-body .md", ".usertext-body"),
        post=".entry",
        author=".author",
    ),
    PageSignature(
        "Lobsters",
        (".comments_subtree .comment_text", ".comment_text .story_liner", ".comment_text .byline"),
        (".comment_text,.story_text",),
        post=".story,.story_content,.comment",
        author=".u-author,.byline a[href^=/~],.byline a[href^=/u/]",
    ),
    PageSignature(
        "GitHub issues",
        (
            ".timeline-comment .comment-body",
            ".react-issue-body",
            ".react-issue-comment",
            ".js-discussion .comment-body",
        ),
        (".comment-body", ".markdown-body"),
        post=".timeline-comment,.react-issue-body,.react-issue-comment,.review-comment",
        author=".author,[data-testid=issue-body-header-author],[data-testid=avatar-link]",
        drop=".email-hidden-toggle,.comment-reactions",
    ),
    PageSignature(
        "GitLab issues",
        (".detail-page-description", ".issuable-discussion"),
        (".description .md,.note-text", ".md"),
        post=".detail-page-description,.note",
        author=".author-name-link,.note-header-author-name,.author",
        drop=".edited-text",
    ),
    PageSignature(
        "Gitea issues",
        (".timeline-item .render-content",),
        (".render-content",),
        post=".timeline-item",
        author=".author,.comment-header a[href]",
    ),
    PageSignature("HyperKitty", (".email-body",), (".email-body",), post=".email", author=".email-author .name,.name"),
    PageSignature("GNU Mailman archive", (".htMessage",), (".htMessage",)),
    PageSignature(
        "Bugzilla",
        (".bz_comment_text",),
        (".bz_comment_text", ".comment-text"),
        post=".bz_comment,.change-set",
        author=".bz_comment_user .fn,.change-author .fn",
    ),
    PageSignature(
        "Jira",
        ("#description-val",),
        ("#description-val", ".action-body"),
        post="#descriptionmodule,.activity-comment",
        author=".user-hover",
    ),
    PageSignature(
        "Trac", ("#ticket .description",), (".searchable", ".comment"), post="#ticket,.change", author=".trac-author"
    ),
    # Statements of schema.org in microdata, for boards of any other software.
    PageSignature(
        "discussion in microdata",
        ("@DiscussionForumPosting",),
        ("[itemprop=articleBody],[itemprop=text]",),
        post="[itemtype$=/DiscussionForumPosting],[itemtype$=/Comment]",
        author="[itemprop=author] [itemprop=name],[itemprop=author],[itemprop=creator]",
    ),
    PageSignature(
        "questions and answers in microdata",
        ("@QAPage",),
        ("[itemprop=text]",),
        post="[itemtype$=/Question],[itemtype$=/Answer],[itemtype$=/Comment]",
        author="[itemprop=author] [itemprop=name],[itemprop=author]",
    ),
)
