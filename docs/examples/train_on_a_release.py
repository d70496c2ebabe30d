"""From a release to a trained model and its mAP. Run it whole, or cell by cell in an editor that knows `# %%`.

python docs/examples/train_on_a_release.py RELEASE_FOLDER [--steps 60] [--model r3d_18 --weights kinetics.pth]
"""

# %% What to read
import argparse
from pathlib import Path

import cv2
import polars as pl
import torch
from torch import nn
from torch.utils.data import DataLoader

from ava_core.dataset.formats.ava.evaluation import Evaluation, evaluate_release
from ava_core.dataset.loading.torch_dataset import AvaSplit, collate

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("release", type=Path)
parser.add_argument("--split", default="train", help="what is trained on")
parser.add_argument("--against", default="val", help="what is evaluated on")
parser.add_argument("--steps", type=int, default=60)
parser.add_argument("--batch", type=int, default=4)
parser.add_argument("--workers", type=int, default=0)
parser.add_argument(
    "--source", choices=["frames", "videos", "shards"], help="default: the first that is there"
)
parser.add_argument("--model", choices=["small", "r3d_18"], default="small", help="r3d_18: torchvision's")
parser.add_argument("--weights", type=Path, help="a state dict of r3d_18, as torchvision publishes it")
parser.add_argument("--picture", type=Path, default=Path("sample.png"), help="where a sample is drawn")
parser.add_argument("--detections", type=Path, default=Path("found.csv"), help="for ava evaluate")


# %% A model: features of the clip, cut out at every person, to one score a class
class OnPeople(nn.Module):
    """`body` makes features `(channels, time, h, w)` of clips; each person's are averaged over time."""

    def __init__(self, body: nn.Module, channels: int, classes: int) -> None:
        super().__init__()
        self.body = body
        self.head = nn.Linear(channels * 4 * 4, classes)

    def forward(self, clip: torch.Tensor, boxes: list[torch.Tensor]) -> torch.Tensor:
        features = self.body(clip).mean(dim=2)
        size = torch.tensor([clip.shape[-1], clip.shape[-2]] * 2)
        people = [cut(own, box / size) for own, box in zip(features, boxes, strict=True)]
        return self.head(torch.cat(people).flatten(1))


def cut(features: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Features `(channels, h, w)` at 4 × 4 points of each box, `(people, channels, 4, 4)`; boxes in [0, 1]."""
    steps = (torch.arange(4) + 0.5) / 4
    x = boxes[:, 0, None] + (boxes[:, 2] - boxes[:, 0])[:, None] * steps
    y = boxes[:, 1, None] + (boxes[:, 3] - boxes[:, 1])[:, None] * steps
    points = torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None]), dim=-1) * 2 - 1
    every = features.expand(len(boxes), -1, -1, -1)
    return nn.functional.grid_sample(every, points, align_corners=False)


def model_for(name: str, weights: Path | None, classes: int) -> OnPeople:
    """`small` learns on a laptop: two 3-D convolutions; `r3d_18`: a ResNet up to its third stage."""
    if name == "small":
        body = nn.Sequential(
            nn.Conv3d(3, 16, (3, 5, 5), stride=(1, 4, 4), padding=(1, 2, 2)), nn.ReLU(),
            nn.Conv3d(16, 32, 3, stride=(2, 2, 2), padding=1), nn.ReLU(),
        )  # fmt: skip
        return OnPeople(body, 32, classes)
    from torchvision.models.video import r3d_18

    whole = r3d_18(weights=None)
    if weights is not None:
        whole.load_state_dict(torch.load(weights, weights_only=True))
    return OnPeople(nn.Sequential(whole.stem, whole.layer1, whole.layer2, whole.layer3), 256, classes)


# %% One sample: the middle picture, its boxes, the names of what people do
def draw(data: AvaSplit, path: Path) -> None:
    sample = data[0]
    picture = sample["clip"][:, sample["clip"].shape[1] // 2].permute(1, 2, 0).numpy()
    picture = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), None, fx=4, fy=4)
    for box, labels in zip(sample["boxes"], sample["labels"], strict=True):
        x1, y1, x2, y2 = (int(4 * side) for side in box)
        cv2.rectangle(picture, (x1, y1), (x2, y2), (60, 200, 60), 2)
        for line, action in enumerate(labels.nonzero().flatten().tolist()):
            at = (x1, max(12, y1 + 12 * (line + 1)))
            name = data.class_names[action]
            cv2.putText(picture, name, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
    cv2.imwrite(str(path), picture)
    print(f"{sample['video_id']} at {sample['timestamp']}: {len(sample['boxes'])} people, see {path}")


# %% Train
def train(model: nn.Module, loader: DataLoader, steps: int) -> list[float]:
    """The loss of every step."""
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    model.train()
    losses: list[float] = []
    while len(losses) < steps:
        for batch in loader:
            scores = model(batch["clip"] / 255, batch["boxes"])
            loss = nn.functional.binary_cross_entropy_with_logits(scores, batch["labels"])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
            if len(losses) == steps:
                break
    return losses


# %% Evaluate: what it says of the people who are there, as a csv that `ava evaluate` takes too
@torch.no_grad()
def detections(model: nn.Module, data: AvaSplit) -> pl.DataFrame:
    """A row a person and class. The boxes are the truth's: what is measured is how well actions are told apart."""
    model.eval()
    rows = []
    for number in range(len(data)):
        item = data[number]
        scores = model(item["clip"][None] / 255, [item["boxes"]]).sigmoid()
        height, width = item["clip"].shape[-2:]
        for box, own in zip(item["boxes"] / torch.tensor([width, height] * 2), scores, strict=True):
            place = (item["video_id"], item["timestamp"], *box.tolist())
            rows += [(*place, action, own[action].item()) for action in data.class_names]
    return pl.DataFrame(rows, orient="row")


def evaluation(model: nn.Module, data: AvaSplit, release: Path, split: str, csv: Path) -> Evaluation:
    detections(model, data).write_csv(csv, include_header=False)
    return evaluate_release(release, csv, split)


def main() -> None:
    chosen = parser.parse_args()
    torch.manual_seed(0)
    how = {"frames": 8, "stride": 4, "size": (96, 160), "source": chosen.source, "uint8": True}
    data = AvaSplit(chosen.release, chosen.split, **how)
    held_out = AvaSplit(chosen.release, chosen.against, **how)
    print(
        f"{len(data)} keyframes to learn from, {len(held_out)} to evaluate on, {len(data.class_names)} classes"
    )
    draw(data, chosen.picture)
    model = model_for(chosen.model, chosen.weights, data.num_classes)
    against = held_out, chosen.release, chosen.against, chosen.detections
    before = evaluation(model, *against)
    loader = DataLoader(data, chosen.batch, shuffle=True, collate_fn=collate, num_workers=chosen.workers)
    losses = train(model, loader, chosen.steps)
    print(f"loss {losses[0]:.3f} → {losses[-1]:.3f} in {len(losses)} steps")
    after = evaluation(model, *against)
    for warning in after.warnings:
        print(warning)
    print(f"mAP on {chosen.against} {before.mean:.3f} → {after.mean:.3f}; see {chosen.detections}")


if __name__ == "__main__":
    main()
