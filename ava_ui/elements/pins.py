"""A short list of source videos, each pinned to a split; lines are added and taken away."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from ava_core.base.errors import InputError


class Pins:
    """`sources` may be pinned, to one of `splits`."""

    def __init__(self, sources: Sequence[str], splits: Sequence[str]) -> None:
        self.sources, self.splits = list(sources), list(splits)
        self._lines: dict[ui.row, tuple[ui.select, ui.select]] = {}
        self._place = ui.column().classes("gap-1")
        with self._place:
            ui.label("Each source video is assigned a split automatically, unless you pin it here.").classes(
                "soft"
            )
        ui.button("Pin a source video", icon="push_pin", on_click=self.add).props("flat dense no-caps").mark(
            "add-pin"
        ).set_enabled(bool(self.sources))

    def add(self) -> None:
        """One line more."""
        with self._place, ui.row().classes("items-center") as line:
            source = ui.select(
                self.sources, label="source video", with_input=True,
                validation=lambda value: None if value else "Choose one, or remove the line.",
            ).classes("w-80").mark("pin-source")  # fmt: skip
            split = (
                ui.select(self.splits, value=self.splits[0], label="split").classes("w-32").mark("pin-split")
            )
            ui.button(icon="close", on_click=lambda: self._remove(line)).props(
                'flat round dense aria-label="Remove this pin"'
            )
        self._lines[line] = (source, split)

    def chosen(self) -> dict[str, str]:
        """Splits by source video. Raises `InputError` for a line without one, and for one that stands twice."""
        pins: dict[str, str] = {}
        for source, split in self._lines.values():
            if not source.validate():
                raise InputError(
                    "Nothing was done: a pin has no source video.", "Choose one, or remove the line."
                )
            if source.value in pins:
                raise InputError(f"{source.value} is pinned twice.", "Remove one of the lines.")
            pins[source.value] = split.value
        return pins

    def _remove(self, line: ui.row) -> None:
        del self._lines[line]
        line.delete()
