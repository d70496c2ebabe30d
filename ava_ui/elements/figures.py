"""What a figure of agreement says, in words and in colour, wherever it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ava_core.quality.review.plots import RELIABLE, TENTATIVE

_ALPHA: Final = (
    "Agreement beyond chance (Krippendorff's alpha): 1 is perfect, 0 is chance level, below 0 is worse than "
    "chance. Labels are reliable from {RELIABLE:g}, and usable with care from {TENTATIVE:g}."
)
_KAPPA: Final = "Agreement of two people beyond chance (Cohen's kappa): 1 is perfect, 0 is chance level."
_IOU: Final = "How much two boxes of one person overlap (intersection over union); 1 for identical boxes."
_TUBE: Final = "Overlap of two annotators' boxes over all seconds at which either drew the person."
_F1: Final = "Share of boxes matched at an IoU of 0.5; boxes that only one annotator drew count against it."
_IDF1: Final = (
    "Like F1, but the box must also belong to the right track; it drops where tracks swap identities."
)
_EDITED: Final = "The same for boxes that both annotators moved; boxes neither touched agree automatically."
_TIGHT: Final = "Share of matched boxes with an IoU of 0.75 or more."

MEANINGS: Final[Mapping[str, str]] = {
    "alpha": _ALPHA,
    "pooled_alpha": f"{_ALPHA} Pooled over all classes.",
    "macro_alpha": "Mean alpha of the classes used often enough; rare and common classes count the same.",
    "best_alpha": "Alpha with the annotator this one agrees with best.",
    "mean_alpha": "Mean alpha with each other annotator.",
    "minimum_alpha": "The alpha this class needs, set in the ontology, before it can be released.",
    "kappa": _KAPPA,
    "fleiss_kappa": "Agreement of several people beyond chance (Fleiss' kappa).",
    "gwet_ac1": "Agreement under another chance model (Gwet's AC1); always high for rare classes.",
    "percent_agreement": "Share of equal answers, not corrected for chance; always high for rare classes.",
    "positive_agreement": "Where one annotator says yes, how often the other does too.",
    "masi":
        "Similarity of two annotators' label sets (MASI): 1 for the same set, less for a subset, 0 for "
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
    "temporal_iou": "How well the seconds overlap in which two annotators label the same action.",
    "flip_rate": "Share of answers that differ from the previous second; high where labels flicker.",
    "edit_rate": "Share of proposed boxes that the annotator edited.",
    "missed": "Boxes drawn by only one annotator.",
    "low": "Lower end of the 95 % interval.",
    "high": "Upper end of the 95 % interval.",
    "sensitivity": "Share of the correct labels that the annotator gave.",
    "false_alarm_rate": "Share of the incorrect labels that the annotator gave.",
    "box_error": "Mean distance of an edge from the others' mean, as a fraction of the box size.",
    "gold_accuracy": "Share of answers equal to the expert's; missing answers count as wrong.",
    "drift": "Alpha in the later half of the work minus alpha in the earlier half.",
    "expected_error": "How many wrong labels this answer is expected to fix.",
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
