"""What is reachable, which versions, what is missing and how to mend it: for `ava doctor` and the console."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ava_core.base.errors import AvaError
from ava_core.base.settings import Settings
from ava_core.base.text import plural

Status = Literal["ok", "warning", "failed"]

MINIMUM_FREE_GB = 10.0
"""An hour of 1080p makes about 2 GB of clips, keyframes and frames; below this a batch may not fit."""

PACKAGES = (
    "dagster",
    "nicegui",
    "torch",
    "torchvision",
    "rfdetr",
    "opencv-python",
    "av",
    "polars",
    "cvat-sdk",
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: its state, what was found, and what to do where it is not well."""

    subject: str
    status: Status
    found: str
    cure: str = ""

    @property
    def line(self) -> str:
        """What was found and the cure, as sentences."""
        end = "" if not self.cure or self.found.endswith(".") else "."
        return f"{self.found}{end} {self.cure}".strip()


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything in turn; a look that fails is a finding, never an error."""
    looks: list[tuple[str, Callable[[Settings], Finding]]] = [
        ("Python", _python),
        ("packages", _packages),
        ("video encoder", _encoder),
        ("video decoder", _decoder),
        ("files", _files),
        ("database", _database),
        ("ontology", _ontology),
        ("rules", _rules),
        ("extensions", _extensions),
        ("detector", _detector),
        ("annotation server", _annotation_server),
        ("work on it", _work),
        ("services", _services),
    ]
    for subject, look in looks:
        try:
            yield look(settings)
        except AvaError as error:
            yield Finding(subject, "failed", error.message, error.cure)
        except Exception as error:  # the doctor never falls ill: whatever breaks is what was asked for
            yield Finding(subject, "failed", f"{type(error).__name__}: {error}")


def _python(settings: Settings) -> Finding:
    return Finding("Python", "ok", ".".join(map(str, sys.version_info[:3])))


def _packages(settings: Settings) -> Finding:
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding(
            "packages", "failed", f"missing: {', '.join(missing)}", "Install again: pip install -e ."
        )
    return Finding("packages", "ok", ", ".join(found))


def _encoder(settings: Settings) -> Finding:
    from ava_core.video.media.codecs import encoder_fault, require_encoder
    from ava_core.video.media.encoding import ENCODERS

    require_encoder(settings)
    others = {name: encoder_fault(name) for name in ENCODERS if name != settings.video_encoder}
    return Finding("video encoder", "ok", _codecs(settings.video_encoder, others))


def _decoder(settings: Settings) -> Finding:
    from ava_core.video.media.codecs import DECODERS, decoder_fault, require_decoder

    require_decoder(settings)
    others = {name: decoder_fault(name) for name in DECODERS if name != settings.video_decoder}
    return Finding("video decoder", "ok", _codecs(settings.video_decoder, others))


def _codecs(chosen: str, others: Mapping[str, str]) -> str:
    """The chosen one, which was tried and works, and how the others fared."""
    import av

    fared = [
        f"{name} {'works too' if not fault else f'does not ({fault})'}" for name, fault in others.items()
    ]
    return "; ".join([f"{chosen} works, in PyAV {av.__version__}", *fared])


def _files(settings: Settings) -> Finding:
    from ava_core.base.storage import Storage

    storage = Storage(settings.resolved_storage_url)
    storage.write_bytes(storage.path(".doctor"), b"written by ava doctor")
    storage.path(".doctor").unlink()
    if not storage.is_local:
        return Finding("files", "ok", f"{storage.root} can be written")
    free = shutil.disk_usage(storage.local(storage.root)).free / 1e9
    found = f"{storage.root} can be written, {free:.0f} GB free"
    if free < MINIMUM_FREE_GB:
        return Finding(
            "files", "warning", found, "Free some space, or point AVA_STORAGE_URL to a larger disk."
        )
    return Finding("files", "ok", found)


def _database(settings: Settings) -> Finding:
    from sqlalchemy import make_url

    from ava_core.store import open_store

    open_store(settings)
    return Finding(
        "database", "ok", make_url(settings.resolved_database_url).render_as_string(hide_password=True)
    )


def _ontology(settings: Settings) -> Finding:
    from ava_core.ontology import load_ontology

    ontology = load_ontology(settings.ontology)
    found = f"{ontology.name} {ontology.version}: {len(ontology.actions)} actions in {len(ontology.groups)} groups"
    return Finding("ontology", "ok", found)


def _rules(settings: Settings) -> Finding:
    from ava_core.annotation.rules import load_rules
    from ava_core.ontology import load_ontology

    rules = load_rules(settings.rules, load_ontology(settings.ontology))
    return Finding("rules", "ok", f"{rules.name}: {plural(len(rules.rules), 'rule')}")


def _extensions(settings: Settings) -> Finding:
    """A broken one that is in use fails elsewhere, too; here it is a warning."""
    from ava_core.operations.extensions import look_at_extensions

    found = list(look_at_extensions())
    broken = [each.fault for each in found if each.fault]
    if broken:
        *others, last = broken
        said = " ".join([*map(str, others), last.message])
        return Finding("extensions", "warning", said, last.cure)
    said = ", ".join(f"{each.name} ({each.kind})" for each in found)
    return Finding("extensions", "ok", said or "none: no installed package adds to the platform")


def _detector(settings: Settings) -> Finding:
    if settings.detector == "motion":
        from ava_core.video.detection.motion import MotionDetector

        detector = MotionDetector()
        advice = (
            "Finds anything that moves in front of a fixed camera. "
            "AVA_DETECTOR=rfdetr finds people, but needs weights."
        )
        return Finding("detector", "ok", f"{detector.name} {detector.version}", advice)
    # The model itself is not loaded: whoever only looks must not take a GPU's memory.
    from ava_core.video.detection.registry import SHIPPED, added_factory, weights_file
    from ava_core.video.detection.rfdetr import check_weights

    if settings.detector not in SHIPPED:
        added_factory(settings.detector)
        return Finding("detector", "ok", f"{settings.detector}, which an installed package adds")
    weights = weights_file(settings)
    check_weights(weights)
    version = importlib.metadata.version("rfdetr")
    return Finding("detector", "ok", f"RF-DETR {settings.rfdetr_size} (rfdetr {version}), weights {weights}")


def _annotation_server(settings: Settings) -> Finding:
    from ava_core.annotation.gateway import CvatGateway

    with CvatGateway(settings) as gateway:
        about = gateway.about()
    kind = "embedded" if settings.cvat_is_embedded else "CVAT"
    return Finding("annotation server", "ok", f"{kind} at {settings.resolved_cvat_url}, version {about}")


def _work(settings: Settings) -> Finding:
    """What the last comparison found: the look itself asks the server nothing."""
    from ava_core.store import discrepancies, open_store

    found = discrepancies.known(open_store(settings))
    if not found:
        return Finding("work on it", "ok", "everything was in place at the last comparison")
    more = f" {len(found)} differences; see the Progress page." if len(found) > 1 else ""
    return Finding("work on it", "warning", found[0].said, found[0].cure + more)


def _services(settings: Settings) -> Finding:
    """What `ava up` says of the processes that it keeps."""
    from ava_core.operations.services import read_states

    states = read_states(settings)
    if not states:
        return Finding("services", "ok", "not managed by `ava up` on this machine")
    fallen = [state.sentence for state in states if state.ends]
    if fallen:
        return Finding("services", "warning", " ".join(fallen), f"See {settings.home_dir / 'logs'}.")
    return Finding("services", "ok", f"all {len(states)} run, none ended by itself")
