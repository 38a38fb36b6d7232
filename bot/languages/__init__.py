"""The bot's own words, one module a language."""
