"""Rules of the design that a reader would otherwise have to watch over."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(path for package in ("kb", "bot", "adapters") for path in (ROOT / package).rglob("*.py"))
LONGEST_FILE = 450
LONGEST_FUNCTION = 60
DEEPEST_NESTING = 4
BROAD_A_THOUSAND_LINES = 1.0
CLIENTS = (
    "aiohttp", "anyio", "feedparser.http", "ftplib", "http.client", "httpcore", "httpx", "requests",
    "smtplib", "socket", "ssl", "trafilatura.downloads", "trafilatura.fetch_response",
    "trafilatura.fetch_url", "urllib.request", "urllib3", "websockets",
)  # fmt: skip
CONNECTING = {"create_connection", "fetch_url", "open_connection", "sock_connect", "urlopen"}
# The look-up of names, the name of this machine, and what keeps code of others from connecting.
OPENERS_ALLOWED = {
    "kb/public_hosts.py": {"socket"},
    "kb/leases.py": {"socket"},
    "kb/connectors/reader_guard.py": {"socket"},
}
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


@cache
def nodes() -> dict[Path, list[ast.AST]]:
    """Return all nodes of each file."""
    return {path: list(ast.walk(ast.parse(path.read_text(encoding="utf-8")))) for path in FILES}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted names of everything that a module imports, wherever it stands."""
    for node in nodes()[path]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path, held in nodes().items():
        for node in held:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name(path)}:{node.name}", node


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a body without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def depth(node: ast.AST, level: int = 0) -> int:
    inner = [
        depth(child, level + isinstance(child, BLOCKS) - _is_elif(node, child))
        for child in ast.iter_child_nodes(node)
        if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case)
        and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    return max([level, *inner])


def _is_elif(parent: ast.AST, child: ast.AST) -> bool:
    return isinstance(parent, ast.If) and isinstance(child, ast.If) and parent.orelse == [child]


def test_layers_import_downwards() -> None:
    """The knowledge base imports neither bot nor adapters, bot not adapters, not even for types."""
    above = {"kb": ("bot", "adapters"), "bot": ("adapters",), "adapters": ()}
    upwards = [
        (name(path), module)
        for path in FILES
        for module in imports(path)
        if module.partition(".")[0] in above[path.relative_to(ROOT).parts[0]]
    ]
    assert upwards == []


def test_no_global_llama_index_settings() -> None:
    """LlamaIndex's global Settings, which silently picks OpenAI, are imported nowhere."""
    assert not [name(path) for path in FILES if "llama_index.core.Settings" in imports(path)]


def test_platforms_are_known_in_adapters_alone() -> None:
    """Nothing below adapters/ imports a chat platform, a web framework or the terminal."""
    platforms = {"slack_bolt", "slack_sdk", "discord", "click", "rich", "aiohttp"}
    below = [path for path in FILES if path.relative_to(ROOT).parts[0] != "adapters"]
    assert not [name(p) for p in below for module in imports(p) if module.partition(".")[0] in platforms]


def test_one_fetch_gate() -> None:
    """Only the fetch gate opens connections: nothing else in kb imports a client or connects by itself."""
    opening = [
        (name(path), opener)
        for path in FILES
        if path.is_relative_to(ROOT / "kb") and not path.match("kb/fetch*.py")
        for opener in _openers(path)
        if opener not in OPENERS_ALLOWED.get(name(path), ())
    ]
    assert opening == []


def _openers(path: Path) -> Iterator[str]:
    """Yield what a module imports that opens connections, and the calls by which asyncio opens them."""
    for module in imports(path):
        yield from (client for client in CLIENTS if f"{module}.".startswith(f"{client}."))
    for node in nodes()[path]:
        if isinstance(node, ast.Attribute) and node.attr in CONNECTING:
            yield node.attr


def test_the_environment_is_read_at_the_edge() -> None:
    """Only adapters, and the named fault points of tests, look settings up in the environment."""
    reading = [
        name(path)
        for path, held in nodes().items()
        for node in held
        if isinstance(node, ast.Attribute) and node.attr == "getenv"
    ]
    assert reading == []


def test_nothing_is_unpickled() -> None:
    """No module imports pickle or a relative of it: data must not run code."""
    assert not [name(p) for p in FILES if {"pickle", "marshal", "shelve"} & set(imports(p))]


def test_files_stay_short() -> None:
    """A file that grows past the limit holds more than one concept."""
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert not [file for file, length in lengths.items() if length > LONGEST_FILE]


def test_functions_stay_small() -> None:
    """No function is longer or deeper than the style allows, and most are far shorter."""
    measured = [(where, code_lines(node), depth(node)) for where, node in functions()]
    assert not [one for one in measured if one[1] > LONGEST_FUNCTION or one[2] > DEEPEST_NESTING]
    lengths = sorted(length for _, length, _ in measured)
    assert lengths[len(lengths) // 2] <= 7
    assert lengths[int(len(lengths) * 0.95)] <= 35


def test_broad_handlers_are_rare() -> None:
    """`except Exception` stands at task edges alone: at most one in a thousand lines."""
    handlers = [
        node
        for held in nodes().values()
        for node in held
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception"))
    ]
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in FILES)
    assert len(handlers) <= max(3, BROAD_A_THOUSAND_LINES * lines / 1000)


def test_every_test_package_has_an_init() -> None:
    """Without it pytest would find tests/kb in the place of kb."""
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    assert not [name(folder) for folder in folders if not (folder / "__init__.py").exists()]


def test_requirements_name_no_index() -> None:
    """The pinned files hold versions and hashes, no address and no option."""
    for path in (ROOT / "requirements").glob("*.txt"):
        text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
        assert "://" not in text
        assert not re.search(r"^\s*--?(?!hash=)\w", text, re.MULTILINE), path.name
        pins = re.findall(r"^[\w.\[\]-]+==", text, re.MULTILINE)
        assert len(pins) == len(re.findall(r"==", re.sub(r";.*", "", text))), path.name
