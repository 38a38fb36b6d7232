"""Which paths of a source are read: globs, ignore rules, and what is never read.

Paths are text with `/` separators, relative to the source's root; bytes that are not UTF-8 are surrogates
in them, as `os.fsdecode` makes them.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from kb.errors import SourceInvalid
from kb.sources import SourceSettings

# Folders whose name begins with a dot are settings, caches and keys (.git, .venv, .aws, .ssh); these two
# hold text for people.
_SHOWN_DOT_FOLDERS = frozenset({".github", ".gitlab"})
_HIDDEN_FOLDERS = frozenset({"node_modules", "bower_components", "__pycache__", "__macosx"})

# fmt: off
_NOISE = [
    ".ds_store", ".gitignore", ".gitattributes", ".gitmodules", ".gitkeep", ".dockerignore",
    "thumbs.db", "desktop.ini", "~$*", ".~lock.*", "*.swp", "*.swo",
]
_SECRETS = [
    ".env*", "*.env", ".envrc", "*.pem", "*.key", "*.p8", "*.p12", "*.pfx", "*.pkcs12", "*.jks",
    "*.keystore", "*.ppk", "*.kdb", "*.kdbx", "*.gpg", ".netrc", "_netrc", ".npmrc", ".pypirc",
    ".pgpass", ".my.cnf", ".mylogin.cnf", ".htpasswd", ".git-credentials", ".dockercfg", ".boto",
    ".s3cfg", ".vault-token", ".vault_pass*", ".*_history", "*.tfstate", "*.tfstate.*", "*.tfvars",
    "client_secret*.json", "service-account*.json", "service_account*.json", "secrets.yml",
    "secrets.yaml", "secrets.json", "secrets.toml", "secrets.ini",
]
# fmt: on
# Pages about credentials are named so too; a page is no key.
_SECRETS_UNLESS_PAGES = ["credentials*", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*"]
_PAGE = re.compile(r"\.(?:md|mdx|markdown|rst|adoc|html?)\Z")

# A segment with more stars than this can take a regular expression minutes to refuse a long name.
_STARS_A_SEGMENT = 4
_PATTERN_LENGTH = 1000


def _any_of(globs: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(glob) for glob in globs))


_SKIPPED = _any_of([*_NOISE, *_SECRETS])
_SKIPPED_UNLESS_PAGES = _any_of(_SECRETS_UNLESS_PAGES)


def _is_skipped(name: str) -> bool:
    name = name.lower()
    if _SKIPPED.match(name):
        return True
    return _SKIPPED_UNLESS_PAGES.match(name) is not None and not _PAGE.search(name)


def _is_hidden(folder: str) -> bool:
    name = folder.lower()
    return name in _HIDDEN_FOLDERS or (name.startswith(".") and name not in _SHOWN_DOT_FOLDERS)


def _pattern(line: str) -> GitIgnoreSpecPattern | None:
    """Return the compiled line, or None when it is blank, a comment, malformed or too costly to match."""
    segments = re.sub(r"\*+", "*", line).split("/")
    if len(line) > _PATTERN_LENGTH or max(segment.count("*") for segment in segments) > _STARS_A_SEGMENT:
        return None
    try:
        pattern = GitIgnoreSpecPattern(line)
    except (GitIgnorePatternError, re.error):
        return None
    return pattern if pattern.include is not None else None


def _compile(source: str, key: str, globs: Sequence[str]) -> GitIgnoreSpec | None:
    patterns = []
    for glob in globs:
        pattern = _pattern(glob.removeprefix("./"))
        if pattern is None:
            raise SourceInvalid(
                f"Source {source!r}: {key} has {glob!r}, not a glob. Write one such as 'docs/**/*.md'."
            )
        patterns.append(pattern)
    return GitIgnoreSpec(patterns) if patterns else None


class Selection:
    """What a source's settings let through. Raises SourceInvalid for a glob that is none."""

    def __init__(self, settings: SourceSettings) -> None:
        self._include = _compile(settings.name, "include", settings.include)
        self._exclude = _compile(settings.name, "exclude", settings.exclude)
        # A later "!" pattern can take back a file of an excluded folder, so such a folder is entered.
        self._prunes = not any(glob.startswith("!") for glob in settings.exclude)

    def enters(self, folder: str, name: str) -> bool:
        """Say whether anything below this folder can be read; its parents are known to be entered."""
        if _is_hidden(name):
            return False
        return not (self._exclude and self._prunes and self._exclude.match_file(f"{folder}/"))

    def takes(self, path: str, name: str) -> bool:
        """Say whether this file is read, given that its folders are entered."""
        if _is_skipped(name):
            return False
        if self._include and not self._include.match_file(path):
            return False
        return not (self._exclude and self._exclude.match_file(path))

    def allows(self, path: str) -> bool:
        """Say whether this file is read, judging its folders as well."""
        *folders, name = path.split("/")
        if name in {"", ".", ".."} or any(not folder or _is_hidden(folder) for folder in folders):
            return False
        return self.takes(path, name)


def _matches(pattern: re.Pattern[str], path: str) -> bool:
    """Say whether a compiled ignore pattern means this very path, not a folder above it.

    pathspec's patterns match what lies below a folder too. Here every folder has been judged before what is
    in it, and only git's own order counts: the last pattern that means the path decides.
    """
    found = pattern.search(path)
    if found is None:
        return False
    if "ps_d" not in pattern.groupindex:  # `*` is one dot, and `a/**` the start of what lies in `a`
        return pattern.pattern == "." or found.end() < len(path)
    if pattern.pattern == "(?P<ps_d>/)":  # `*/` is any folder
        return path.endswith("/")
    return found.end("ps_d") in {-1, len(path)}


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The `.gitignore` files that hold at one folder, innermost first.

    Each has its folder's prefix, and its patterns, last first, with whether they ignore.
    """

    files: tuple[tuple[str, tuple[tuple[re.Pattern[str], bool], ...]], ...] = ()

    def below(self, prefix: str, text: str) -> IgnoreRules:
        """Return the rules that hold where one more `.gitignore`, with this text, lies at the prefix."""
        lines = (line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n"))
        # `a/**/` means the folders below `a`; pathspec takes it for `a/` itself.
        lines = (f"{line}*/" if line.endswith("/**/") else line for line in lines)
        patterns = [pattern for line in lines if (pattern := _pattern(line))]
        verdicts = tuple((each.regex, bool(each.include)) for each in reversed(patterns) if each.regex)
        return IgnoreRules(((prefix, verdicts), *self.files)) if verdicts else self

    def ignores(self, path: str) -> bool:
        """Say whether a path is ignored, its folders being none; a folder's path ends in `/`."""
        for prefix, verdicts in self.files:
            below = path[len(prefix) :]
            for pattern, verdict in verdicts:
                if _matches(pattern, below):
                    return verdict
        return False
