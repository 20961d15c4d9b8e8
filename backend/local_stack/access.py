"""File access: lets another user reach one directory below a private one, and nothing else there."""

from __future__ import annotations

import errno
import os
import stat
import struct
from pathlib import Path

ACCESS_ACL = "system.posix_acl_access"
# linux/posix_acl_xattr.h: a version, then (tag, permissions, id) for each entry, in the order of the tags.
VERSION = struct.pack("<I", 2)
ENTRY = struct.Struct("<HHI")
USER_OBJ, USER, GROUP_OBJ, MASK, OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
NO_ID = 0xFFFFFFFF
EXECUTE = 1


def allow_traversal(target: Path, user: int) -> None:
    """Let `user` traverse every directory above `target`, by an access-control entry for that user alone.

    Where the file system has no access-control lists, everybody may traverse (not list) them.
    """
    for directory in target.resolve().parents:
        status = directory.stat()
        if status.st_mode & stat.S_IXOTH or (status.st_uid == user and status.st_mode & stat.S_IXUSR):
            continue
        try:
            _add_entry(directory, user)
        except OSError as error:
            if error.errno not in (errno.ENOTSUP, errno.EOPNOTSUPP):
                raise
            directory.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)


def allow_reading(top: Path) -> None:
    """Let everybody read the files below `top`, as a system-wide installation of them would."""
    for directory, _, names in os.walk(top):
        for path in (Path(directory), *(Path(directory, name) for name in names)):
            mode = path.stat().st_mode
            readable = mode | stat.S_IRGRP | stat.S_IROTH
            if mode & stat.S_IXUSR:
                readable |= stat.S_IXGRP | stat.S_IXOTH
            if mode != readable:
                path.chmod(stat.S_IMODE(readable))


def _add_entry(directory: Path, user: int) -> None:
    entries = _entries(directory)
    entries[USER, user] = entries.get((USER, user), 0) | EXECUTE
    entries[MASK, NO_ID] = entries.get((MASK, NO_ID), entries[GROUP_OBJ, NO_ID]) | EXECUTE
    packed = b"".join(ENTRY.pack(tag, allowed, id_) for (tag, id_), allowed in sorted(entries.items()))
    os.setxattr(directory, ACCESS_ACL, VERSION + packed)


def _entries(directory: Path) -> dict[tuple[int, int], int]:
    try:
        packed = os.getxattr(directory, ACCESS_ACL)
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        mode = directory.stat().st_mode
        return {(USER_OBJ, NO_ID): mode >> 6 & 7, (GROUP_OBJ, NO_ID): mode >> 3 & 7, (OTHER, NO_ID): mode & 7}
    return {(tag, id_): allowed for tag, allowed, id_ in ENTRY.iter_unpack(packed[len(VERSION) :])}
