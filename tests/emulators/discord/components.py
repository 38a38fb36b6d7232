"""Components of messages and modals: Discord's rules for them, and how the API gives them back.

`of_message` and `of_modal` check what a bot sends and return the stored form, in which every component has
an id and its defaults. They raise `ApiError` with the field at fault, as the API words it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.emulators.discord.errors import Payload, checked_length, invalid

ROW, BUTTON, SELECT, TEXT_INPUT, USER_SELECT, ROLE_SELECT, MENTION_SELECT, CHANNEL_SELECT = range(1, 9)
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR = range(9, 15)
CONTAINER, LABEL, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 17, 18, 19, 21, 22, 23
SELECTS = frozenset({SELECT, USER_SELECT, ROLE_SELECT, MENTION_SELECT, CHANNEL_SELECT})
_V2_TOP = frozenset({ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER})
_LABELLED = frozenset(SELECTS | {TEXT_INPUT, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX})
_KEPT = {
    BUTTON: ("custom_id", "label", "url", "emoji", "sku_id"),
    SELECT: ("custom_id", "placeholder", "options"),
    TEXT_INPUT: ("custom_id", "label", "value", "placeholder", "min_length", "max_length"),
    CHANNEL_SELECT: ("custom_id", "placeholder", "channel_types", "default_values"),
    FILE_UPLOAD: ("custom_id",),
    RADIO_GROUP: ("custom_id", "options"),
    CHECKBOX_GROUP: ("custom_id", "options"),
    CHECKBOX: ("custom_id",),
}


@dataclass(slots=True)
class _Form:
    """What holds for a whole message or modal while its components are checked."""

    files: frozenset[str] = frozenset()
    modal: bool = False
    count: int = 0
    letters: int = 0
    custom_ids: set[str] = field(default_factory=set)
    ids: set[int] = field(default_factory=set)

    def number(self, path: str, wanted: object) -> int:
        """Note the id that a component asks for; 0 stands for one that asks for none."""
        if not wanted:
            return 0
        if not isinstance(wanted, int) or wanted in self.ids:
            raise invalid(f"{path}.id", "COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated")
        self.ids.add(wanted)
        return wanted

    def numbered(self, components: list[Payload]) -> list[Payload]:
        """Give the components without an id the next free ones."""
        free = (number for number in range(1, 1 << 31) if number not in self.ids)
        for one in walk(components):
            one["id"] = one["id"] or next(free)
        return components

    def custom_id(self, path: str, given: object) -> None:
        checked_length(f"{path}.custom_id", given, most=100, least=1)
        if given in self.custom_ids:
            raise invalid(
                f"{path}.custom_id",
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                "Component custom id cannot be duplicated",
            )
        self.custom_ids.add(str(given))


def of_message(given: Sequence[Payload], *, v2: bool, files: frozenset[str] = frozenset()) -> list[Payload]:
    """Check a message's components; `files` are the names of its attachments."""
    form = _Form(files=files)
    most = 40 if v2 else 5
    if len(given) > most:
        raise invalid("components", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {most} in length.")
    kept = _children("components", given, _V2_TOP if v2 else frozenset({ROW}), form)
    if form.count > 40:
        raise invalid(
            "components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", "The maximum number of components is 40"
        )
    if form.letters > 4000:
        raise invalid(
            "components",
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
            "The total displayable text size is more than 4000 characters",
        )
    return form.numbered(kept)


def of_modal(data: Payload) -> Payload:
    """Check a modal and return it as it is shown."""
    checked_length("data.custom_id", data.get("custom_id"), most=100, least=1)
    checked_length("data.title", data.get("title"), most=45, least=1)
    given = data.get("components")
    if not isinstance(given, list) or not 1 <= len(given) <= 5:
        raise invalid("data.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    form = _Form(modal=True)
    kept = _children("data.components", given, frozenset({ROW, TEXT, LABEL}), form)
    return {"custom_id": data["custom_id"], "title": data["title"], "components": form.numbered(kept)}


def walk(components: Sequence[Payload]) -> Iterator[Payload]:
    """Give each component, outer before inner."""
    for one in components:
        yield one
        yield from walk(one.get("components", []))
        yield from walk([one[key] for key in ("accessory", "component") if one.get(key)])


def _children(path: str, given: object, allowed: frozenset[int], form: _Form) -> list[Payload]:
    if not isinstance(given, list):
        raise invalid(path, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    return [_one(f"{path}.{index}", one, allowed, form) for index, one in enumerate(given)]


def _one(path: str, given: object, allowed: frozenset[int], form: _Form) -> Payload:
    kind = given.get("type") if isinstance(given, dict) else None
    if not isinstance(given, dict) or kind not in allowed:
        choices = ", ".join(str(one) for one in sorted(allowed))
        raise invalid(
            f"{path}.type", "BASE_TYPE_CHOICES", f"Value of field 'type' must be one of ({choices})."
        )
    form.count += 1
    kept: Payload = {"type": kind, "id": form.number(path, given.get("id"))}
    return kept | _CHECKS[kind](path, given, form)


def _row(path: str, given: Payload, form: _Form) -> Payload:
    inner = _children(
        f"{path}.components",
        given.get("components"),
        frozenset({TEXT_INPUT}) if form.modal else SELECTS | {BUTTON},
        form,
    )
    selects = [one for one in inner if one["type"] != BUTTON]
    if not 1 <= len(inner) <= (1 if selects else 5):
        wording = "The specified component exceeds the maximum width" if inner else "Must be between 1 and 5"
        raise invalid(f"{path}.components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", wording)
    return {"components": inner}


def _button(path: str, given: Payload, form: _Form) -> Payload:
    style = given.get("style")
    if style not in {1, 2, 3, 4, 5, 6}:
        raise invalid(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4, 5, 6).")
    if given.get("label") is not None:
        checked_length(f"{path}.label", given["label"], most=80)
    if style == 5:
        _link(path, given)
    elif style == 6 and not given.get("sku_id"):
        raise invalid(f"{path}.sku_id", "BASE_TYPE_REQUIRED", "This field is required")
    elif style != 6:
        if given.get("url"):
            raise invalid(f"{path}.url", "URL_BUTTON_ONLY", "A url is for link buttons only")
        form.custom_id(path, given.get("custom_id"))
    if style != 6 and not given.get("label") and not given.get("emoji"):
        raise invalid(path, "BUTTON_COMPONENT_MUST_HAVE_LABEL_OR_EMOJI", "A button needs a label or an emoji")
    return _only(given, BUTTON) | {"style": style, "disabled": bool(given.get("disabled"))}


def _link(path: str, given: Payload) -> None:
    checked_length(f"{path}.url", given.get("url"), most=512, least=1)
    scheme = str(given["url"]).partition(":")[0]
    if scheme not in {"http", "https", "discord"}:
        raise invalid(
            f"{path}.url",
            "URL_TYPE_INVALID_SCHEME",
            f'Scheme "{scheme}" is not supported. Scheme must be one of ("http", "https", "discord").',
        )
    if given.get("custom_id"):
        raise invalid(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "Not both of them")


def _select(path: str, given: Payload, form: _Form) -> Payload:
    form.custom_id(path, given.get("custom_id"))
    kept = _only(given, given["type"] if given["type"] == SELECT else CHANNEL_SELECT)
    if given["type"] == SELECT:
        _options(path, given.get("options"), most=25)
    if given.get("placeholder") is not None:
        checked_length(f"{path}.placeholder", given["placeholder"], most=150)
    least = 1 if given.get("min_values") is None else int(given["min_values"])
    most = 1 if given.get("max_values") is None else int(given["max_values"])
    if not 0 <= least <= most <= 25 or most < 1:
        raise invalid(f"{path}.max_values", "BASE_TYPE_BAD_RANGE", "Values must be between 1 and 25.")
    kept |= {"min_values": least, "max_values": most}
    if form.modal:
        return kept | {"required": given.get("required") is not False}
    return kept | {"disabled": bool(given.get("disabled"))}


def _options(path: str, given: object, *, most: int) -> None:
    if not isinstance(given, list) or not 1 <= len(given) <= most:
        raise invalid(f"{path}.options", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {most} in length.")
    values = set()
    for index, option in enumerate(given):
        checked_length(f"{path}.options.{index}.label", option.get("label"), most=100, least=1)
        checked_length(f"{path}.options.{index}.value", option.get("value"), most=100, least=1)
        if option.get("description") is not None:
            checked_length(f"{path}.options.{index}.description", option["description"], most=100)
        if option["value"] in values:
            raise invalid(
                f"{path}.options.{index}.value",
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            )
        values.add(option["value"])


def _text_input(path: str, given: Payload, form: _Form) -> Payload:
    form.custom_id(path, given.get("custom_id"))
    if given.get("style") not in {1, 2}:
        raise invalid(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of (1, 2).")
    for key, most in (("label", 45), ("value", 4000), ("placeholder", 100)):
        if given.get(key) is not None:
            checked_length(f"{path}.{key}", given[key], most=most)
    longest = 4000 if given.get("max_length") is None else int(given["max_length"])
    shortest = int(given.get("min_length") or 0)
    if not (0 <= shortest <= 4000 and 1 <= longest <= 4000 and shortest <= longest):
        raise invalid(f"{path}.max_length", "NUMBER_TYPE_MAX", "Lengths are between 0 and 4000.")
    if len(given.get("value") or "") > longest:
        raise invalid(f"{path}.value", "BASE_TYPE_MAX_LENGTH", f"Must be {longest} or fewer in length.")
    required = given.get("required") is not False
    return _only(given, TEXT_INPUT) | {"style": given["style"], "required": required}


def _section(path: str, given: Payload, form: _Form) -> Payload:
    inner = _children(f"{path}.components", given.get("components"), frozenset({TEXT}), form)
    if not 1 <= len(inner) <= 3:
        raise invalid(f"{path}.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 3 in length.")
    beside = _one(f"{path}.accessory", given.get("accessory"), frozenset({BUTTON, THUMBNAIL}), form)
    return {"components": inner, "accessory": beside}


def _text(path: str, given: Payload, form: _Form) -> Payload:
    checked_length(f"{path}.content", given.get("content"), most=4000, least=1)
    form.letters += len(given["content"])
    return {"content": given["content"]}


def _media(path: str, given: object, form: _Form, *, attached: bool = False) -> Payload:
    url = given.get("url") if isinstance(given, dict) else None
    checked_length(f"{path}.url", url, most=2048, least=1)
    scheme, _, name = str(url).partition("://")
    if scheme == "attachment":
        if name not in form.files:
            raise invalid(
                f"{path}.url", "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", f"No {name!r}"
            )
    elif attached or scheme not in {"http", "https"}:
        raise invalid(f"{path}.url", "URL_TYPE_INVALID_SCHEME", f'Scheme "{scheme}" is not supported.')
    return {"id": "0", "url": url, "proxy_url": url}


def _thumbnail(path: str, given: Payload, form: _Form) -> Payload:
    media = _media(f"{path}.media", given.get("media"), form)
    return {"media": media, "description": given.get("description"), "spoiler": bool(given.get("spoiler"))}


def _gallery(path: str, given: Payload, form: _Form) -> Payload:
    items = given.get("items")
    if not isinstance(items, list) or not 1 <= len(items) <= 10:
        raise invalid(f"{path}.items", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 10 in length.")
    return {
        "items": [
            {
                "media": _media(f"{path}.items.{index}.media", one.get("media"), form),
                "description": one.get("description"),
                "spoiler": bool(one.get("spoiler")),
            }
            for index, one in enumerate(items)
        ]
    }


def _file(path: str, given: Payload, form: _Form) -> Payload:
    media = _media(f"{path}.file", given.get("file"), form, attached=True)
    name = media["url"].partition("://")[2]
    return {"file": media, "name": name, "size": None, "spoiler": bool(given.get("spoiler"))}


def _separator(path: str, given: Payload, _form: _Form) -> Payload:
    spacing = given.get("spacing") or 1
    if spacing not in {1, 2}:
        raise invalid(f"{path}.spacing", "BASE_TYPE_CHOICES", "Value must be one of (1, 2).")
    return {"spacing": spacing, "divider": given.get("divider") is not False}


def _container(path: str, given: Payload, form: _Form) -> Payload:
    inner = _children(f"{path}.components", given.get("components"), _V2_TOP - {CONTAINER}, form)
    if not inner:
        raise invalid(f"{path}.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 40 in length.")
    return {
        "components": inner,
        "accent_color": given.get("accent_color"),
        "spoiler": bool(given.get("spoiler")),
    }


def _label(path: str, given: Payload, form: _Form) -> Payload:
    checked_length(f"{path}.label", given.get("label"), most=45, least=1)
    if given.get("description") is not None:
        checked_length(f"{path}.description", given["description"], most=100, least=1)
    inner = given.get("component")
    if isinstance(inner, dict) and inner.get("label"):
        raise invalid(
            f"{path}.component.label", "LABEL_FORBIDDEN", "The label belongs to the label component"
        )
    held = _one(f"{path}.component", inner, _LABELLED, form)
    return {"label": given["label"], "description": given.get("description"), "component": held}


def _group(path: str, given: Payload, form: _Form) -> Payload:
    form.custom_id(path, given.get("custom_id"))
    if given["type"] in {RADIO_GROUP, CHECKBOX_GROUP}:
        _options(path, given.get("options"), most=10)
    kept = _only(given, given["type"]) | {"required": given.get("required") is not False}
    if given["type"] in {CHECKBOX_GROUP, FILE_UPLOAD}:
        kept |= {"min_values": given.get("min_values", 1), "max_values": given.get("max_values", 1)}
    return kept


def _only(given: Payload, kind: int) -> Payload:
    return {key: given[key] for key in _KEPT[kind] if given.get(key) is not None}


_Check = Callable[[str, Payload, _Form], Payload]
_CHECKS: Mapping[int, _Check] = (
    {
        ROW: _row,
        BUTTON: _button,
        TEXT_INPUT: _text_input,
        SECTION: _section,
        TEXT: _text,
        THUMBNAIL: _thumbnail,
        GALLERY: _gallery,
        FILE: _file,
        SEPARATOR: _separator,
        CONTAINER: _container,
        LABEL: _label,
    }
    | dict.fromkeys(SELECTS, _select)
    | dict.fromkeys((FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX), _group)
)
