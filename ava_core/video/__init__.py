"""From files that people give to boxes at keyframes: intake, media, detection, tracking, proposals."""
