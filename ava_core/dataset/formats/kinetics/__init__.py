"""AVA-Kinetics, as mmaction2's `AVAKineticsDataset` reads it."""
