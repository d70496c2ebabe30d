from .doctor import examine as examine
from .overview import batch_counts as batch_counts
