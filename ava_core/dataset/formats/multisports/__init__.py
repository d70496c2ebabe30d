"""Tubes as MultiSports and UCF101-24 keep them."""
