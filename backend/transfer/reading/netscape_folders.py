"""The folders around the entries of a Netscape bookmark file."""

from __future__ import annotations

from backend.transfer.records import UnreadableFile

# The folders that every browser has; their names are the browser's, in its language.
_OF_THE_BROWSER = ("personal_toolbar_folder", "unfiled_bookmarks_folder")
_READING_LIST = "com.apple.readinglist"

# Browsers show a handful. A bound keeps the path of each entry short.
MAX_DEPTH = 200
TOO_DEEP = f"The folders are nested more than {MAX_DEPTH} levels deep."


class NetscapeFolders:
    """The folders that are open, and the name of the one that the next list belongs to."""

    def __init__(self) -> None:
        self._open: list[tuple[tuple[str, ...], bool]] = []
        self._name: list[str] = []
        self._is_named = False
        self._is_reading_list = False
        self._is_in_name = False

    @property
    def path(self) -> tuple[str, ...]:
        """Return the names of the open folders that have one, outermost first."""
        return self._open[-1][0] if self._open else ()

    @property
    def are_open(self) -> bool:
        """Tell whether any list is open."""
        return bool(self._open)

    @property
    def is_reading_list(self) -> bool:
        """Tell whether this is Safari's list of pages to read."""
        return bool(self._open) and self._open[-1][1]

    def begin_name(self, attributes: dict[str, str]) -> None:
        """Begin the heading of the next list."""
        self._name = []
        self._is_in_name = True
        self._is_named = not any(attributes.get(name, "").lower() == "true" for name in _OF_THE_BROWSER)
        self._is_reading_list = attributes.get("id", "").lower() == _READING_LIST

    def add(self, text: str) -> None:
        """Take a text, where it is part of a heading."""
        if self._is_in_name:
            self._name.append(text)

    def leave_name(self) -> None:
        """End the heading."""
        self._is_in_name = False

    def enter(self) -> None:
        """Begin a list: what its heading named, or an outermost list without a name."""
        if len(self._open) >= MAX_DEPTH:
            raise UnreadableFile(TOO_DEEP)
        name = " ".join("".join(self._name).split()) if self._is_named else ""
        self._open.append((self.path + ((name,) if name else ()), self.is_reading_list or self._is_reading_list))
        self._name, self._is_named, self._is_reading_list, self._is_in_name = [], False, False, False

    def leave(self) -> None:
        """End the innermost list."""
        if self._open:
            self._open.pop()
