"""What the doctor says, as a page or a tooltip puts it."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from ava_core.base.settings import load_settings
from ava_core.operations.doctor import Finding, examine
from ava_core.store import discrepancies, open_store
from ava_core.store.tables import Discrepancy
from ava_core.video.media.encoding import ENCODERS


@pytest.mark.parametrize(
    ("found", "cure", "line"),
    [
        ("it does not answer", "Start it.", "it does not answer. Start it."),
        ("It does not answer.", "Start it.", "It does not answer. Start it."),
        ("version 2", "", "version 2"),
    ],
)
def test_a_finding_is_told_in_sentences(found: str, cure: str, line: str) -> None:
    assert Finding("server", "failed", found, cure).line == line


def test_encoder_and_decoder_are_tried_and_the_others_told(tmp_path: Path) -> None:
    found = {one.subject: one for one in examine(load_settings(home=tmp_path))}
    encoder, decoder = found["video encoder"], found["video decoder"]
    assert (encoder.status, decoder.status) == ("ok", "ok")
    assert encoder.found.startswith(f"libx264 works, in PyAV {av.__version__}; h264_nvenc ")
    assert decoder.found.startswith(f"software works, in PyAV {av.__version__}; cuda ")
    for name in set(ENCODERS) - av.codecs_available:
        assert f"{name} does not (PyAV {av.__version__} was built without it)" in encoder.found


def test_an_encoder_or_decoder_that_does_not_work_is_a_failure_with_its_cure(tmp_path: Path) -> None:
    encoder = next(name for name in ENCODERS if name not in av.codecs_available)
    decoder = "videotoolbox" if encoder.endswith("videotoolbox") else "vaapi"
    settings = load_settings(home=tmp_path, video_encoder=encoder, video_decoder=decoder)
    failed = [one for one in examine(settings) if one.subject.startswith("video")]
    assert [one.status for one in failed] == ["failed", "failed"]
    assert failed[0].cure.endswith("Without that, set AVA_VIDEO_ENCODER=libx264.")
    assert failed[1].cure.endswith("Without that, set AVA_VIDEO_DECODER=software.")


def test_what_was_changed_on_the_server_is_said_with_its_cure(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, cvat_url="http://127.0.0.1:9")
    store = open_store(settings)

    def said() -> Finding:
        return next(finding for finding in examine(settings) if finding.subject == "work on it")

    assert said().status == "ok"
    names = ("anna", "ben")
    discrepancies.replace(
        store,
        [
            Discrepancy(kind="member_missing", subject=n, said=f"{n} is no member.", cure="Invite.")
            for n in names
        ],
    )
    assert said() == Finding(
        "work on it", "warning", "anna is no member.", "Invite. 2 differences; see the Progress page."
    )
    store.close()
