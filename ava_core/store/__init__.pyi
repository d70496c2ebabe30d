from .database import Store as Store
from .database import open_store as open_store
