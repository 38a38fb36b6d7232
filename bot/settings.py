"""The settings of this layer: which model writes, and what it costs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kb.settings import Section


class LlmSettings(Section):
    """`[llm]`: the model that writes answers; without one the best sentences are quoted."""

    provider: Literal["none", "openai"] = Field("none", description="none, or any OpenAI-compatible API.")
    model: str = Field("", description="Model name at the API.")
    base_url: str = Field("", description="Base URL of the API; empty: OpenAI's own.")
    api_key_env: str = Field("OPENAI_API_KEY", description="Environment variable that holds the key.")
    temperature: float = Field(0.0, ge=0, le=2, description="Randomness of the wording.")
    timeout: float = Field(30.0, gt=0, description="Seconds the model may take before the quote is sent.")
    max_tokens: int = Field(600, ge=16, description="Longest answer, in tokens.")
    context_window: int = Field(16_384, ge=2048, description="The model's window, in tokens.")
    price_input: float = Field(0.0, ge=0, description="Price of a million input tokens.")
    price_output: float = Field(0.0, ge=0, description="Price of a million output tokens.")
