"""From a batch's input to boxes at keyframes: source videos, clips, tracks, dense proposals."""
