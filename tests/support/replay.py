"""Replaying recorded exchanges against a running server, with its own ids, dates and media."""

from __future__ import annotations

import base64
import io
import json
import re
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx
import numpy as np

from tests.support import recordings as rec
from tests.support.recordings import Exchange

PASSWORD = "correct-horse"
RECEIVER = "http://127.0.0.1:8099"
"""Where the recorded server sent its webhooks."""

KIND_OF_KEY = {
    "label_id": "labels", "spec_id": "attributes", "project_id": "projects", "task_id": "tasks", "job": "jobs",
    "job_id": "jobs", "parent_job_id": "jobs", "assignee": "users", "assignee_id": "users",
}  # fmt: skip
LISTED_WITHIN = ("attributes", "tracks", "shapes")
"""Lists whose entries have ids but no address."""
PATIENCE = 20.0
"""Seconds that a request or a webhook's delivery may take."""


@dataclass(frozen=True)
class Outcome:
    """An exchange with what the running server answered."""

    exchange: Exchange
    status: int
    content_type: str
    answer: Any


class Replay:
    """A client that plays recorded requests, learning from each answer which live id stands for which recorded."""

    def __init__(self, base_url: str, receiver: str) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=30.0, verify=False)
        self._receiver = receiver
        self._ids: dict[tuple[str, int], int] = {}
        self._dates: dict[str, str] = {}
        self._moments: list[tuple[float, str]] = []
        self._secrets: dict[str, str] = {}
        self._tus = ""

    def play(self, exchange: Exchange) -> Outcome:
        """Send the request, wait where the recorded client had waited, and learn from the answer."""
        answer = self._send(exchange)
        deadline = time.monotonic() + PATIENCE
        while _is_early(exchange, answer) and time.monotonic() < deadline:
            time.sleep(0.02)
            answer = self._send(exchange)
        self._http.cookies.clear()
        self._moments.append((exchange.time, _now()))
        content_type = answer.headers.get("Content-Type", "").split(";")[0]
        body = answer.json() if answer.content and content_type.endswith("json") else None
        if exchange.path.endswith("/deliveries"):
            body["results"] = _of_recorded_events(exchange, body["results"])
        outcome = Outcome(exchange, answer.status_code, content_type, body)
        if "Upload-Length" in exchange.headers and (address := answer.headers.get("Location")):
            self._tus = httpx.URL(address).path
        if answer.is_success and exchange.status < 300 and body is not None:
            self._learn(exchange, body)
        return outcome

    def bring_about(self, refused: Exchange, history: list[Exchange]) -> None:
        """Do by other means what a refused request had done on the recorded server."""
        if "Upload-Finish" in refused.headers and "/data" in refused.path:
            body = {k: v for k, v in refused.request.items() if k != "validation_params"}
            self._send(replace(refused, request=body)).raise_for_status()
        for place in rec.BROUGHT_ABOUT.get((refused.flow, refused.number), ()):
            later = next(one for one in history if (one.flow, one.number) == place)
            if later.path.endswith("annotations"):
                change = replace(later, method="PUT", request=later.answer)
            else:
                change = replace(later, method="PATCH", request={"state": later.answer["state"]})
            json_headers = change.headers | {"Content-Type": "application/json"}
            self._send(replace(change, headers=json_headers)).raise_for_status()

    def is_same(self, recorded: dict[str, Any], live: dict[str, Any]) -> bool:
        """Whether a recorded and a live object are the same one, as far as their ids say."""
        address = re.search(r"/api/(\w+)/\d+$", str(recorded.get("url", "")))
        if address is None:
            return True
        return self._ids.get((address[1], recorded["id"])) == live.get("id")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _send(self, exchange: Exchange) -> httpx.Response:
        query = {name: self._live_query(name, value) for name, value in exchange.query.items()}
        headers = {name: value for name, value in exchange.headers.items() if name != "Content-Type"}
        if "Upload-Length" in headers:
            headers["Upload-Length"] = str(len(_file_of_size(int(headers["Upload-Length"]))))
        headers |= self._identity(exchange)
        if accept := rec.ACCEPT.get((exchange.flow, exchange.number)):
            headers["Accept"] = accept
        content, media_type = self._content(exchange)
        if media_type:
            headers["Content-Type"] = media_type
        return self._http.request(
            exchange.method,
            self._live_path(exchange.path),
            params=query or None,
            headers=headers,
            content=content,
        )

    def _identity(self, exchange: Exchange) -> dict[str, str]:
        caller = exchange.caller
        if "/auth/login" in exchange.path or "/auth/register" in exchange.path or caller == rec.ANONYMOUS:
            return {}
        if caller == rec.LOGIN_KEY:
            return {"Authorization": f"Token {self._secrets['annotator1']}"}
        if caller == rec.MISPLACED_TOKEN:
            return {"Authorization": f"Token {self._secrets[rec.FULL_TOKEN]}"}
        if caller in (rec.FULL_TOKEN, rec.READ_TOKEN, rec.OLD_TOKEN):
            return {"Authorization": f"Bearer {self._secrets[caller]}"}
        pair = (rec.ADMIN, "wrong") if caller == rec.WRONG_PASSWORD else (caller, PASSWORD)
        return {"Authorization": "Basic " + base64.b64encode(":".join(pair).encode()).decode()}

    def _content(self, exchange: Exchange) -> tuple[bytes | None, str]:
        media_type, request = exchange.headers.get("Content-Type", ""), exchange.request
        if media_type.startswith("multipart/"):
            return _multipart(_files_of(exchange))
        if "offset+octet-stream" in media_type:
            return _file_of_size(exchange.request["bytes"]), media_type
        if isinstance(request, dict) and "bytes" in request:
            return request["text"].encode(), media_type
        if request is None:
            return None, media_type
        return json.dumps(self._live(_with_secrets(exchange))).encode(), media_type

    def _live(self, value: Any, key: str = "", within: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self._live(one, name, within) for name, one in value.items()}
        if isinstance(value, list):
            return [self._live(one, key, key) for one in value]
        if isinstance(value, str):
            return value.replace(RECEIVER, self._receiver)
        kind = within if key == "id" and within in LISTED_WITHIN else KIND_OF_KEY.get(key)
        return self._live_id(kind, value) if kind and type(value) is int else value

    def _live_id(self, kind: str, recorded: int) -> int:
        """The live id of a recorded object; of a job that was never made here, an id that nothing has."""
        return self._ids.get((kind, recorded), recorded + (1_000_000 if kind == "jobs" else 0))

    def _live_path(self, path: str) -> str:
        def by_kind(found: re.Match[str]) -> str:
            kind, number = found[1], int(found[2])
            return f"/{kind}/{self._live_id(kind, number)}"

        def by_target(found: re.Match[str]) -> str:
            number = int(found[2])
            return f"target%3D{found[1]}%26target_id%3D{self._live_id(found[1] + 's', number)}"

        path = re.sub(r"/(\w+)/(\d+)(?=/|$)", by_kind, path)
        if re.search(r"/data/1_[-0-9a-f]+$", path):
            return self._tus
        return re.sub(r"target%3D(\w+)%26target_id%3D(\d+)", by_target, path)

    def _live_query(self, name: str, value: str) -> str:
        if name in KIND_OF_KEY and value.isdigit():
            return str(self._live_id(KIND_OF_KEY[name], int(value)))
        return re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", lambda found: self._live_date(found[0]), value)

    def _live_date(self, recorded: str) -> str:
        """A date that lies where the recorded one lay between the exchanges."""
        if recorded in self._dates:
            return self._dates[recorded]
        moment = datetime.fromisoformat(recorded).timestamp()
        return max((live for played, live in self._moments if played <= moment), default=_now())

    def _learn(self, exchange: Exchange, body: Any) -> None:
        if "access_tokens" in exchange.path and "value" in body:
            self._secrets[body["name"]] = body["value"]
        if "/auth/login" in exchange.path:
            self._secrets[exchange.caller] = body["key"]
        collection = exchange.path.rstrip("/").split("/")[-1]
        if exchange.method == "POST" and isinstance(body, dict) and isinstance(body.get("id"), int):
            # What is made anew takes the place of an older object of the same recorded id.
            self._ids[collection, exchange.answer["id"]] = body["id"]
        self._pair(exchange.answer, body, collection)

    def _pair(self, recorded: Any, live: Any, kind: str) -> None:
        if isinstance(recorded, list) and isinstance(live, list):
            recorded = [one for one in recorded if not _is_ground_truth(one)]
            if len(recorded) == len(live) or kind == "deliveries":
                for there, here in zip(recorded, live, strict=False):
                    self._pair(there, here, kind)
        if not isinstance(recorded, dict) or not isinstance(live, dict):
            return
        address = re.search(r"/api/(\w+)/\d+$", str(recorded.get("url", "")))
        kind = address[1] if address else kind
        if "results" in recorded and kind == "jobs" and _is_shifted(recorded, live):
            return
        if isinstance(recorded.get("id"), int) and isinstance(live.get("id"), int):
            self._ids.setdefault((kind, recorded["id"]), live["id"])
        for name in recorded.keys() & live.keys():
            if name.endswith("_date") and isinstance(recorded[name], str) and isinstance(live[name], str):
                self._dates[recorded[name]] = live[name]
            self._pair(recorded[name], live[name], name if name in LISTED_WITHIN else kind)


def _is_ground_truth(one: Any) -> bool:
    return isinstance(one, dict) and one.get("type") == "ground_truth"


def _is_shifted(recorded: dict[str, Any], live: dict[str, Any]) -> bool:
    """Whether a page of a list may hold other entries than the recorded one, as the lists are not as long."""
    return recorded["count"] != live["count"] and not any(map(_is_ground_truth, recorded["results"]))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _is_early(exchange: Exchange, answer: httpx.Response) -> bool:
    """Whether the recorded client saw more than has come about yet."""
    if answer.status_code != 200:
        return False
    if "/requests/" in exchange.path and exchange.answer["status"] in ("finished", "failed"):
        return answer.json()["status"] in ("queued", "started")
    if exchange.path.endswith("/deliveries"):
        return not _of_recorded_events(exchange, answer.json()["results"])
    return False


def _of_recorded_events(exchange: Exchange, deliveries: list[Any]) -> list[Any]:
    """Deliveries end in any order: on a page may stand other events than on the recorded one."""
    events = {one["event"] for one in exchange.answer["results"]}
    return [one for one in deliveries if one["event"] in events]


def _with_secrets(exchange: Exchange) -> Any:
    """The request's JSON with passwords and keys in place of what was redacted."""
    wrong = exchange.caller == rec.WRONG_PASSWORD
    too_short = "password1" in str(exchange.answer)
    secret = "wrong" if wrong else "1234" if too_short else PASSWORD
    body = exchange.request
    return (
        {k: secret if v == "<redacted>" else v for k, v in body.items()} if isinstance(body, dict) else body
    )


def _files_of(exchange: Exchange) -> dict[str, bytes]:
    """What a recorded multipart upload brought; only its length and hash were recorded."""
    name, size = exchange.flow, exchange.request["bytes"]
    video = {"clip.mp4": clip()}
    if name == "11b_data_mixed":
        return video | {"frame_000001.jpg": picture(1)}
    if size < 1_000:
        return {"broken.jpg": b"this is no picture"}
    if name == "11b_data_truncated":
        return {"frame_000001.jpg": picture(1), "frame_000002.jpg": picture(2)[:-200]}
    if name.startswith(("03b", "03d", "13a")):
        return video
    count = 24 if size > 200_000 else 5 if size > 50_000 else 1
    first = 2 if size > 18_000 else 1
    return {f"frame_{n:06}.jpg": picture(n) for n in range(first, first + count)}


def _file_of_size(recorded_bytes: int) -> bytes:
    """The file that stands for the one that was uploaded alone."""
    return clip() if recorded_bytes > 200_000 else picture(recorded_bytes)


def _multipart(files: dict[str, bytes]) -> tuple[bytes, str]:
    fields = [(f"client_files[{n}]", (name, raw)) for n, (name, raw) in enumerate(files.items())]
    request = httpx.Request("POST", "http://x", data={"image_quality": "70"}, files=fields)
    return request.read(), request.headers["Content-Type"]


@cache
def picture(number: int) -> bytes:
    """A JPEG of 64×36, another for each number."""
    import cv2

    pixels = np.random.default_rng(number).integers(0, 255, (36, 64, 3), np.uint8)
    return bytes(cv2.imencode(".jpg", pixels)[1])


@cache
def clip() -> bytes:
    """An H.264 video of 60 frames, 64×36, as the recorded one but for its size."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for number in range(60):
            pixels = np.full((36, 64, 3), 2 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()
