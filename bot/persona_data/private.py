"""Secrets and personal data in a text, put out of sight. Needs the extra `persona`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from bot.persona_data.errors import DatasetRefused

SECRET = "secret"  # noqa: S105 - what the report calls it
_LINK = re.compile(
    r"(?:https?|ftp|file|ssh|slack|discord)://[^\s<>\"'`]+|\bwww\.[\w-]+\.[^\s<>\"'`]+", re.IGNORECASE
)
_MARKDOWN_LINK = re.compile(
    r"!?\[([^\]\n]*)\]\(<?(?:[a-z][a-z+.-]*:|/|www\.)[^)\s]*>?(?: \"[^\"]*\")?\)", re.IGNORECASE
)
_MAIL = re.compile(r"(?:mailto:)?[\w.!#$%&'*+/=?^{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_ADDRESS = re.compile(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)|(?<![\w:])[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){3,7}(?![\w:])"
)
_CARD = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_SOCIAL = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_MANY_DIGITS = re.compile(r"(?:\d[\s()./-]{0,2}){6,}\d")
# What a secret may be part of; a line without it is not looked at further.
_SUSPECT = re.compile(r"\S{16}|pass|pwd?|pin\b|secret|token|key|auth|cred|-----BEGIN|://", re.IGNORECASE)
_LONG_TOKEN = re.compile(r"(?<![\w/.+=-])[A-Za-z0-9+/_=-]{20,}(?![\w/.+-])")
_HEX = re.compile(r"[0-9a-fA-F-]+")
_HEX_BITS, _BASE64_BITS = 3.0, 3.8  # of entropy a character; identifiers of words stay below
_NOT_SECRETS = frozenset({"IPPublicDetector"})  # personal data: it is looked for below
# `password: x7kq…` as people type it; a value that is a plain word is no secret.
_TYPED = re.compile(
    r"(?i:\b\w*(?:pass(?:word|wd|phrase|code)?|pwd|pw|secret|token|key|pin)(?:\s*[:=]\s*|\s+is:?\s+))"
    r"(?<=[:=\s])[\"'`]?(?=[^\s\"'`]*\d)(?=[^\s\"'`]*[A-Za-z!-/:-@])([^\s\"'`,;]{6,})"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN[^\n-]*-----.*?(?:-----END[^\n-]*-----|\Z)", re.DOTALL)
_SHORTEST = 4
_FEWEST_DIGITS = 2  # a random token of 20 characters has more; an identifier such as utf8 has one


class Private:
    """Replaces secrets and personal data. `region` is the country of phone numbers that name none."""

    def __init__(self, region: str) -> None:
        import phonenumbers

        if region.upper() not in phonenumbers.SUPPORTED_REGIONS:
            raise DatasetRefused(f"{region!r} is no country code. Give two letters, such as DE.")
        self._region = region.upper()
        self._phones = phonenumbers

    def replaced(self, text: str) -> tuple[str, dict[str, int]]:
        """Return the text with `[link]` and the like in place of what is private, and how many of each."""
        found: dict[str, int] = {}
        text = _counted(_MARKDOWN_LINK, lambda match: match[1] or "[link]", text, "link", found)
        text = self._without_secrets(text, found)
        text = _counted(_LINK, _tailed("[link]"), text, "link", found)
        text = _counted(_MAIL, _tailed("[e-mail]"), text, "e-mail", found)
        if any(character.isdigit() for character in text):
            text = self._without_numbers(text, found)
        return text, found

    def _without_numbers(self, text: str, found: dict[str, int]) -> str:
        text = _checked(_IBAN, _is_iban, "account number", text, found)
        text = _checked(_CARD, _is_card, "card number", text, found)
        text = _checked(_SOCIAL, lambda _: True, "social security number", text, found)
        text = _checked(_ADDRESS, _is_public, "IP address", text, found)
        return self._without_phones(text, found) if _MANY_DIGITS.search(text) else text

    def _without_phones(self, text: str, found: dict[str, int]) -> str:
        numbers = list(self._phones.PhoneNumberMatcher(text, self._region))
        for number in reversed(numbers):
            text = f"{text[: number.start]}[phone number]{text[number.end :]}"
        if numbers:
            found["phone number"] = found.get("phone number", 0) + len(numbers)
        return text

    def _without_secrets(self, text: str, found: dict[str, int]) -> str:
        if not _SUSPECT.search(text):
            return text
        text = _counted(_PRIVATE_KEY, lambda _: f"[{SECRET}]", text, SECRET, found)
        values = {
            value for line in text.split("\n") if _SUSPECT.search(line) for value in self._secrets(line)
        }
        for value in sorted(values, key=len, reverse=True):
            if value in text:
                text = text.replace(value, f"[{SECRET}]")
                found[SECRET] = found.get(SECRET, 0) + 1
        return text

    def _secrets(self, line: str) -> set[str]:
        named = {str(value) for plugin in self._plugins for value in plugin.analyze_string(line)}
        dense = {token for token in _LONG_TOKEN.findall(line) if _is_dense(token)}
        typed = {found[1].rstrip(".)!?") for found in _TYPED.finditer(line)}
        return {
            value for value in named | dense | typed if len(value) >= _SHORTEST and not value.startswith("[")
        }

    @cached_property
    def _plugins(self) -> list[Any]:
        """The detectors that know a kind of secret by its form; bare entropy is judged here."""
        from detect_secrets.core.plugins.initialize import from_plugin_classname
        from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
        from detect_secrets.settings import default_settings

        classes: Iterable[type] = get_mapping_from_secret_type_to_class().values()
        names = {cls.__name__ for cls in classes}
        wanted = sorted(name for name in names - _NOT_SECRETS if "Entropy" not in name)
        with default_settings():
            return [from_plugin_classname(name) for name in wanted]


def _counted(
    pattern: re.Pattern[str],
    shown: Callable[[re.Match[str]], str],
    text: str,
    what: str,
    found: dict[str, int],
) -> str:
    text, count = pattern.subn(shown, text)
    if count:
        found[what] = found.get(what, 0) + count
    return text


def _tailed(stand_in: str) -> Callable[[re.Match[str]], str]:
    """Leave a sentence its full stop: `see https://host/page.`."""

    def shown(match: re.Match[str]) -> str:
        rest = match[0].rstrip(".,;:!?)]*_")
        return stand_in + match[0][len(rest) :]

    return shown


def _checked(
    pattern: re.Pattern[str], is_one: Callable[[str], bool], what: str, text: str, found: dict[str, int]
) -> str:
    def shown(match: re.Match[str]) -> str:
        if not is_one(match[0]):
            return match[0]
        found[what] = found.get(what, 0) + 1
        return f"[{what}]"

    return pattern.sub(shown, text)


def _is_card(text: str) -> bool:
    digits = [int(one) for one in text if one.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return digits[0] != 0 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    plain = text.replace(" ", "")
    number = "".join(str(int(one, 36)) for one in plain[4:] + plain[:4])
    return 15 <= len(plain) <= 34 and int(number) % 97 == 1


def _is_public(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def _is_dense(token: str) -> bool:
    """Say whether a token is too random to be a word, a path or a number."""
    if sum(one.isdigit() for one in token) < _FEWEST_DIGITS or not any(one.isalpha() for one in token):
        return False
    if _HEX.fullmatch(token):
        return _entropy(token) > _HEX_BITS
    mixed = any(one.isupper() for one in token) and any(one.islower() for one in token)
    return (
        mixed
        and token.count("/") + token.count("-") + token.count("_") <= 3
        and _entropy(token) > _BASE64_BITS
    )


def _entropy(text: str) -> float:
    from math import log2

    shares = [text.count(one) / len(text) for one in set(text)]
    return -sum(share * log2(share) for share in shares)
