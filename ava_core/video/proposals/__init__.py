"""Boxes at keyframes, and the exchange files that older tools know."""
