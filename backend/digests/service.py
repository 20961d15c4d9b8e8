"""Making digests: each person's at most once a week, whatever is killed or runs twice; and unsubscribing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from loguru import logger
from sqlalchemy import Row, delete
from sqlalchemy.dialects.postgresql import insert

from backend.auth.models import User
from backend.clock import utc_now
from backend.digests.contents import DigestContents, Offer, mail_values, offer, read_contents
from backend.digests.links import find_subscriber
from backend.digests.models import Digest
from backend.digests.queries import EARLIER_DIGESTS, earlier_digests, hold_memberships
from backend.digests.recipients import (
    RETRY_SECONDS,
    Recipient,
    claim_recipient,
    find_recipient,
    hold,
    put_off,
    schedule,
)
from backend.digests.schedule import WEEK, next_due, week_of
from backend.digests.subscriptions import unsubscribe
from backend.extensions import db
from backend.http.response_cache.invalidation import invalidate
from backend.jobs.queue import Message, send
from backend.mail.languages import LANGUAGES
from backend.mail.message import render
from backend.mail.service import add_mail, withdraw_mails


def digests_message() -> Message:
    """Make the message that has a worker make the digests that are due."""
    return Message("digests.make_due_digests", queue="bulk", timeout_seconds=600, once=True)


def make_next_digest() -> bool:
    """Make the digest that has been due longest; tell whether there was one. A failure puts off that one alone."""
    recipient = claim_recipient()
    if recipient is None:
        return False
    try:
        message = _make(recipient)
    except Exception as error:
        db.session.rollback()
        logger.opt(exception=error).error("digest of person {} not made, again in {} s", recipient.id, RETRY_SECONDS)
        put_off(recipient)
    else:
        send([message] if message else [])
    return True


def preview_digest(user_id: int) -> tuple[str, str] | None:
    """Return subject and text of the mail that a person would get now; None where there is nothing to say.

    Nothing is mailed, and the week still has its digest; the recommendations are recorded, as all are.
    """
    recipient, now = find_recipient(user_id), utc_now()
    earlier, offered, organizations = earlier_digests(user_id), offer(recipient), hold_memberships(user_id)
    contents = read_contents(recipient, organizations, offered, earlier, now)
    db.session.rollback()
    if contents.is_empty:
        return None
    values = {**mail_values(recipient, contents, organizations, now), "token": "preview"}  # nosec B105
    subject, text, _ = render("digest", recipient.mail_language, values)
    return subject, text


def subscriber_language(token: str) -> str:
    """Return the language of the person to whom a link was mailed.

    Raises:
        Invalid: naming `query.token`: it was mailed to nobody, or to a former address.
    """
    return find_subscriber(token).language or LANGUAGES[0]


def unsubscribe_by_link(token: str) -> str:
    """Have the person to whom a link was mailed get no more digests, also none that waits to be sent; again it changes
    nothing. Return their language.

    Raises:
        Invalid: naming `query.token`: it was mailed to nobody, or to a former address.
    """
    user = db.session.get_one(User, find_subscriber(token).id, with_for_update={"key_share": True})
    language = user.language or LANGUAGES[0]
    unsubscribe(user)
    withdraw_mails(user.email, "digest")
    db.session.commit()
    invalidate([], [user.id])
    return language


def _make(recipient: Recipient) -> Message | None:
    """Make the week's digest, unless there was one, and schedule the next; return the message that sends it."""
    now = utc_now()
    week = week_of(now, recipient.zone, recipient.week_start)
    earlier = earlier_digests(recipient.id)
    last, message = (earlier[0].week if earlier else None), None
    if recipient.may_receive and (last is None or week >= last + WEEK):
        offered = offer(recipient)
        if not hold(recipient):
            db.session.rollback()
            return None
        last, message = week, _write(recipient, week, offered, earlier, now)
    schedule(recipient, next_due(now, recipient.zone, recipient.week_start, last))
    db.session.commit()
    return message


def _write(
    recipient: Recipient, week: date, offered: Offer | None, earlier: Sequence[Row[Any]], now: datetime
) -> Message | None:
    """Record the week's digest and add its mail in the current transaction; None where there is nothing to say."""
    organizations = hold_memberships(recipient.id)
    contents = read_contents(recipient, organizations, offered, earlier, now)
    if not _record(recipient, week, contents) or contents.is_empty:
        return None
    values = mail_values(recipient, contents, organizations, now)
    return add_mail(recipient.email, "digest", values, solicited=True, language=recipient.mail_language)


def _record(recipient: Recipient, week: date, contents: DigestContents) -> bool:
    """Record the week's digest in the current transaction, and forget old ones; tell whether it is the first."""
    bookmark_ids = [item.bookmark.id for item in contents.recommended]
    values = {"user_id": recipient.id, "week": week, "is_mailed": not contents.is_empty, "bookmark_ids": bookmark_ids}
    first = insert(Digest).values(values).on_conflict_do_nothing().returning(Digest.week)
    db.session.execute(
        delete(Digest).where(Digest.user_id == recipient.id, Digest.week < week - EARLIER_DIGESTS * WEEK)
    )
    return db.session.scalar(first) is not None
