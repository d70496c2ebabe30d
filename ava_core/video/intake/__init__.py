"""Taking videos in: archives, folders, the inbox, and work that was done elsewhere."""
