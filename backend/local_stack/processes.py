"""Child processes that cannot outlive the process that started them."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

PR_SET_PDEATHSIG = 1  # linux/prctl.h
KILL_SECONDS = 10.0  # A process that hangs in a system call on a dead disk does not even die of SIGKILL.
# Loaded before the fork: between fork and exec nothing may be imported.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(death_signal: int = signal.SIGKILL) -> None:
    """Have the kernel send `death_signal` to this process once the thread that started it has ended.

    Linux only; elsewhere nothing happens. The kernel watches the *thread*: start children from the main thread, or from
    one that lives as long as they do.
    """
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)


def end_forks_with_parent() -> None:
    """Have every process that is forked from here on, by this process or by its forks, end with its parent."""
    parent = 0

    def remember_parent() -> None:
        nonlocal parent
        parent = os.getpid()

    def tie_to_parent() -> None:
        die_with_parent()
        if os.getppid() != parent:  # The parent died before the line above.
            os._exit(1)

    os.register_at_fork(before=remember_parent, after_in_child=tie_to_parent)


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    user: int | None = None,
    cwd: Path | None = None,
    output: int | IO[bytes] = subprocess.DEVNULL,
    death_signal: int = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, stdout and stderr joined into `output`.

    Ctrl-C does not reach it, and it gets `death_signal` when its parent dies, even from kill -9.
    """
    parent = os.getpid()

    def tie_to_parent() -> None:
        # After the change of user, which would clear the setting.
        die_with_parent(death_signal)
        if os.getppid() != parent:  # The parent died before the line above.
            os._exit(1)

    return subprocess.Popen(  # nosec B603
        argv,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=cwd,
        user=user,
        group=None if user is None else user_group(user),
        extra_groups=None if user is None else [],
        umask=0o077 if user is not None else -1,
        start_new_session=True,
        preexec_fn=tie_to_parent,
    )


def inherited_environment(**more: str) -> dict[str, str]:
    """Return this process's environment for a child, with some variables set.

    It is passed on, not read: only config.py interprets the variables.
    """
    return {**os.environ, **more}


def replace_environment(env: Mapping[str, str]) -> None:
    """Give this process, a fork, the environment that a program would start with."""
    os.environ.clear()
    os.environ.update(env)


def user_group(user: int) -> int:
    """Return the primary group of a user id."""
    return pwd.getpwuid(user).pw_gid


def terminate(process: subprocess.Popen[bytes], stop_signal: int, timeout: float) -> int:
    """Stop a child: signal it, wait `timeout` seconds, kill what is left of it; return its exit code."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout)
    kill_session(process.pid)
    return process.wait()


def kill_session(leader: int) -> None:
    """Send SIGKILL to a child, its descendants and its session, which some of them may have left."""
    deadline = time.monotonic() + KILL_SECONDS
    while time.monotonic() < deadline and (
        doomed := [process for process in _descendants(leader) + _session(leader) if _is_alive(process)]
    ):
        for process in doomed:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        time.sleep(0.01)


def _descendants(leader: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(leader).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _session(leader: int) -> list[psutil.Process]:
    members = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(process.pid) == leader:
                members.append(process)
    return members


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
