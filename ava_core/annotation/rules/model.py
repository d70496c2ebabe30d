"""What a rule can be. Each is about one person at one keyframe in one annotator's work."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ava_core.base.schemas import Severity


class _Rule(BaseModel):
    """What all rules have: a name of its own, how grave a breach is, and what to tell the annotator."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str = Field(pattern=r"[a-z][a-z0-9_]*")
    severity: Severity
    say: str = ""


class MaxLabels(_Rule):
    """At most `most` active actions. Those in `not_counted`, actions or whole groups, are resting states."""

    kind: Literal["max_labels"]
    most: int = Field(ge=1)
    not_counted: tuple[str, ...] = ()


class MinArea(_Rule):
    """A box of at least `least_px` square pixels of the clip's picture."""

    kind: Literal["min_area"]
    least_px: float = Field(gt=0)


class Exclusive(_Rule):
    """At most one of these actions."""

    kind: Literal["exclusive"]
    actions: tuple[str, ...] = Field(min_length=2)


class Companion(_Rule):
    """Whoever does any of `actions` needs any of `needs` of the same person, or of another one at that keyframe."""

    kind: Literal["companion"]
    actions: tuple[str, ...] = Field(min_length=1)
    needs: tuple[str, ...] = Field(min_length=1)
    of: Literal["same_person", "another_person"]


class LabelsVanish(_Rule):
    """No answer holds over a keyframe that says `unset`, where CVAT shows it as gone; one breach a person."""

    kind: Literal["labels_vanish"]


Rule = Annotated[MaxLabels | MinArea | Exclusive | Companion | LabelsVanish, Field(discriminator="kind")]


class RuleSet(BaseModel):
    """The rules of a file, in its order."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    rules: tuple[Rule, ...]
