"""Breakdowns as tests ask for them, and a page that says how."""

from __future__ import annotations

from typing import Any

from backend.tasks.jobs import run_breakdown
from tests.support.api import Api
from tests.support.pages import add_page

LIST = "- [x] done\n- [ ] Copy the data\n  - stop the writers\n- [ ] Call Ben"
HOWTO = """<h1>How to bleed a radiator</h1><h2>What you need</h2><h2>Turn off the heating</h2><h2>Open the valve</h2>
<h2>See also</h2>"""


def ask(api: Api, task_id: int, **wanted: Any) -> str:
    """Ask for a breakdown; the id of the job."""
    answer = api.post(f"/tasks/{task_id}/breakdown", wanted)
    assert answer.status_code == 202, answer.get_data(as_text=True)
    assert answer.headers["Location"] == f"/api/v1/jobs/{answer.json['id']}"
    assert (answer.json["kind"], answer.json["status"]) == ("breakdown", "queued")
    return str(answer.json["id"])


def break_down(api: Api, task_id: int, **wanted: Any) -> dict[str, Any]:
    """Ask for a breakdown and have a worker do it; the job."""
    job_id = ask(api, task_id, **wanted)
    with api.app.app_context():
        run_breakdown(job_id)
    job: dict[str, Any] = api.get(f"/jobs/{job_id}").json
    return job


def save_page(api: Api, html: str, *, title: str, page_text: str = "", captured: bool = True) -> int:
    """A captured page; its bookmark's id."""
    saved = api.save(f"https://example.org/{title}", title=title)
    with api.app.app_context():
        add_page(saved["id"], page_text or title, html=html, update_bookmark=captured)
    return int(saved["id"])
