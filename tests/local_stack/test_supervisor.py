"""The loop that keeps children running, with small programs in place of the real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from backend.local_stack import supervisor as loop
from backend.local_stack.supervisor import Service, ServiceFailed, ServiceSupervisor, StopRequested
from tests.support.processes import alive, eventually

pytestmark = [pytest.mark.unit]

SLEEPER = "import time\nprint('up', flush=True)\ntime.sleep(600)"
STUBBORN = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEPER


def python(name: str, code: str, **options: object) -> Service:
    return Service(name, [sys.executable, "-c", code], **options)  # type: ignore[arg-type]


@pytest.fixture
def supervisor():
    supervisor = ServiceSupervisor()
    yield supervisor
    for child in supervisor.children.values():
        child.service.stop_seconds = 0
    supervisor.stop(list(supervisor.children))
    supervisor.close()


def watch_until(supervisor: ServiceSupervisor, condition, timeout: float = 60) -> bool:
    """Run the loop on this thread, as its children need, until a condition seen from another one."""
    seen: list[bool] = []

    def look() -> None:
        seen.append(eventually(condition, timeout))
        supervisor.stop_requests = 1

    thread = threading.Thread(target=look)
    thread.start()
    supervisor.watch()
    thread.join()
    supervisor.stop_requests = 0
    return seen[0]


def pid_of(supervisor: ServiceSupervisor, name: str) -> int | None:
    process = supervisor.children[name].process
    return process.pid if process else None


def test_output_comes_line_by_line_under_the_name_of_its_child(supervisor, capfd):
    half = "import os, time\nfor part in (b'one ', b'line\\ntwo', b'\\nrest'): os.write(1, part); time.sleep(0.15)"
    assert supervisor.run(python("talker", half)) == 0

    assert capfd.readouterr().out.splitlines() == [
        "talker    | one line",
        "talker    | two",
        "talker    | rest",
    ]


def test_lines_of_several_children_are_never_mixed(supervisor, capfd):
    for letter in "ab":
        code = f"for _ in range(2000): print('{letter}' * 300)\nimport time; time.sleep(600)"
        supervisor.start(python(letter, code))
    lines: list[str] = []

    def all_came() -> bool:
        supervisor._tick()
        lines.extend(capfd.readouterr().out.splitlines())
        return len(lines) >= 4000

    assert eventually(all_came, 60)
    assert sorted(set(lines)) == [f"a         | {'a' * 300}", f"b         | {'b' * 300}"]
    assert len(lines) == 4000


def test_bytes_that_are_not_text_do_not_stop_the_loop(supervisor, capfd):
    assert supervisor.run(python("odd", "import os; os.write(1, b'\\xff\\n')")) == 0
    assert capfd.readouterr().out == "odd       | \N{REPLACEMENT CHARACTER}\n"


def test_a_program_run_to_its_end_gives_its_exit_code(supervisor):
    assert supervisor.run(python("failing", "raise SystemExit(3)")) == 3
    assert supervisor.children == {}


def test_a_killed_child_is_started_again_and_a_line_says_so(supervisor, capfd):
    supervisor.start(python("web", SLEEPER))
    first = pid_of(supervisor, "web")
    os.kill(first, signal.SIGKILL)

    assert watch_until(supervisor, lambda: pid_of(supervisor, "web") not in (None, first))
    assert "fuze      | web was killed by SIGKILL, starting it again in 0.5 s" in capfd.readouterr().out


def test_each_early_end_doubles_the_wait_up_to_a_limit(supervisor, monkeypatch, capfd):
    monkeypatch.setattr(loop, "FIRST_DELAY_SECONDS", 0.05)
    monkeypatch.setattr(loop, "LONGEST_DELAY_SECONDS", 0.2)
    supervisor.start(python("web", "raise SystemExit(1)"))

    assert watch_until(supervisor, lambda: supervisor.children["web"].failures >= 5)
    said = [line for line in capfd.readouterr().out.splitlines() if "starting it again" in line]
    assert [line.split(" in ")[1] for line in said[:5]] == ["0.05 s", "0.1 s", "0.2 s", "0.2 s", "0.2 s"]
    assert "web ended with exit code 1, starting it again in 0.05 s" in said[0]


def test_the_wait_is_short_again_after_a_child_ran_for_a_while(supervisor, monkeypatch, capfd):
    monkeypatch.setattr(loop, "FIRST_DELAY_SECONDS", 0.05)
    monkeypatch.setattr(loop, "SETTLED_SECONDS", 0.0)
    supervisor.start(python("web", "raise SystemExit(1)"))

    assert watch_until(supervisor, lambda: capfd.readouterr().out.count("again in 0.05 s") >= 1)
    assert supervisor.children["web"].failures == 1


def test_a_child_that_cannot_even_be_started_again_is_tried_later(supervisor, monkeypatch, capfd):
    monkeypatch.setattr(loop, "FIRST_DELAY_SECONDS", 0.05)
    tries: list[int] = []

    def fail_the_second_time() -> None:
        tries.append(1)
        if len(tries) == 2:
            raise OSError("disk full")

    supervisor.start(python("postgres", SLEEPER, before_start=fail_the_second_time))
    os.kill(pid_of(supervisor, "postgres"), signal.SIGKILL)

    assert watch_until(supervisor, lambda: len(tries) == 3 and pid_of(supervisor, "postgres"))
    assert "postgres cannot start (disk full), starting it again in 0.1 s" in capfd.readouterr().out


def test_an_end_during_the_start_is_a_failure_and_not_tried_again(supervisor):
    supervisor.start(python("web", "raise SystemExit(4)"))
    with pytest.raises(ServiceFailed, match="web ended with exit code 4 while starting"):
        supervisor.wait_until(lambda: False, "Fuze", 60)


def test_waiting_for_what_never_comes_ends(supervisor):
    supervisor.start(python("web", SLEEPER))
    with pytest.raises(ServiceFailed, match=r"Fuze is not ready after 0\.2 s"):
        supervisor.wait_until(lambda: False, "Fuze", 0.2)


def test_a_request_to_stop_ends_the_wait(supervisor):
    supervisor.stop_requests = 1
    with pytest.raises(StopRequested):
        supervisor.wait_until(lambda: False, "Fuze", 20)


def test_a_child_that_ignores_the_request_is_killed_with_all_its_descendants(supervisor, tmp_path):
    note = tmp_path / "pid"
    family = (
        "import subprocess, sys, pathlib\n"
        f"child = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}], process_group=0)\n"
        f"pathlib.Path({str(note)!r}).write_text(str(child.pid))\n" + STUBBORN
    )
    supervisor.start(python("web", family, stop_seconds=0.3))
    parent = pid_of(supervisor, "web")
    assert eventually(lambda: note.exists() and note.read_text())
    grandchild = int(note.read_text())

    supervisor.stop(["web"])

    assert not alive(parent)
    assert eventually(lambda: not alive(grandchild))


def test_a_second_request_shortens_the_patience(supervisor, monkeypatch, capfd):
    monkeypatch.setattr(loop, "HURRIED_SECONDS", 0.1)
    supervisor.start(python("web", STUBBORN, stop_seconds=600))
    said: list[str] = []

    def is_deaf() -> bool:
        said.extend(capfd.readouterr().out.splitlines())
        return "web       | up" in said

    supervisor.wait_until(is_deaf, "web", 60)
    supervisor.stop_requests = 2
    began = time.monotonic()
    supervisor.stop(["web"])
    assert time.monotonic() - began < 300


def test_nothing_outlives_a_supervisor_that_was_killed(tmp_path):
    code = (
        "import sys\n"
        "from backend.local_stack.supervisor import Service, ServiceSupervisor\n"
        "supervisor = ServiceSupervisor()\n"
        f"for name in ('one', 'two'): supervisor.start(Service(name, [sys.executable, '-c', {STUBBORN!r}]))\n"
        "print('pids', *(child.process.pid for child in supervisor.children.values()), flush=True)\n"
        "supervisor.watch()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        words = parent.stdout.readline().split()
        pids = [int(word) for word in words[1:]]
        assert len(pids) == 2
        assert all(map(alive, pids))
        parent.kill()
    assert eventually(lambda: not any(map(alive, pids)))


def test_a_terminals_interrupt_does_not_reach_the_children(supervisor):
    supervisor.start(python("web", SLEEPER))
    pid = pid_of(supervisor, "web")
    assert os.getsid(pid) == pid != os.getsid(0)
    assert psutil.Process(pid).terminal() is None or Path("/dev/tty").exists()
