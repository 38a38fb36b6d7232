"""Pages that show what the bot sends as the platforms would show it, and pictures of them."""
