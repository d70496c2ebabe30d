from .agreement.measure import measure_agreement as measure_agreement
from .agreement.verify import verify_agreement as verify_agreement
from .consensus.form import form_consensus as form_consensus
from .review.queue import review_queue as review_queue
