"""How well annotators agree, the consensus that follows, and what a reviewer sees before deciding."""
