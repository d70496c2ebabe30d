"""Inputs that somebody crafted to fill memory, time or the program itself; `python -m tests.support.crafted KIND`.

Each is made small on disk and asks for much. A child process under limits takes all of a kind, and prints a line each:
name, seconds, and what was answered.
"""

from __future__ import annotations

import io
import json
import pickle
import resource
import struct
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

MEMORY_BYTES: Final = 3 << 30
"""Addresses that a child may take: libraries alone take half."""

SECONDS: Final = 120
"""Of the processor's time, for all of a kind."""

META = (
    '<?xml version="1.0"?><annotations><version>1.1</version><meta><task><id>7</id><name>a.mp4</name><size>450</size>'
    "<original_size><width>640</width><height>360</height></original_size></task></meta>"
)
BOX = '<box frame="{}" keyframe="1" outside="0" occluded="0" xtl="1" ytl="1" xbr="99" ybr="99"></box>'
LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
REPEATED = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
ROW = "v,0902,0.1,0.1,0.5,0.5,1,1\n"


def xml(content: str | bytes, folder: Path) -> object:
    from ava_core.dataset.importing.cvat_xml import import_cvat_xml
    from ava_core.ontology import load_ontology

    path = folder / "a.xml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return import_cvat_xml([path], load_ontology("street"))


def zipped(name: str, size: int, unit: bytes) -> bytes:
    """A small zip whose one file holds a unit so often that it has that size."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as file:
        file.write(META.encode())
        for _ in range(size // (len(unit) << 16)):
            file.write(unit * (1 << 16))
        file.write(b"</annotations>")
    return made.getvalue()


def ontology(content: str | bytes, folder: Path) -> object:
    from ava_core.ontology import load_ontology

    path = folder / "own.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_ontology(path)


def rules(content: str, folder: Path) -> object:
    from ava_core.annotation.rules.load import load_rules
    from ava_core.ontology import load_ontology

    (folder / "rules.yaml").write_text(content)
    return load_rules(str(folder / "rules.yaml"), load_ontology("street"))


def png(width: int, height: int, rows: int = 1000) -> bytes:
    """A picture that says how large it is, with so many rows of it."""

    def part(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    pixels = zlib.compressobj(1)
    data = b"".join(pixels.compress(bytes(1 + 3 * width)) for _ in range(rows)) + pixels.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", data) + part(b"IEND", b"")


def picture(content: bytes, folder: Path) -> object:
    from ava_core.base.pictures import read_picture

    (folder / "a.jpg").write_bytes(content)
    return read_picture(folder / "a.jpg")


def older(content: str, folder: Path) -> object:
    from ava_core.dataset.importing.older_csv import import_older_csv
    from ava_core.ontology import load_ontology

    (folder / "a.csv").write_text(content)
    return import_older_csv(folder / "a.csv", load_ontology("street")).dataset.rows.height


def ava(content: str, folder: Path) -> object:
    from ava_core.dataset.importing.ava import import_ava
    from ava_core.ontology import load_ontology

    (folder / "ava_train_v2.2.csv").write_text(content)
    return import_ava(folder / "ava_train_v2.2.csv", load_ontology("street")).dataset.rows.height


def loaded(content: bytes, folder: Path) -> object:
    from ava_core.base.pickles import safe_load

    return safe_load(content)


def nested(depth: int) -> bytes:
    return b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."


def doubled(times: int) -> bytes:
    """A list of a list twice, of a list twice, …"""
    made: list[object] = []
    for _ in range(times):
        made = [made, made]
    return pickle.dumps(made, 2)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("1",)


Case = Callable[[Path], object]

CASES: Final[Mapping[str, Mapping[str, Case]]] = {
    "CVAT XML": {
        "entities of entities": lambda at: xml(f"{LAUGHS}]><annotations>&i;</annotations>", at),
        "an entity that refers to a file": lambda at: xml(
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotations>&x;</annotations>', at
        ),
        "100 000 nested elements": lambda at: xml(
            META + "<a>" * 10**5 + "</a>" * 10**5 + "</annotations>", at
        ),
        "a zip of 300 MB of blanks": lambda at: xml(zipped("annotations.xml", 300 << 20, b" "), at),
        "a zip of 60 million elements": lambda at: xml(zipped("annotations.xml", 240 << 20, b"<a/>"), at),
        "a box two billion frames away": lambda at: xml(
            f'{META}<track id="0" label="person">{BOX.format(0)}{BOX.format(2**31 - 2)}</track></annotations>', at
        ),
        "a task of two billion frames": lambda at: xml(
            META.replace("450", str(2**31 - 1)) + '<track id="0" label="person"/></annotations>', at
        ),
        "an unusual encoding": lambda at: xml(META.replace("1.0", '1.0" encoding="utf-7') + "</annotations>", at),
        "cut in the middle": lambda at: xml(META[:150], at),
    },
    "YAML": {
        "aliases of aliases": lambda at: ontology(REPEATED, at),
        "rules of aliases of aliases": lambda at: rules(REPEATED, at),
        "100 000 nested lists": lambda at: ontology("[" * 100_000, at),
        "an impossible date": lambda at: ontology("version: 2001-99-99", at),
        "a number of 5000 digits": lambda at: ontology("version: " + "9" * 5000, at),
        "bytes that are not text": lambda at: ontology(b"\xff\xfe\xff", at),
        "an object to construct": lambda at: ontology("!!python/object/apply:os.system [id]", at),
        "a file of 10 MB": lambda at: ontology("a: [1, 2]\n" * 1_000_000, at),
        "a list that contains itself": lambda at: ontology("name: &a [*a]", at),
    },
    "pictures": {
        "900 million pixels in 3 MB": lambda at: picture(png(30_000, 30_000, 300), at),
        "a side of two billion": lambda at: picture(png(2**31 - 1, 1, 0), at),
        "a side of 0 pixels": lambda at: picture(png(0, 5, 0), at),
        "a JPEG of 65 535 × 65 535": lambda at: picture(
            b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff" + bytes(50), at
        ),
        "a JPEG of padding bytes": lambda at: picture(b"\xff\xd8" + b"\xff" * 10_000_000, at),
        "cut in the middle": lambda at: picture(png(100, 100, 100)[:60], at),
        "a text file": lambda at: picture(b"this is no picture", at),
    },
    "pickles": {
        "a call": lambda at: loaded(pickle.dumps(Evil()), at),
        "lists in lists": lambda at: loaded(nested(100_000), at),
        "a list doubled 60 times": lambda at: loaded(doubled(60), at),
        "a value stored under index two billion": lambda at: loaded(b"\x80\x02Nr\xff\xff\xff\x7f.", at),
        "text of four gigabytes": lambda at: loaded(b"\x80\x02X\xff\xff\xff\xff.", at),
        "cut in the middle": lambda at: loaded(pickle.dumps({"v,0902": [[0.1] * 5]}, 2)[:20], at),
    },
    "CSV": {
        "a line of 20 MB": lambda at: older("x" * 20_000_000, at),
        "five million columns": lambda at: older("," * 5_000_000, at),
        "a quote that never ends": lambda at: older(ROW + '"' + ROW * 100_000, at),
        "zero bytes": lambda at: older("\0" * 5_000_000, at),
        "a number of a million digits": lambda at: ava(f"{ROW}v,0902,{'9' * 10**6},0.1,0.5,0.5,1,1\n", at),
        "a second a million years away": lambda at: ava(f"{ROW}v,1e300,0.1,0.1,0.5,0.5,1,1\n", at),
        "a video name of 100 000 letters": lambda at: ava(f"{ROW}{'v' * 10**5},0902,0.1,0.1,0.5,0.5,1,1\n", at),
        "an empty file": lambda at: ava("", at),
    },
}  # fmt: skip
"""By kind and name."""


def main() -> None:
    """Take all of a kind, under limits."""
    from ava_core.base.errors import AvaError

    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    for name, take in CASES[sys.argv[1]].items():
        with tempfile.TemporaryDirectory() as folder:
            began = time.process_time()
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, resource.RLIM_INFINITY))
            try:
                take(Path(folder))
                said = "accepted"
            except AvaError as error:
                said = str(error).replace(folder, "…").replace(Path(folder).name, "…")
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            print(json.dumps([name, round(time.process_time() - began, 1), said]), flush=True)


if __name__ == "__main__":
    main()
