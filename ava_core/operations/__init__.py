"""The whole platform at a glance: how far every batch is, figures over time, what is reachable."""
