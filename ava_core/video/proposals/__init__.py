"""Boxes at keyframes, and the exchange formats that older tools and AVA's readers know."""
