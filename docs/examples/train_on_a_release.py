"""From a release to a first training step. Run it whole, or cell by cell in an editor that knows `# %%`.

python docs/examples/train_on_a_release.py RELEASE_FOLDER [--steps 20] [--picture sample.png]
"""

# %% What to read
import argparse

import cv2
import torch
from torch import nn
from torch.utils.data import DataLoader

from ava_core.dataset.loading.torch_dataset import AvaSplit, collate

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("release")
parser.add_argument("--split", default="train")
parser.add_argument("--steps", type=int, default=20)
parser.add_argument("--picture", default="sample.png")
arguments = parser.parse_args()

torch.manual_seed(0)
data = AvaSplit(arguments.release, arguments.split, frames=8, stride=4, size=(96, 160))
print(f"{len(data)} keyframes, {data.num_classes - 1} action ids")

# %% One sample: the middle picture, its boxes, the names of what people do
sample = data[0]
picture = (sample["clip"][:, sample["clip"].shape[1] // 2].permute(1, 2, 0).numpy() * 255).astype("uint8")
picture = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), None, fx=4, fy=4)
for box, labels in zip(sample["boxes"], sample["labels"], strict=True):
    x1, y1, x2, y2 = (int(4 * side) for side in box)
    cv2.rectangle(picture, (x1, y1), (x2, y2), (60, 200, 60), 2)
    for line, action in enumerate(labels.nonzero().flatten().tolist()):
        at = (x1, max(12, y1 + 12 * (line + 1)))
        cv2.putText(picture, data.class_names[action], at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
cv2.imwrite(arguments.picture, picture)
print(
    f"{sample['video_id']} at {sample['timestamp']}: {len(sample['boxes'])} people, see {arguments.picture}"
)


# %% A model so small that it learns on a laptop: two 3-D convolutions, cut out at every person
class Tiny(nn.Module):
    """Features of the clip at 4 × 4 points of every person's box, to one score a class."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv3d(3, 16, (3, 5, 5), stride=(1, 4, 4), padding=(1, 2, 2)), nn.ReLU(),
            nn.Conv3d(16, 32, 3, stride=(2, 2, 2), padding=1), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(32 * 4 * 4, classes)

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


# %% Train
model = Tiny(data.num_classes)
optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
loader = DataLoader(data, batch_size=4, shuffle=True, collate_fn=collate)
losses: list[float] = []
while len(losses) < arguments.steps:
    for batch in loader:
        loss = nn.functional.binary_cross_entropy_with_logits(
            model(batch["clip"], batch["boxes"]), batch["labels"]
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
print(f"loss {losses[0]:.3f} → {losses[-1]:.3f} in {len(losses)} steps")
