"""`[persona]` and `[[personas]]`: voices in which checked answers may be given."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kb.settings import Interval, Section

PersonaMode = Literal["rewrite", "direct", "prompt"]
PERSONA_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


class VoiceSettings(Section):
    """One voice: which model speaks in it, and how."""

    description: str = Field("", description="Whose voice it is, as readers are told: in the voice of ….")
    model: str = Field("", description="The style model: ft:… at OpenAI, or a name at base_url.")
    base_url: str = Field("", description="Base URL of its API; empty: [llm] base_url, else OpenAI's own.")
    api_key_env: str = Field("OPENAI_API_KEY", description="Environment variable that holds the key.")
    mode: PersonaMode = Field(
        "rewrite", description="rewrite a checked draft, direct from the passages, or prompt a base model."
    )
    prompt: str = Field("", description="What the model is told about the voice (all modes).")
    examples: tuple[str, ...] = Field((), description="Replies in the voice, shown to the model (prompt).")
    channels: tuple[str, ...] = Field((), description="Ids of the only channels it may speak in; empty: any.")
    temperature: float = Field(0.3, ge=0, le=2, description="Randomness of the wording.")
    timeout: float = Field(15.0, gt=0, description="Seconds the voice may take; then the draft is sent.")
    price_input: float = Field(0.0, ge=0, description="Price of a million input tokens.")
    price_output: float = Field(0.0, ge=0, description="Price of a million output tokens.")


class NamedVoice(VoiceSettings):
    """`[[personas]]`: one more voice."""

    name: str = Field(pattern=PERSONA_NAME, description="A short name, unique among the personas.")


class PersonaSettings(VoiceSettings):
    """`[persona]`: the flag, the default voice, and what guards all voices."""

    enabled: bool = Field(False, description="Replies may be given in a voice.")
    name: str = Field("persona", pattern=PERSONA_NAME, description="Name of the default voice.")
    share: float = Field(1.0, ge=0, le=1, description="Share of the answers that are given in a voice.")
    per_minute: int = Field(30, ge=1, description="Answers in a voice a minute, at most.")
    reject_limit: float = Field(
        0.3, ge=0, le=1, description="A voice is switched off when the lock rejects a larger share than this."
    )
    dislike_limit: float = Field(
        0.4, ge=0, le=1, description="… or when a larger share of its answers is rated bad."
    )
    window: int = Field(50, ge=5, description="Latest answers that these two shares are taken over.")
    pause: Interval = Field("1d", description="How long a voice that was switched off stays off.")
