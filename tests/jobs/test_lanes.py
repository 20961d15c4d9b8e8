"""Which queue is served by whom: mail waits for nothing, and the scheduler's passes for no captures."""

from __future__ import annotations

import pytest

from backend.jobs.lanes import LANES
from backend.jobs.queue import QUEUES
from backend.jobs.scheduler import scheduled_jobs
from backend.jobs.service import KINDS
from backend.mail.message import TEMPLATES

pytestmark = pytest.mark.unit
OF_QUEUE = {queue: lane for lane in LANES for queue in lane.queues}


def test_every_queue_is_served_by_one_lane() -> None:
    assert sorted(queue for lane in LANES for queue in lane.queues) == sorted(QUEUES)


def test_nothing_else_is_in_the_lane_of_mails_or_in_that_of_captures() -> None:
    """Mails that nobody waits for have a queue of their own there: the lane takes from both in turns."""
    assert [OF_QUEUE[queue].queues for queue in ("mail", "capture")] == [("mail", "bulk_mail"), ("capture",)]
    assert {message.queue for message in KINDS.values()} & {"mail", "bulk_mail", "capture"} == set()
    assert {template.queue for template in TEMPLATES.values()} == {"mail", "bulk_mail"}


def test_passes_that_look_for_what_is_due_wait_for_no_work() -> None:
    work = scheduled_jobs(60)
    passes = {regular.function.rpartition(".")[2] for regular in work if regular.queue == "maintenance"}
    assert {name for name in passes if not name.startswith(("resend_", "repeat_"))} == set()
    assert {regular.queue for regular in work if regular.cron} == {"bulk"}
    assert OF_QUEUE["maintenance"].queues == ("maintenance",)
