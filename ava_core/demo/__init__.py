"""The demonstration: street scenes with known truth, annotators who are simulated, and their score."""
