"""What a figure of agreement says, in words and in colour, wherever it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ava_core.quality.review.plots import RELIABLE, TENTATIVE

_ALPHA: Final = (
    "Agreement beyond chance (Krippendorff's alpha): 1 is perfect, 0 is what guessing gives, below 0 is worse than "
    f"guessing. From {RELIABLE:g} on labels can be relied on, from {TENTATIVE:g} on with care."
)
_KAPPA: Final = (
    "Agreement of two people beyond chance (Cohen's kappa): 1 is perfect, 0 is what guessing gives."
)
_IOU: Final = "How much two boxes of one person overlap: shared area by joint area, 1 for the same box."
_TUBE: Final = "Overlap of two people's boxes over all seconds at which either of them drew the person."
_F1: Final = (
    "Share of boxes that found their partner at an overlap of 0.5; boxes that only one drew count against it."
)
_IDF1: Final = "As F1, and the box must belong to the right track: it falls where tracks change places."
_EDITED: Final = "The same of boxes that both people moved; what both left as it was drawn agrees by itself."
_TIGHT: Final = "Share of shared boxes that overlap by 0.75 or more."

MEANINGS: Final[Mapping[str, str]] = {
    "alpha": _ALPHA,
    "pooled_alpha": f"{_ALPHA} Over all classes together.",
    "macro_alpha": "Mean alpha of the classes that were named often enough; rare classes count like common ones.",
    "best_alpha": "Alpha with the partner with whom this annotator agrees best.",
    "mean_alpha": "Mean of the alphas with each partner.",
    "minimum_alpha": "The alpha that the ontology asks of this class before a release may hold it.",
    "kappa": _KAPPA,
    "fleiss_kappa": "Agreement of several people beyond chance (Fleiss' kappa).",
    "gwet_ac1": "Agreement with another idea of chance (Gwet's AC1); high on rare classes whatever people do.",
    "percent_agreement": "Share of equal answers, chance included; high on rare classes whatever people do.",
    "positive_agreement": "Where one of two says yes, how often the other one does as well.",
    "masi": "How alike two people's sets of labels are (MASI): 1 for the same set, less for a part of it, 0 for "
            "nothing shared. Not corrected for chance.",
    "mean_iou": _IOU,
    "box_mean_iou": _IOU,
    "edited_iou": _EDITED,
    "box_edited_iou": _EDITED,
    "tube_iou": _TUBE,
    "box_tube_iou": _TUBE,
    "share_tight": _TIGHT,
    "box_share_tight": _TIGHT,
    "f1": _F1,
    "box_f1": _F1,
    "idf1": _IDF1,
    "box_idf1": _IDF1,
    "temporal_iou": "How well the seconds overlap at which two people name the same action.",
    "flip_rate": "Share of answers that differ from those a second before: high where labels flicker.",
    "edit_rate": "Share of boxes that were not left as they were drawn beforehand.",
    "missed": "Boxes that only one annotator has.",
    "low": "Lower end of the interval of 95 %.",
    "high": "Upper end of the interval of 95 %.",
    "sensitivity": "Of the labels that hold, the share that was named.",
    "false_alarm_rate": "Of the labels that do not hold, the share that was named.",
    "box_error": "Mean distance of an edge from the others' mean, in shares of the box's size.",
    "gold_accuracy": "Share of answers equal to the expert's; what was left out is wrong.",
    "drift": "Alpha of the later half of the work minus that of the earlier half.",
    "expected_error": "How many wrong labels settling this answer is expected to mend.",
}  # fmt: skip
"""By the name of a column or a statistic."""

ALPHAS: Final = frozenset(
    {"alpha", "pooled_alpha", "kappa", "macro_alpha", "best_alpha", "mean_alpha", "fleiss_kappa"}
)
"""Figures that are corrected for chance: the marks hold for these alone."""


def trust(figure: str, value: object) -> str:
    """The style of a cell that holds a figure; "" where there is no mark for it, or no value."""
    if figure not in ALPHAS or not isinstance(value, float):
        return ""
    return "cell-good" if value >= RELIABLE else "cell-fair" if value >= TENTATIVE else "cell-weak"


def figure_of(column: str, row: Mapping[str, Any]) -> str:
    """The figure that a cell holds: its column's, or in a table with a row a statistic the row's."""
    return str(row.get("statistic") or "") if column == "value" else column
