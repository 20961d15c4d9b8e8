"""Former names of declared jobs: the dotted paths that messages of the previous release carry.

A queue may still hold such messages when a server is upgraded. Remove this with the release after the next.
"""

from __future__ import annotations

FORMER_NAMES = {
    "backend.auth.jobs.purge_mail_tokens": "auth.purge_mail_tokens",
    "backend.auth.jobs.purge_security_events": "auth.purge_security_events",
    "backend.auth.jobs.purge_sessions": "auth.purge_sessions",
    "backend.auth.jobs.repeat_revocations": "auth.repeat_revocations",
    "backend.bookmarks.jobs.capture_bookmark": "capture.capture_bookmark",
    "backend.bookmarks.jobs.embed_bookmarks": "index.embed_bookmarks",
    "backend.bookmarks.jobs.purge_trash": "bookmarks.purge_trash",
    "backend.bookmarks.jobs.refresh_changed_statistics": "bookmarks.refresh_changed_statistics",
    "backend.bookmarks.jobs.refresh_due_documents": "bookmarks.refresh_due_documents",
    "backend.bookmarks.jobs.remove_superseded_vectors": "index.remove_superseded_vectors",
    "backend.bookmarks.jobs.resend_due_work": "index.resend_due_work",
    "backend.bookmarks.jobs.run_capture_job": "capture.run_capture_job",
    "backend.idempotency.jobs.purge_idempotency_keys": "idempotency.purge_idempotency_keys",
    "backend.jobs.maintenance.resend_due_jobs": "jobs.resend_due_jobs",
    "backend.mail.jobs.purge_mails": "mail.purge_mails",
    "backend.mail.jobs.resend_due_mails": "mail.resend_due_mails",
    "backend.mail.jobs.send_mail": "mail.send_mail",
    "backend.organizations.jobs.purge_deleted_organizations": "organizations.purge_deleted_organizations",
    "backend.organizations.jobs.purge_invitations": "organizations.purge_invitations",
    "backend.profile.jobs.purge_exports": "profile.purge_exports",
    "backend.profile.jobs.remove_deleted_accounts": "profile.remove_deleted_accounts",
    "backend.profile.jobs.resend_removals": "profile.resend_removals",
    "backend.profile.jobs.run_ai_test": "profile.run_ai_test",
    "backend.profile.jobs.run_export": "profile.run_export",
    "backend.projects.jobs.purge_trash": "projects.purge_trash",
    "backend.recommendations.jobs.embed_subjects": "recommendations.embed_subjects",
    "backend.recommendations.jobs.purge_recommendations": "recommendations.purge_recommendations",
    "backend.recommendations.jobs.resend_due_subjects": "recommendations.resend_due_subjects",
    "backend.search.jobs.refresh_suggestions": "search.refresh_suggestions",
    "backend.search.jobs.resend_due_suggestions": "search.resend_due_suggestions",
    "backend.serving.jobs.warm_people_of_today": "cache_warmup.warm_people_of_today",
    "backend.serving.jobs.warm_person": "cache_warmup.warm_person",
    "backend.tasks.jobs.purge_trash": "tasks.purge_trash",
    "backend.tasks.jobs.run_breakdown": "tasks.run_breakdown",
}
