"""How the style model is spoken to while it is trained: with the very words of `persona_prompts`."""

from __future__ import annotations

from dataclasses import dataclass

from bot.persona_prompts import rewrite_chat, voice_prompt
from bot.persona_settings import VoiceSettings


@dataclass(frozen=True, slots=True)
class VoiceWording:
    """The words for one voice; `who` is whose voice it is, as readers are told."""

    voice: VoiceSettings
    who: str

    def chat(self) -> str:
        """Return the system's message of a plain conversation."""
        return voice_prompt(self._trained, self.who)

    def rewrite(self, draft: str) -> tuple[str, str]:
        """Return the system's and the user's message that ask for a draft in the voice."""
        (_, system), (_, user) = rewrite_chat(self._trained, self.who, draft)
        return system, user

    @property
    def _trained(self) -> VoiceSettings:
        """The voice without the examples that are only shown to a model that was not trained."""
        return self.voice.model_copy(update={"mode": "rewrite"})
