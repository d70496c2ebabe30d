"""Clips, frames and downloads by address, behind the session. Range requests work, so that players can jump."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from upath import UPath

from ava_core.annotation.guidance import example_picture
from ava_core.base.errors import AvaError, InputError
from ava_core.base.names import check_batch_name
from ava_core.dataset.export.folders import contents
from ava_core.dataset.export.releases import release_file, release_folder
from ava_core.dataset.formats.ava import names
from ava_core.quality.review.audits import blind_item
from ava_core.video.preview import contact_sheet
from ava_ui import addresses
from ava_ui.known import player
from ava_ui.known.aliases import without_names
from ava_ui.known.console import Console
from ava_ui.web.fetched import FetchedFiles

HOUR: Final = {"Cache-Control": "private, max-age=3600"}
"""A clip of a batch never changes; a day later it may be another batch of the same name."""

LINK_SECONDS: Final = 3600
HALF_AN_HOUR: Final = {"Cache-Control": "private, max-age=1800"}
"""A link that a browser remembers holds for as long again."""

BYTES: Final = "application/octet-stream"
PICTURE_TYPES: Final = {".jpg": "image/jpeg", ".png": "image/png", ".svg": "image/svg+xml"}

HARMLESS: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
"""An SVG that is opened by itself runs nothing and asks nobody."""

PIECE: Final = 1 << 20
_CLIP: Final = re.compile(r"[A-Za-z0-9_.-]+")


def routes(console: Console) -> APIRouter:
    """All addresses of files."""
    router = APIRouter()
    _clip_routes(router, console)
    _release_routes(router, console)
    return router


def _clip_routes(router: APIRouter, console: Console) -> None:
    """Clips, their pictures, and what the player shows of them."""

    @router.get(addresses.CLIP_VIDEO)
    def clip(batch: str, clip_id: str) -> Response:
        row = console.tables.clip(check_batch_name(batch), _checked(clip_id))
        path = console.storage.path(row["path"])
        return _linked(console, path, "video/mp4") or FileResponse(
            _local(console, path), media_type="video/mp4", headers=HOUR
        )

    @router.get(addresses.KEYFRAME)
    def keyframe(batch: str, clip_id: str, second: int) -> Response:
        folder = console.storage.asset_dir(batch, "clips") / "keyframes" / _checked(clip_id)
        return FileResponse(
            _local(console, folder / f"{second:04d}.jpg"), media_type="image/jpeg", headers=HOUR
        )

    @router.get(addresses.TRACKS_SHOWN)
    def tracks(batch: str, clip_id: str) -> Response:
        return JSONResponse(player.track_document(console, check_batch_name(batch), clip_id))

    @router.get(addresses.REVIEW_SHOWN)
    def review(batch: str, clip_id: str, *, named: bool = True) -> Response:
        document = player.review_document(console, check_batch_name(batch), clip_id)
        return JSONResponse(document if named else without_names(document))

    @router.get(addresses.AUDIT_SHOWN)
    def audited(batch: str, item_id: int) -> Response:
        item = blind_item(console.store, check_batch_name(batch), item_id)
        return JSONResponse(player.audit_document(console, batch, item))

    @router.get(addresses.EXAMPLE)
    def example(example_id: int, *, still: bool = False) -> Response:
        picture = example_picture(console.storage, example_id, still=still)
        kind = "image/jpeg" if still else "image/webp"
        return FileResponse(_local(console, picture), media_type=kind, headers=HOUR)

    @router.get(addresses.CONTACT_SHEET)
    def sheet(batch: str) -> Response:
        clips = console.tables.table(check_batch_name(batch), "clips")
        tracked = console.tables.table(batch, "tracks")
        if clips is None or tracked is None:
            raise InputError(f"Batch {batch} has no tracks yet.", "Process it first.")
        return Response(contact_sheet(clips, tracked, console.storage), media_type="image/jpeg")


def _release_routes(router: APIRouter, console: Console) -> None:
    """Files of releases, to take home or to look at."""

    @router.get(addresses.RELEASE_CSV)
    def csv(release: str) -> Response:
        path, filename = (
            release_folder(console.storage, release) / names.ALL_ROWS,
            f"{release}_{names.ALL_ROWS}",
        )
        return _linked(console, path, "text/csv", filename) or FileResponse(
            _local(console, path), media_type="text/csv", filename=filename
        )

    @router.get(addresses.RELEASE_ZIP)
    def whole(release: str) -> Response:
        folder = release_folder(console.storage, release)
        name = {"Content-Disposition": f'attachment; filename="{release}.zip"'}
        return StreamingResponse(zipped(folder), media_type="application/zip", headers=name)

    @router.get(addresses.RELEASE_FILE)
    def single(release: str, path: str) -> Response:
        found, filename = release_file(console.storage, release, path), f"{release}_{path.rpartition('/')[2]}"
        return _linked(console, found, BYTES, filename) or FileResponse(
            _local(console, found), media_type=BYTES, filename=filename
        )

    @router.get(addresses.RELEASE_PICTURE)
    def picture(release: str, path: str) -> Response:
        found = _local(console, release_file(console.storage, release, path))
        if found.suffix not in PICTURE_TYPES:
            raise InputError(
                f"{path!r} is not a picture.", f"Fetch it from {addresses.release_file(release, path)}."
            )
        return FileResponse(found, media_type=PICTURE_TYPES[found.suffix], headers=HOUR | HARMLESS)


def refused(request: Any, error: Exception) -> Response:
    """An error for people, for whoever asked for a file."""
    missing = isinstance(error, (InputError, FileNotFoundError))
    text = str(error) if isinstance(error, AvaError) else "There is no such file."
    return PlainTextResponse(text, 404 if missing else 409)


def zipped(folder: UPath) -> Iterator[bytes]:
    """A zip of a folder, piece by piece: it is never whole in memory or on disk."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for name, source in contents(folder):
            with archive.open(f"{folder.name}/{name}", "w") as out:
                while piece := source.read(PIECE):
                    out.write(piece)
                    yield sink.taken()
    yield sink.taken()
    yield sink.taken()


class _Sink:
    """Takes what a zip writes until somebody fetches it."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing to do: every write is there at once."""

    def taken(self) -> bytes:
        whole = b"".join(self.pieces)
        self.pieces.clear()
        return whole


def _checked(clip_id: str) -> str:
    if not _CLIP.fullmatch(clip_id) or ".." in clip_id:
        raise InputError(f"{clip_id!r} is not a clip.", "The batch's page lists its clips.")
    return clip_id


def _linked(console: Console, path: UPath, kind: str, filename: str = "") -> Response | None:
    """The way to a file that the object store gives out itself, for an hour; `None` where the console serves it."""
    if not console.settings.storage_links or console.storage.is_local:
        return None
    if not path.exists():
        raise FileNotFoundError(path)
    shown = {"ResponseContentDisposition": f'attachment; filename="{filename}"'} if filename else {}
    link = path.fs.sign(path.path, expiration=LINK_SECONDS, ResponseContentType=kind, **shown)
    return RedirectResponse(link, headers=HALF_AN_HOUR)


def _local(console: Console, path: UPath) -> Path:
    """The file on this machine; a remote one is brought here once."""
    if not path.exists():
        raise FileNotFoundError(path)
    if console.storage.is_local:
        return console.storage.local(path)
    return FetchedFiles(console.settings.home_dir / "console_cache").here(path)
