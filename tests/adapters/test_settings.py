"""Settings: where they come from, and what is said about wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.errors import SettingsError
from adapters.settings import Settings, check_secrets, load_settings, read_secret
from kb.sources import FolderSource, GitSource


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(text: str, home: Path) -> str:
    """Return the line about a settings file, which has to be a single one."""
    write(home, text)
    with pytest.raises(SettingsError) as caught:
        check_secrets(load_settings())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults_need_no_file(home: Path) -> None:
    """Without a file and variables every section has its defaults, below the current folder."""
    settings = load_settings()
    assert settings.data.path == home / ".lorekeeper"
    assert settings.llm.provider == "none"
    assert settings.sources == ()


def test_environment_goes_before_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable changes its key and leaves the section's other keys as the file has them."""
    write(home, "[retrieval]\nthreshold = 0.3\ncandidates = 12\n")
    monkeypatch.setenv("LOREKEEPER_RETRIEVAL__THRESHOLD", "0.7")
    retrieval = load_settings().retrieval
    assert (retrieval.threshold, retrieval.candidates) == (0.7, 12)


def test_config_is_found_in_order(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The option goes before $LOREKEEPER_CONFIG, and that before ./config.toml."""
    write(home, "[retrieval]\nresults = 1\n")
    for name, number in (("named", 2), ("given", 3)):
        (home / name).mkdir()
        write(home / name, f"[retrieval]\nresults = {number}\n")
    assert load_settings().retrieval.results == 1
    monkeypatch.setenv("LOREKEEPER_CONFIG", str(home / "named" / "config.toml"))
    assert load_settings().retrieval.results == 2
    assert load_settings(home / "given" / "config.toml").retrieval.results == 3


def test_paths_start_at_the_file(home: Path) -> None:
    """Relative paths of a file start at its folder, those of an option at the current one."""
    (home / "etc").mkdir()
    file = write(
        home / "etc",
        '[data]\npath = "data"\n[[sources]]\nname = "a"\ntype = "folder"\nlocation = "../docs"\n'
        '[[sources]]\nname = "b"\ntype = "git"\nlocation = "git@host:team/b.git"\n',
    )
    settings = load_settings(file)
    assert settings.data.path == home / "etc" / "data"
    assert [source.location for source in settings.sources] == [str(home / "docs"), "git@host:team/b.git"]
    assert [type(source) for source in settings.sources] == [FolderSource, GitSource]
    assert load_settings(file, Path("here")).data.path == home / "here"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[llm]\nprovder = "x"',
            "config.toml: unknown key 'llm.provder' (value 'x'). Did you mean 'llm.provider'?",
        ),
        (
            "[llm]\nthreshold = 1",
            "unknown key 'llm.threshold' (value 1). Did you mean 'retrieval.threshold'?",
        ),
        ("[lmm]\n", "unknown key 'lmm' (value {}). Did you mean 'llm'?"),
        ('[retrieval]\nthreshold = "high"', "config.toml: retrieval.threshold = 'high': "),
        (
            "[retrieval]\nthreshold = 2.0",
            "retrieval.threshold = 2.0: input should be less than or equal to 1.",
        ),
        ("retrieval = 3", "retrieval = 3: this is a section"),
        (
            "[[sources]]\nname = 'a'\nlocation = 'x'",
            "sources[1].type is missing. Write one of: folder, git, web, sitemap, feed, ",
        ),
        ("[[sources]]\nname = 'a'\nlocation = 'x'\ntype = 'zip'", "sources[1].type = 'zip'."),
        (
            "[[sources]]\nname = 'a'\nlocation = 'x'\ntype = 'git'\nevry = '1m'",
            "Did you mean 'sources.every'?",
        ),
        (
            "[[sources]]\nname = 'a'\nlocation = 'x'\ntype = 'folder'\nbranch = 'b'",
            "key 'sources[1].branch' (value 'b'). A source of the type folder has no such key; git may.",
        ),
        ("[[sources]]\nname = 'a'\nlocation = 'x'\ntype = 'git'\nevery = '5'", "sources[1].every = '5': "),
        ("[[sources]]\nname = 'a'\ntype = 'folder'", "sources[1].location is missing."),
        ("[[sources", "config.toml: not valid TOML: "),
        ('[llm]\nprovider = "openai"', "the environment variable OPENAI_API_KEY is not set."),
    ],
)
def test_wrong_settings_are_one_line(text: str, said: str, home: Path) -> None:
    """The line names the file, the key, the value and the nearest key that exists."""
    assert said in refusal(text, home)


def test_two_sources_of_one_name_are_refused(home: Path) -> None:
    """Names tell sources apart."""
    block = "[[sources]]\nname = 'a'\ntype = 'folder'\nlocation = 'x'\n"
    assert "two sources are named 'a'" in refusal(block * 2, home)


def test_file_that_is_not_text_is_named(home: Path) -> None:
    """A file in another encoding is told with the place of the first wrong byte."""
    (home / "config.toml").write_bytes(b'[data]\npath = "\xe4"\n')
    with pytest.raises(SettingsError, match=r"config\.toml: not UTF-8 text \(byte 15\)"):
        load_settings()


def test_missing_named_file_is_refused(home: Path) -> None:
    """A file that was asked for has to exist."""
    with pytest.raises(SettingsError, match=r"'nowhere\.toml' does not exist"):
        load_settings(Path("nowhere.toml"))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LOREKEEPER_RETRIEVAL__THRESHOLD", "x", "environment variable LOREKEEPER_RETRIEVAL__THRESHOLD: "),
        ("LOREKEEPER_RETRIEVAL__THRESHOL", "1", "Did you mean 'retrieval.threshold'?"),
        ("LOREKEEPER_RETRIVAL__THRESHOLD", "1", "Did you mean LOREKEEPER_RETRIEVAL__THRESHOLD?"),
        ("LOREKEEPER_DATA", "/x", "write LOREKEEPER_DATA__KEY=value"),
    ],
)
def test_wrong_variables_are_named(
    name: str, value: str, said: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong environment variable is named, not the file."""
    monkeypatch.setenv(name, value)
    assert said in refusal("", home)


@pytest.mark.parametrize(
    "text",
    [
        '[llm]\napi_key = "{secret}"',
        '[llm]\napi_kye = "{secret}"',
        '[llm]\nprovider = "openai"\napi_key_env = "{secret}"',
        '[llm]\ntemperature = "{secret}"',
        '[llm]\nbase_url = 3\n[embedding]\ntoken = "{secret}"',
    ],
)
def test_pasted_secrets_are_not_shown(text: str, home: Path) -> None:
    """A key that stands in the file by mistake is in no message."""
    secret = "sk-live-9f8e7d6c5b4a39281706"
    assert secret not in refusal(text.format(secret=secret), home)


def test_secret_comes_from_the_named_variable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is read from the variable that the file names, and hidden in its repr."""
    monkeypatch.setenv("TEAM_KEY", "sk-123456")
    write(home, '[llm]\nprovider = "openai"\napi_key_env = "TEAM_KEY"\n')
    secret = read_secret("llm", load_settings().llm)
    assert secret is not None
    assert secret.get_secret_value() == "sk-123456"
    assert "sk-123456" not in repr(secret)


def test_own_server_needs_no_key(home: Path) -> None:
    """With a base_url and the default variable's name a missing key is no error."""
    write(home, '[llm]\nprovider = "openai"\nbase_url = "http://localhost:1/v1"\n')
    assert read_secret("llm", load_settings().llm) is None


def test_settings_do_not_change() -> None:
    """What was read once stays as it was read."""
    with pytest.raises(ValueError, match="frozen"):
        Settings.model_construct().llm.model = "other"  # type: ignore[misc] # the point of the test
