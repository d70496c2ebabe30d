"""Clips as videos of one second each, as AlphAction, VideoMAE-Action-Detection and STMixer open them."""
