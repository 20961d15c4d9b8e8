"""Zips with exports inside, and zips that were made to do harm."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import pytest

from backend.transfer.formats import zip_archive
from tests.transfer.formats.reading import read_file, zipped

pytestmark = pytest.mark.unit


def omnivore(*urls: str) -> str:
    return json.dumps(
        [{"slug": "x", "url": url, "state": "Active", "labels": [], "savedAt": "2020-01-01"} for url in urls]
    )


def test_omnivore_lists_are_read_in_the_order_of_their_numbers_and_pages_are_not():
    archive = zipped(
        {
            "export/metadata_20_to_40.json": omnivore("https://c.example/"),
            "export/content/x.html": '<a href="https://no.example/">',
            "export/metadata_0_to_20.json": omnivore("https://a.example/", "https://b.example/"),
            "export/highlights/x.md": "> https://no.example/",
        }
    )
    outcome = read_file(archive)
    assert outcome.format == "zip"
    assert [each.url for each in outcome.bookmarks] == [
        "https://a.example/",
        "https://b.example/",
        "https://c.example/",
    ]


def test_pocket_parts_are_read_whatever_lies_beside_them():
    table = "title,url,time_added,tags,status\nA,https://a.example/,1,,unread\n"
    archive = zipped({"part_000000.csv": table, "__MACOSX/._part_000000.csv": "\1\2", "images/a.png": b"\x89PNG"})
    assert read_file(archive).only.url == "https://a.example/"


@pytest.mark.parametrize("members", [{}, {"a.png": b"\x89PNG"}, {"a.json": "{}"}])
def test_a_zip_without_an_export_says_so(members):
    assert read_file(zipped(members)).fault == zip_archive.NOTHING_INSIDE


def test_a_member_that_inflates_a_thousandfold_is_refused():
    assert read_file(zipped({"a.csv": b"\0" * 20_000_000})).fault == zip_archive.BOMB


def test_all_members_together_are_bounded(monkeypatch):
    monkeypatch.setattr(zip_archive, "MAX_INFLATED_BYTES", 1000)
    archive = zipped({f"{number}.txt": f"https://a.example/{number}\n" * 10 for number in range(10)})
    outcome = read_file(archive)
    assert outcome.fault == zip_archive.TOO_LARGE
    assert 0 < len(outcome.bookmarks) < 100


def test_a_list_of_members_too_large_for_the_memory_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(zip_archive, "MAX_DIRECTORY_BYTES", 100)
    assert read_file(zipped({f"{number}.png": b"" for number in range(10)})).fault == zip_archive.TOO_MANY


def test_a_zip64_directory_is_refused():
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert read_file(b"PK\3\4" + b"PK\6\7" + b"\0" * 16 + end).fault == zip_archive.TOO_MANY


def test_a_damaged_zip_says_so():
    archive = zipped({"a.csv": "url\n" + "".join(f"https://a.example/{number * number}\n" for number in range(2000))})
    assert read_file(archive[: len(archive) // 2]).fault == zip_archive.NO_ZIP
    broken = bytearray(archive)
    broken[200:400] = bytes(200)
    assert read_file(bytes(broken)).fault == zip_archive.NO_ZIP


def test_a_member_that_cannot_be_read_keeps_no_other_from_it():
    outcome = read_file(zipped({"0.json": '[{"url": "https://a.example/"}, {', "1.txt": "https://b.example/\n"}))
    assert [each.url for each in outcome.bookmarks] == ["https://a.example/", "https://b.example/"]
    assert outcome.fault.startswith("0.json: The JSON breaks off")


def test_a_zip_inside_a_zip_is_not_opened():
    inner = zipped({"a.txt": "https://a.example/\n"})
    assert read_file(zipped({"a.json": inner})).fault == zip_archive.NOTHING_INSIDE


def test_an_encrypted_zip_says_so():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a.txt", "https://a.example/\n")
    data = bytearray(target.getvalue())
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    assert read_file(bytes(data)).fault == zip_archive.ENCRYPTED
