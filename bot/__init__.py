"""A Question becomes a cited Answer: commands, conversations, persona, upkeep."""
