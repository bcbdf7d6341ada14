"""The page can be installed as an app: its manifest names icons that are there, in the sizes that it says."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

PUBLIC = Path(__file__).resolve().parents[2] / "frontend" / "public"
MANIFEST = json.loads((PUBLIC / "manifest.webmanifest").read_text("utf-8"))


def size_of(picture: Path) -> tuple[int, ...]:
    head = picture.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return struct.unpack(">II", head[16:])


def test_the_page_names_the_manifest_and_an_icon_for_phones_that_read_none() -> None:
    page = (PUBLIC.parent / "index.html").read_text("utf-8")
    named = dict(re.findall(r'rel="(manifest|apple-touch-icon)" href="/([^"]+)"', page))
    assert named == {"manifest": "manifest.webmanifest", "apple-touch-icon": "apple-touch-icon.png"}
    assert size_of(PUBLIC / named["apple-touch-icon"]) == (180, 180)


def test_every_icon_is_there_in_the_size_that_is_said() -> None:
    pictures = [icon for icon in MANIFEST["icons"] if icon["type"] == "image/png"]
    assert {icon["sizes"] for icon in pictures} == {"192x192", "512x512"}
    for icon in pictures:
        wide, high = size_of(PUBLIC / icon["src"].removeprefix("/"))
        assert f"{wide}x{high}" == icon["sizes"]
    assert [icon for icon in MANIFEST["icons"] if icon.get("purpose") == "maskable"]
    assert (PUBLIC / "favicon.svg").exists()


def test_it_opens_as_a_window_of_its_own() -> None:
    assert (MANIFEST["display"], MANIFEST["start_url"], MANIFEST["scope"]) == ("standalone", "/", "/")
