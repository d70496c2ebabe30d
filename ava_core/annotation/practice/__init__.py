"""Practice before real work: clips with known answers, labelled on the same page, and marked decision by decision."""
