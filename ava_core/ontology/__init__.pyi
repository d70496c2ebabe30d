from .load import check_successor as check_successor
from .load import load_ontology as load_ontology
from .load import shipped_ontologies as shipped_ontologies
from .model import NONE as NONE
from .model import UNSET as UNSET
from .model import Action as Action
from .model import Group as Group
from .model import Ontology as Ontology
