"""Units of work and what runs them: in this process, or in several."""
