"""What one answer uses of the model, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass

from bot.messages import Usage
from bot.settings import LlmSettings


@dataclass(slots=True, kw_only=True)
class Spent:
    """Counts what one answer uses; filled while the model writes."""

    input_tokens: int = 0
    output_tokens: int = 0

    def add(self, other: Spent) -> None:
        """Add what one more call used."""
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens

    def usage(self, settings: LlmSettings) -> Usage:
        """Return the tokens with their cost at the settings' prices."""
        cost = self.input_tokens * settings.price_input + self.output_tokens * settings.price_output
        return Usage(
            input_tokens=self.input_tokens, output_tokens=self.output_tokens, cost=round(cost / 1e6, 9)
        )
