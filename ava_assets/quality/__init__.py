"""How well annotators agree, what the admin decided, and the consensus that follows."""
