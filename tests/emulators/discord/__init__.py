"""A Discord on loopback for the real client: see `server.DiscordEmulator`."""
