"""Checks requests and responses against Discord's OpenAPI document, where there is a copy of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from jsonschema.validators import extend
from referencing import Registry
from referencing.jsonschema import DRAFT202012

PATH = Path("/work/shared/specs/discord/discord-api-spec/specs/openapi.json")
_ROOT = "urn:discord"
# The greatest lengths that the document names.
_LENGTHS = (0, 25, 32, 45, 80, 100, 150, 256, 512, 1024, 2000, 2048, 4000, 4096, 6000)


def _any_of(validator: Any, of: list[Any], body: Any, _: Any) -> Iterator[ValidationError]:  # noqa: ANN401 - JSON
    if not any(validator.evolve(schema=one).is_valid(body) for one in of):
        yield ValidationError("none fits")


def _one_of(validator: Any, of: list[Any], body: Any, _: Any) -> Iterator[ValidationError]:  # noqa: ANN401 - JSON
    if sum(validator.evolve(schema=one).is_valid(body) for one in of) != 1:
        yield ValidationError("none fits, or several")


def _properties(validator: Any, of: dict[str, Any], body: Any, _: Any) -> Iterator[ValidationError]:  # noqa: ANN401 - JSON
    if isinstance(body, dict):
        for key in sorted(body.keys() & of.keys(), key=lambda key: key != "type"):
            yield from validator.descend(body[key], of[key])


# Says much sooner whether a body is right, not why it is wrong: it leaves a choice that does not fit at the
# first error, for which it looks at the type before all else.
_Quick = extend(Draft202012Validator, {"anyOf": _any_of, "oneOf": _one_of, "properties": _properties})


class Specification:
    """The document, with a validator for each body that was met so far."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.paths: dict[str, Any] = document["paths"]
        resource = DRAFT202012.create_resource(document)
        self.registry: Registry[Any] = Registry().with_resource(_ROOT, resource)
        self.passed: set[int] = set()
        self.validators: dict[tuple[str, ...], Draft202012Validator | None] = {}

    @staticmethod
    def load(path: Path = PATH) -> Specification | None:
        """Return the specification, or None where there is no copy."""
        return _loaded(path) if path.exists() else None

    def knows(self, method: str, template: str) -> bool:
        return method.lower() in self.paths.get(template, {})

    def request(self, method: str, template: str, body: Any) -> str:  # noqa: ANN401 - JSON
        """Return what is wrong with a request's body, "" if nothing is."""
        if body is None:
            return ""
        where = (template, method.lower(), "requestBody", "content", "application/json", "schema")
        return self._against(where, _worded(body))

    def response(self, method: str, template: str, status: int, body: Any) -> str:  # noqa: ANN401 - JSON
        """Return what is wrong with a response."""
        if not self.knows(method, template):
            return f"the specification has no {method} {template}"
        responses = self.paths[template][method.lower()]["responses"]
        if str(status) not in responses:
            return f"{status} is not among {sorted(responses)}"
        if body is None:
            return "" if status == 204 else "there is no body"
        where = (template, method.lower(), "responses", str(status), "content", "application/json", "schema")
        return self._against(where, body)

    def _against(self, where: tuple[str, ...], body: Any) -> str:  # noqa: ANN401 - JSON
        if where not in self.validators:
            self.validators[where] = self._validator(where)
        validator = self.validators[where]
        if validator is None:
            return ""
        form = hash((where, _form(body)))
        if form in self.passed:
            return ""
        quick = _Quick(validator.schema, registry=self.registry)
        if quick.is_valid(body):
            self.passed.add(form)
            return ""
        error = best_match(validator.iter_errors(body))
        assert error is not None
        return f"{error.json_path}: {error.message[:300]}"

    def _validator(self, where: tuple[str, ...]) -> Draft202012Validator | None:
        found: Any = self.paths
        for key in where:
            if key not in found:
                return None
            found = found[key]
        pointer = "/".join(quote(key.replace("~", "~0").replace("/", "~1"), safe="@") for key in where)
        return Draft202012Validator({"$ref": f"{_ROOT}#/paths/{pointer}"}, registry=self.registry)


def _form(body: Any) -> object:  # noqa: ANN401 - JSON
    """Return what a check depends on: keys, kinds, numbers, and how long texts are.

    A body of the same form as one that passed need not be checked again, which makes many messages quick.
    Ids and moments count as their length; a short text of small letters may be one of a list of choices.
    """
    if isinstance(body, dict):
        return tuple((key, _form(value)) for key, value in body.items())
    if isinstance(body, list):
        return ("list", *(_form(one) for one in body))
    if isinstance(body, str):
        is_choice = len(body) <= 12 and body.isascii() and body.replace("-", "").isalpha()
        return body if is_choice else ("text", next((most for most in _LENGTHS if len(body) <= most), -1))
    return (type(body).__name__, body if not isinstance(body, int) or body < 1 << 20 else 1 << 20)


def _worded(body: Any, key: str = "", inside: str = "") -> Any:  # noqa: ANN401 - JSON
    """Return a body with its ids as strings: the API takes numbers too, which the document does not tell.

    The ids of components are numbers in the document, small ones.
    """
    if isinstance(body, dict):
        return {name: _worded(value, name, key) for name, value in body.items()}
    if isinstance(body, list):
        return [_worded(one, key, inside) for one in body]
    if not isinstance(body, int) or isinstance(body, bool):
        return body
    is_id = key == "id" or key.endswith(("_id", "_ids")) or key in {"users", "roles", "applied_tags"}
    return str(body) if is_id and (body > 1 << 40 or inside == "attachments") else body


@lru_cache(maxsize=1)
def _loaded(path: Path) -> Specification:
    return Specification(json.loads(path.read_text(encoding="utf-8")))
