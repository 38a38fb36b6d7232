"""Which format a document has: by its name, then its media type, then its first bytes.

What the bytes say wins over what the name says: a file that is not what its name claims is refused with
a reason, because a reader that is fed the wrong format returns rubbish.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Literal, NoReturn

from kb.errors import DocumentStatus, DocumentUnreadable
from kb.parsing.signatures import Signature, signature
from kb.parsing.text import looks_binary

Format = Literal[
    "asciidoc",
    "code",
    "csv",
    "html",
    "mail",
    "markdown",
    "notebook",
    "pdf",
    "presentation",
    "restructuredtext",
    "spreadsheet",
    "text",
    "word",
]
_BINARY: frozenset[Format] = frozenset(("pdf", "presentation", "spreadsheet", "word"))

_SUFFIXES: dict[Format, str] = {
    "asciidoc": "adoc asciidoc asc",
    "csv": "csv tsv tab",
    "html": "html htm xhtml",
    "mail": "eml mht mhtml",
    "markdown": "md markdown mdown mkd mdx qmd rmd",
    "notebook": "ipynb",
    "pdf": "pdf",
    "presentation": "pptx pptm ppsx potx",
    "restructuredtext": "rst rest",
    "spreadsheet": "xlsx xlsm xltx",
    "text": "txt text log",
    "word": "docx docm dotx",
}
_NOT_READ = {
    "an archive": "zip tar gz tgz bz2 tbz xz zst 7z rar jar war whl deb rpm iso dmg cab",
    "an image": "png jpg jpeg gif bmp tif tiff webp ico svg svgz heic avif psd xcf eps",
    "a sound recording": "mp3 wav flac ogg oga m4a aac wma mid opus",
    "a video": "mp4 m4v mov avi mkv webm wmv flv mpg mpeg",
    "a program": "exe dll so dylib bin class pyc o a wasm msi apk",
    "a font": "ttf otf woff woff2 eot",
    "an old Word document (save it as .docx)": "doc dot",
    "an old Excel workbook (save it as .xlsx)": "xls xlt xlsb",
    "an old PowerPoint presentation (save it as .pptx)": "ppt pps",
    "an OpenDocument file (save it as .docx, .xlsx or .pptx)": "odt ods odp odg",
    "a Rich Text document (save it as .docx)": "rtf",
    "an e-book": "epub mobi azw azw3",
    "a Visio drawing": "vsd vsdx",
    "an Outlook message (save it as .eml)": "msg pst",
    "a database": "db sqlite sqlite3 mdb accdb parquet",
}
_BY_SUFFIX: dict[str, Format] = {end: kind for kind, ends in _SUFFIXES.items() for end in ends.split()}
_REFUSED = {end: what for what, ends in _NOT_READ.items() for end in ends.split()}
# What holds no document's text: it is passed over, where an old Word document is told as a failure.
_TEXTLESS = ("an archive", "an image", "a sound recording", "a video", "a program", "a font", "a database")
_TEXTLESS_KINDS = ("archive", "image", "sound", "video", "program", "font", "database")
_OLD_OFFICE: dict[str, Format] = {"doc": "word", "xls": "spreadsheet", "ppt": "presentation"}

_MEDIA_TYPES: dict[str, Format] = {
    "application/json": "code",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "spreadsheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "word",
    "application/x-ipynb+json": "notebook",
    "application/xhtml+xml": "html",
    "application/xml": "code",
    "message/rfc822": "mail",
    "text/asciidoc": "asciidoc",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "markdown",
    "text/tab-separated-values": "csv",
    "text/x-rst": "restructuredtext",
    "text/x-markdown": "markdown",
    "text/xml": "code",
}

_SAME = "c css go graphql java json lua php proto r scala sql swift toml xml zig"
LANGUAGES = {
    **{
        end: end
        for end in [
            "c",
            "css",
            "go",
            "graphql",
            "java",
            "json",
            "lua",
            "php",
            "proto",
            "r",
            "scala",
            "sql",
            "swift",
            "toml",
            "xml",
            "zig",
        ]
    },
    **dict.fromkeys(("bash", "sh", "zsh", "ksh"), "bash"),
    **dict.fromkeys(("bat", "cmd"), "bat"),
    **dict.fromkeys(("cc", "cpp", "cxx", "hh", "hpp", "hxx", "ino"), "cpp"),
    **dict.fromkeys(("cfg", "conf", "desktop", "editorconfig", "ini", "properties"), "ini"),
    **dict.fromkeys(("clj", "cljs", "edn"), "clojure"),
    **dict.fromkeys(("cjs", "js", "jsx", "mjs"), "javascript"),
    **dict.fromkeys(("cts", "mts", "ts", "tsx"), "typescript"),
    **dict.fromkeys(("erl", "hrl"), "erlang"),
    **dict.fromkeys(("ex", "exs"), "elixir"),
    **dict.fromkeys(("fs", "fsx"), "fsharp"),
    **dict.fromkeys(("hcl", "tf", "tfvars"), "hcl"),
    **dict.fromkeys(("json5", "jsonc", "jsonl", "ndjson", "geojson", "webmanifest"), "json"),
    **dict.fromkeys(("kt", "kts"), "kotlin"),
    **dict.fromkeys(("less", "sass", "scss"), "scss"),
    **dict.fromkeys(("m", "mm"), "objectivec"),
    **dict.fromkeys(("ml", "mli"), "ocaml"),
    **dict.fromkeys(("pl", "pm"), "perl"),
    **dict.fromkeys(("ps1", "psm1"), "powershell"),
    **dict.fromkeys(("py", "pyi", "pyw", "pyx"), "python"),
    **dict.fromkeys(("rb", "rake", "gemspec"), "ruby"),
    **dict.fromkeys(("wsdl", "xsd", "xsl", "xslt", "plist", "rss", "atom", "csproj", "resx"), "xml"),
    **dict.fromkeys(("yaml", "yml"), "yaml"),
    "cs": "csharp",
    "dart": "dart",
    "diff": "diff",
    "dockerfile": "dockerfile",
    "gradle": "groovy",
    "groovy": "groovy",
    "h": "c",
    "hs": "haskell",
    "jl": "julia",
    "makefile": "makefile",
    "mk": "makefile",
    "nix": "nix",
    "patch": "diff",
    "rs": "rust",
    "svelte": "html",
    "vue": "html",
}

_BARE_NAMES = ("dockerfile", "makefile")

_HTML_START = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--.{0,2000}?-->\s*)?<(?:!doctype html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)


def suffix(name: str) -> str:
    """Return the lower-case end of a name without its dot; `Makefile` and its like are their own end."""
    path = PurePosixPath(name.replace("\\", "/").split("?", 1)[0].split("#", 1)[0])
    if path.suffix:
        return path.suffix[1:].lower()
    return path.name.lower() if path.name.lower() in _BARE_NAMES else ""


def identify(data: bytes, name: str, media_type: str) -> Format:
    """Return the format to read a document as; raise DocumentUnreadable when there is no reader."""
    end = suffix(name)
    wanted = _wanted(end, media_type, data)
    found = signature(data)
    if found is not None:
        return _by_signature(found, end, wanted)
    if wanted in _BINARY:
        return _without_signature(data, end, wanted)
    if end in _REFUSED and wanted is None:
        status: DocumentStatus = "passed-over" if _REFUSED[end] in _TEXTLESS else "unsupported"
        _refuse(f"is {_REFUSED[end]}; there is no reader for it", status=status)
    if looks_binary(data):
        told = f"{_claimed(end)} but holds binary data" if wanted else "holds binary data"
        _refuse(f"{told} of an unknown kind")
    return wanted or ("html" if _HTML_START.match(data[:4096]) else "text")


def _wanted(end: str, media_type: str, data: bytes) -> Format | None:
    essence = media_type.split(";", 1)[0].strip().lower()
    if essence in ("text/html", "application/xhtml+xml") and _HTML_START.match(data[:4096]):
        return "html"  # a web page about `x.md` often has an address that ends in `x.md`
    if end in _BY_SUFFIX:
        return _BY_SUFFIX[end]
    if end in LANGUAGES:
        return "code"
    return None if end in _REFUSED else _MEDIA_TYPES.get(essence)


def _by_signature(found: Signature, end: str, wanted: Format | None) -> Format:
    if found.status != "ok":
        _refuse(_mismatch(found, end, wanted), status=found.status)
    kind = next((known for known in _BINARY if known == found.kind), None)
    if kind is None:
        textless = wanted is None and found.kind in _TEXTLESS_KINDS
        _refuse(_mismatch(found, end, wanted), status="passed-over" if textless else "unsupported")
    foreign = wanted not in (None, kind) or (wanted is None and end in _REFUSED)
    if foreign and _OLD_OFFICE.get(end) != kind:
        _refuse(f"{_claimed(end)} but holds {found.what}")
    return kind


def _mismatch(found: Signature, end: str, wanted: Format | None) -> str:
    if wanted is None or found.status == "encrypted":
        return f"is {found.what}; there is no reader for it" if found.status == "ok" else f"is {found.what}"
    return f"{_claimed(end)} but holds {found.what}"


def _without_signature(data: bytes, end: str, wanted: Format) -> Format:
    """Decide about a file that should be binary and does not begin like its format."""
    if _HTML_START.match(data[:4096]):
        _refuse(f"{_claimed(end)} but holds an HTML page")
    if wanted != "pdf" or b" obj" not in data:
        kind = "PDF document" if wanted == "pdf" else "Office document"
        _refuse(f"{_claimed(end)} but is no {kind}, or a damaged one", status="unreadable")
    return wanted  # a PDF without its first line can often be repaired


def _claimed(end: str) -> str:
    """Return what the file claims to be, in words."""
    shown = "".join(character for character in end if character.isprintable())[:20]
    return f"is named .{shown}" if shown else "is declared as another type"


def _refuse(reason: str, *, status: DocumentStatus = "unsupported") -> NoReturn:
    raise DocumentUnreadable(reason, status=status)
