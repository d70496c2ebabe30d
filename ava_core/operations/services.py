"""How the processes of `ava up` fare: it writes that down as it changes, whoever wants to know reads it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from ava_core.base.settings import Settings
from ava_core.base.text import plural

State = Literal["starting", "runs", "waits"]
"""`waits`: it ended by itself and is about to be started again."""

FILE: Final = "services.json"


@dataclass(frozen=True)
class ServiceState:
    """One service: `ends` counts how often it ended by itself since `ava up` was started, `reason` says how last."""

    name: str
    state: State
    ends: int = 0
    reason: str = ""

    @property
    def sentence(self) -> str:
        """What a person should know; "" where nothing ever went wrong."""
        if not self.ends:
            return ""
        now = {"starting": "it starts again", "runs": "it runs again", "waits": "restarting soon"}
        return f"{self.name} {self.reason} ({plural(self.ends, 'time')} so far); {now[self.state]}."


def run_dir(settings: Settings) -> Path:
    """Folder of what is true only while the platform runs."""
    return settings.home_dir / "run"


def write_states(settings: Settings, states: Sequence[ServiceState]) -> None:
    """Keep what holds now; a full disk is no reason to end what runs."""
    folder = run_dir(settings)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = folder / f".{FILE}.{os.getpid()}"
        temporary.write_text(json.dumps([asdict(state) for state in states]))
        temporary.replace(folder / FILE)


def read_states(settings: Settings) -> list[ServiceState]:
    """What `ava up` wrote last; empty where it does not run on this home."""
    with suppress(OSError, ValueError, TypeError):
        return [ServiceState(**state) for state in json.loads((run_dir(settings) / FILE).read_text())]
    return []


def forget_states(settings: Settings) -> None:
    """Nothing runs any more."""
    with suppress(OSError):
        (run_dir(settings) / FILE).unlink(missing_ok=True)
