"""From exported conversations to training data in one person's voice. `building` is the way in."""
