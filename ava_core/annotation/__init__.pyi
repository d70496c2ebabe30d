from .assignment import plan_assignment as plan_assignment
from .gateway import CvatGateway as CvatGateway
from .retrieve import read_completed as read_completed
from .staffing import requeue as requeue
from .staffing import top_up as top_up
from .sync import look_at_jobs as look_at_jobs
from .tasks import create_tasks as create_tasks
