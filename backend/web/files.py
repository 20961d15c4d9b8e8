"""The client's files in memory: each under an address that holds the hash of all of them, in each content coding."""

from __future__ import annotations

import gzip
import hashlib
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CLIENT = Path(__file__).parent / "client"
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": brotli.compress,
    "zstd": lambda content: zstd.compress(content, level=19),
    "gzip": lambda content: gzip.compress(content, mtime=0),
}
# The style sheets are one file in the order of their names: each request costs more than the bytes that it saves.
SHEETS, ALL_STYLES = "styles/", "styles.css"
IMPORT = re.compile(r"""\b(?:from|import)\s*['"](\.{1,2}/[^'"]+)['"]""")


@dataclass(frozen=True)
class ClientFile:
    """A file of the client, with its bodies by content coding."""

    media_type: str
    content: bytes

    @cached_property
    def etag(self) -> str:
        """Return the hash of the content."""
        return hashlib.sha256(self.content).hexdigest()[:32]

    def body(self, coding: str | None) -> tuple[bytes, str | None]:
        """Return the body in a content coding and that coding; plain where encoding does not make it shorter."""
        encoded = self._encoded(coding) if coding and coding in ENCODERS else self.content
        return (encoded, coding) if len(encoded) < len(self.content) else (self.content, None)

    def _encoded(self, coding: str) -> bytes:
        if coding not in self._bodies:
            self._bodies[coding] = ENCODERS[coding](self.content)
        return self._bodies[coding]

    @cached_property
    def _bodies(self) -> dict[str, bytes]:
        return {}


class ClientFiles:
    """All files below a directory, by their path in it."""

    def __init__(self, directory: Path = CLIENT) -> None:
        """Read the files."""
        paths = (path for path in sorted(directory.rglob("*")) if path.suffix in MEDIA_TYPES)
        self.by_path = {
            path.relative_to(directory).as_posix(): ClientFile(MEDIA_TYPES[path.suffix], path.read_bytes())
            for path in paths
        }
        self._join_sheets()

    def _join_sheets(self) -> None:
        sheets = [self.by_path.pop(path).content for path in list(self.by_path) if path.startswith(SHEETS)]
        if sheets:
            self.by_path[ALL_STYLES] = ClientFile(MEDIA_TYPES[".css"], b"\n".join(sheets))

    @cached_property
    def version(self) -> str:
        """Return the hash of all: modules import each other by relative paths, so they change address together."""
        digest = hashlib.sha256()
        for path, file in self.by_path.items():
            digest.update(f"{path}\0{file.etag}\n".encode())
        return digest.hexdigest()[:16]

    def encode(self) -> None:
        """Encode all files in each content coding; else each is encoded when somebody asks for it first."""
        for file in self.by_path.values():
            for coding in ENCODERS:
                file.body(coding)

    def text(self, path: str) -> str:
        """Return the text of a file."""
        return self.by_path[path].content.decode()

    def imported_by(self, path: str) -> list[str]:
        """Return the paths of all modules that a module imports, directly or not, itself included."""
        found: dict[str, None] = {}
        waiting = [path]
        while waiting:
            module = waiting.pop(0)
            if module not in found:
                found[module] = None
                waiting += [_resolve(module, imported) for imported in IMPORT.findall(self.text(module))]
        return list(found)


def _resolve(module: str, imported: str) -> str:
    parts = module.split("/")[:-1]
    for part in imported.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
