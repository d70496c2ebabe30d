"""How well annotators agree: who is whom, then chance-corrected figures with intervals, then the gate."""
