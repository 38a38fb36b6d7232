"""The settings: one TOML file and the environment, read once, typed, and passed down as sections.

`LOREKEEPER_SECTION__KEY` in the environment goes before `key` under `[section]` in the file. A secret is
never in the file: the file names the environment variable that holds it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableVariable

from adapters.discord.settings import DiscordSettings
from adapters.errors import SettingsError
from adapters.settings_errors import describe, nearest_variable
from adapters.slack.settings import SlackSecrets, SlackSettings
from bot.chat_settings import ChannelSettings, PlatformSettings
from bot.persona_settings import NamedVoice, PersonaSettings
from bot.settings import LlmSettings
from kb.settings import (
    DatabaseSettings,
    DataSettings,
    EmbeddingSettings,
    FetchSettings,
    ReadersSettings,
    RetrievalSettings,
    ScheduleSettings,
    SyncSettings,
)
from kb.sources import AnySource, FolderSource

PREFIX = "LOREKEEPER_"
CONFIG_VARIABLE = "LOREKEEPER_CONFIG"
DEFAULT_CONFIG = Path("config.toml")


class Settings(BaseSettings):
    """All settings. Sections are handed to what needs them, never the whole."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, env_ignore_empty=True
    )

    data: DataSettings = DataSettings()
    database: DatabaseSettings = DatabaseSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    llm: LlmSettings = LlmSettings()
    persona: PersonaSettings = PersonaSettings()
    personas: tuple[NamedVoice, ...] = ()
    retrieval: RetrievalSettings = RetrievalSettings()
    sync: SyncSettings = SyncSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    fetch: FetchSettings = FetchSettings()
    readers: ReadersSettings = ReadersSettings()
    slack: SlackSettings = SlackSettings()
    discord: DiscordSettings = DiscordSettings()
    channels: tuple[ChannelSettings, ...] = ()
    sources: tuple[AnySource, ...] = ()

    @property
    def platforms(self) -> dict[str, PlatformSettings]:
        """The chat platforms that are switched on, by name."""
        every: dict[str, PlatformSettings] = {"slack": self.slack, "discord": self.discord}
        return {name: platform for name, platform in every.items() if platform.enabled}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment go before the file, whose content comes in as arguments."""
        return env_settings, init_settings


def find_config(given: Path | None) -> Path | None:
    """Return the settings file: the given one, $LOREKEEPER_CONFIG, ./config.toml or none."""
    named = given or (Path(value) if (value := os.environ.get(CONFIG_VARIABLE)) else None)
    if named is not None:
        if named.is_dir():
            raise SettingsError(f"settings file {str(named)!r} is a folder. Name the file in it.")
        if not named.exists():
            raise SettingsError(f"settings file {str(named)!r} does not exist. Make one: lorekeeper init")
        return named
    return DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None


def load_settings(config: Path | None = None, data: Path | None = None) -> Settings:
    """Read file and environment; `data` goes before both. Relative paths start at the file's folder."""
    file = find_config(config)
    values = _read(file) if file else {}
    _reject_unknown_variables()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsError(describe(error, Settings, file=file, prefix=PREFIX)) from None
    except UnreadableVariable as error:
        raise SettingsError(_unreadable_variable(error)) from None
    settings = _resolved(settings, file.resolve().parent if file else Path.cwd(), data)
    _reject_duplicates(settings, file)
    return settings


def read_secret(section: str, settings: EmbeddingSettings | LlmSettings) -> SecretStr | None:
    """Return the API key that a section names; None where its server needs none."""
    if settings.provider != "openai":
        return None
    variable = _checked_name(f"{section}.api_key_env", settings.api_key_env)
    if (secret := read_variable(variable)) is not None:
        return secret
    # A self-hosted server often wants no key; whoever names a variable of their own means it to be set.
    if settings.base_url and variable == type(settings).model_fields["api_key_env"].default:
        return None
    raise _missing(
        f"{section}.api_key_env", variable, f"your API key, or leave {section}.provider at its default"
    )


def read_slack_secrets(settings: SlackSettings) -> SlackSecrets:
    """Return what `[slack]` names; raise SettingsError where something is missing that its mode needs."""
    secrets = {
        key.removesuffix("_env"): read_variable(_checked_name(f"slack.{key}", getattr(settings, key)))
        for key in ("bot_token_env", "app_token_env", "signing_secret_env", "client_secret_env")
    }
    for name in _needed_by_slack(settings):
        if secrets[name] is None:
            key = f"{name}_env"
            told = f"the app's {name.replace('_', ' ')}, or set slack.enabled to false"
            raise _missing(f"slack.{key}", getattr(settings, key), told)
    return SlackSecrets(**secrets)


def read_discord_token(settings: DiscordSettings) -> SecretStr:
    """Return the bot token that `[discord]` names; raise SettingsError when it is not set."""
    variable = _checked_name("discord.token_env", settings.token_env)
    if (secret := read_variable(variable)) is None:
        raise _missing("discord.token_env", variable, "the bot token, or set discord.enabled to false")
    return secret


def read_variable(variable: str) -> SecretStr | None:
    """Return the secret in an environment variable that a source names; None when it is not set."""
    value = os.environ.get(variable, "").strip()
    return SecretStr(value) if value else None


def check_platform_secrets(settings: Settings) -> None:
    """Raise SettingsError where a secret is missing that a chat platform which is switched on needs."""
    if settings.slack.enabled:
        read_slack_secrets(settings.slack)
    if settings.discord.enabled:
        read_discord_token(settings.discord)


def check_secrets(settings: Settings) -> None:
    """Raise SettingsError where a secret that the settings call for is missing."""
    read_secret("embedding", settings.embedding)
    read_secret("llm", settings.llm)
    check_persona_secrets(settings)


def check_persona_secrets(settings: Settings) -> None:
    """Raise SettingsError where a persona's key is missing that OpenAI's own API needs."""
    if not settings.persona.enabled:
        return
    shared = settings.llm.base_url if settings.llm.provider != "none" else ""
    for section, voice in (("persona", settings.persona), *(("personas", one) for one in settings.personas)):
        key = f"{section}.api_key_env"
        needed = voice.model and not (voice.base_url or shared)
        if needed and read_variable(_checked_name(key, voice.api_key_env)) is None:
            raise _missing(key, voice.api_key_env, "the API key of the voice's model, or its base_url")


def _needed_by_slack(settings: SlackSettings) -> tuple[str, ...]:
    if settings.mode == "socket":
        return "bot_token", "app_token"
    return "signing_secret", "client_secret" if settings.client_id else "bot_token"


def _checked_name(key: str, variable: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        raise SettingsError(
            f"{key} is not the name of an environment variable (its value is not shown). "
            "Put the secret into a variable and write that variable's name."
        )
    return variable


def _missing(key: str, variable: str, told: str) -> SettingsError:
    shown = variable if variable.isupper() else "it names"
    return SettingsError(f"{key}: the environment variable {shown} is not set. Set it to {told}.")


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: not UTF-8 text (byte {error.start}). Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: not valid TOML: {error}.") from None
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}.") from None


def _reject_unknown_variables() -> None:
    sections = {name.upper() for name in Settings.model_fields}
    for name in sorted(os.environ):
        section, separator, _ = name.upper().removeprefix(PREFIX).partition("__")
        if name.upper().startswith(PREFIX) and separator and section not in sections:
            hint = nearest_variable(name, Settings, prefix=PREFIX)
            raise SettingsError(f"environment variable {name}: there is no such setting.{hint}")


def _unreadable_variable(error: UnreadableVariable) -> str:
    match = re.search(r'field "(\w+)"', str(error))
    field = match[1] if match else "?"
    name = f"{PREFIX}{field.upper()}"
    return f"environment variable {name}: not JSON. To set one key of [{field}], write {name}__KEY=value."


def _resolved(settings: Settings, base: Path, data: Path | None) -> Settings:
    """Make paths absolute: the data folder's, and those of folder and local git sources."""
    chosen = Path.cwd() / data.expanduser() if data else base / settings.data.path.expanduser()
    if chosen.is_file():
        raise SettingsError(f"the data folder {str(data or settings.data.path)!r} is a file. Name a folder.")
    return settings.model_copy(
        update={
            "data": DataSettings(path=Path(os.path.normpath(chosen))),
            "sources": tuple(_located(source, base) for source in settings.sources),
        }
    )


def _located(source: AnySource, base: Path) -> AnySource:
    local = isinstance(source, FolderSource) or source.location.startswith(("./", "../", "~"))
    if not local:
        return source
    path = os.path.normpath(base / Path(source.location).expanduser())
    return source.model_copy(update={"location": path})


def _reject_duplicates(settings: Settings, file: Path | None) -> None:
    _reject_same_personas(settings, file)
    seen: Mapping[str, AnySource] = {source.name: source for source in settings.sources}
    if len(seen) == len(settings.sources):
        return
    names = [source.name for source in settings.sources]
    twice = next(name for name in names if names.count(name) > 1)
    raise SettingsError(f"{file or 'environment'}: two sources are named {twice!r}. Give each its own name.")


def _reject_same_personas(settings: Settings, file: Path | None) -> None:
    names = [voice.name.lower() for voice in settings.personas]
    if settings.persona.enabled:
        names.append(settings.persona.name.lower())
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise SettingsError(
            f"{file or 'environment'}: two personas are named {twice!r}. Give each its own name."
        )
