"""What a picture of a chart says: the numbers of its marks, and their sizes."""

from __future__ import annotations

import re
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
MARK = re.compile(r"([^,]+), (.+): ([\d,]+)", re.DOTALL)
ISOLATES = re.compile("[\u2068\u2069]")


def parse(picture: bytes) -> ElementTree.Element:
    """The root element."""
    root = ElementTree.fromstring(picture)
    assert root.tag == f"{SVG}svg"
    return root


def marks_of(picture: bytes) -> list[tuple[str, str, int, ElementTree.Element]]:
    """Series, label and number of each mark, and its element."""
    found = []
    for group in parse(picture).iter(f"{SVG}g"):
        title = group.find(f"{SVG}title")
        if title is not None and (told := MARK.fullmatch(title.text or "")):
            found.append((told[1], ISOLATES.sub("", told[2]), int(told[3].replace(",", "")), group))
    return found


def numbers_of(picture: bytes) -> dict[str, dict[str, int]]:
    """The numbers by series and label, in the order of the axis."""
    numbers: dict[str, dict[str, int]] = {}
    for series, label, number, _ in marks_of(picture):
        assert label not in numbers.setdefault(series, {})
        numbers[series][label] = number
    return numbers


def lengths_of(picture: bytes, side: str) -> list[tuple[int, float]]:
    """Each bar's number and its length in the picture; `side` is width or height."""
    return [(number, float(group[-1].get(side, "0"))) for _, _, number, group in marks_of(picture)]


def texts_of(picture: bytes) -> list[str]:
    """All that is written in it."""
    return [ISOLATES.sub("", element.text or "") for element in parse(picture).iter(f"{SVG}text")]
