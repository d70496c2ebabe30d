"""A job as the page for labelling shows it: people, where they are and what is said of them, and the way back."""
