"""The known personas, and which model speaks in which of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.persona_settings import NamedVoice, PersonaMode, PersonaSettings, VoiceSettings
from bot.persona_texts import ENGLISH
from bot.settings import LlmSettings

LONGEST_REWRITE = 1_200  # tokens: a voice has more words than a draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """The model that training gave to a persona: it goes before the one in the settings."""

    model: str
    base_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Personas:
    """All personas that the settings name, and what the models behind them have in common."""

    settings: PersonaSettings
    others: tuple[NamedVoice, ...] = ()
    llm: LlmSettings = field(default_factory=LlmSettings)
    trained: Mapping[str, Trained] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, the default persona's first; the default is one when anything is said about it."""
        own = (self.settings.name,) if _is_described(self.settings) or not self.others else ()
        return tuple(dict.fromkeys((*own, *(other.name for other in self.others))))

    def voice(self, name: str) -> VoiceSettings | None:
        """Return a persona by its name, None when there is none; case does not matter."""
        every: Sequence[PersonaSettings | NamedVoice] = (self.settings, *self.others)
        return next(
            (one for one in every if one.name in self.names and one.name.lower() == name.lower()), None
        )

    def proper(self, name: str) -> str:
        """Return a persona's name as the settings write it."""
        return next((known for known in self.names if known.lower() == name.lower()), name)

    def with_trained(self, trained: Mapping[str, Trained]) -> Personas:
        """Return these with the models that training gave them."""
        return replace(self, trained=trained)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Who speaks, and in which `language` is said that they do.

    Without a `voice` nobody does, and `reason` says why in one line.
    """

    name: str = ""
    voice: VoiceSettings | None = None
    mode: PersonaMode = "rewrite"
    model: LlmSettings = field(default_factory=LlmSettings)
    reason: str = ""
    language: str = ""

    @property
    def shown(self) -> str:
        """Whose voice it is, for readers."""
        return (self.voice.description.strip() if self.voice else "") or self.name


def choose_model(persona: str | None, settings: Personas) -> Choice:
    """Choose which model speaks in which mode for a persona, or tell why none does."""
    if not settings.settings.enabled:
        return Choice(reason=ENGLISH.personas_off)
    if not persona:
        return Choice(reason=ENGLISH.none_asked)
    voice, name = settings.voice(persona), settings.proper(persona)
    if voice is None:
        known = ", ".join(map(repr, settings.names))
        return Choice(name=name, reason=ENGLISH.unknown.format(name=repr(persona), known=known))
    trained = settings.trained.get(name) if voice.mode != "prompt" else None
    llm = settings.llm if settings.llm.provider != "none" else None
    model = (trained.model if trained else "") or voice.model
    if not model and voice.mode == "prompt" and llm:
        model = llm.model
    if not model:
        needs = ENGLISH.no_model if voice.mode == "prompt" else ENGLISH.untrained
        return Choice(name=name, reason=needs.format(name=repr(name)))
    base_url = (trained.base_url if trained else "") or voice.base_url or (llm.base_url if llm else "")
    return Choice(
        name=name, voice=voice, mode=voice.mode, model=_model_settings(voice, settings.llm, model, base_url)
    )


def _model_settings(voice: VoiceSettings, llm: LlmSettings, model: str, base_url: str) -> LlmSettings:
    return LlmSettings(
        provider="openai",
        model=model,
        base_url=base_url,
        api_key_env=voice.api_key_env,
        temperature=voice.temperature,
        timeout=voice.timeout,
        max_tokens=max(llm.max_tokens, LONGEST_REWRITE),
        context_window=llm.context_window,
        price_input=voice.price_input,
        price_output=voice.price_output,
    )


def _is_described(settings: PersonaSettings) -> bool:
    return bool(settings.model or settings.prompt or settings.description or settings.examples)
