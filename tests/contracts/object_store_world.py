from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import botocore.session
from botocore.config import Config
from fsspec.implementations.memory import MemoryFileSystem
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from kb.connectors.base import Connector, Resources
from kb.connectors.object_store import ObjectStoreConnector
from kb.fetch import Fetcher
from kb.memory import BorrowedMemory
from kb.sources import ObjectStoreSource
from tests.contracts.world import World

KEY, SECRET = "planted-key-id", "planted-secret-key"
Answer = Callable[[dict[str, Any], Callable[..., object]], Iterable[bytes]]


class S3Server:
    """A real S3 server on loopback, shared by all tests of a process; each takes buckets of its own."""

    def __init__(self) -> None:
        self._moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._moto.start()
        host, port = self._moto.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self.requests: list[str] = []
        self.refused: dict[str, int] = {}
        self.refused_keys: set[str] = set()
        self._moto._server.app = self._answering(self._moto._server.app)
        self.client = boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 1}),
        )

    def _answering(self, app: Answer) -> Answer:
        def answer(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
            path = environ["PATH_INFO"]
            self.requests.append(f"{environ['REQUEST_METHOD']} {path}")
            status = 403 if path in self.refused_keys else self.refused.get(path.split("/")[1])
            if status is None:
                return app(environ, start)
            start(f"{status} Refused", [("Content-Length", "0")])
            return [b""]

        return answer

    def bucket(self) -> str:
        name = f"bucket-{uuid4().hex}"
        self.client.create_bucket(Bucket=name)
        return name

    def put(self, bucket: str, files: Mapping[str, bytes]) -> None:
        backend = s3_backends["123456789012"]["aws"]
        for path, data in files.items():
            stored = backend.put_object(bucket, path, data)
            stored.last_modified = datetime.fromtimestamp(1_700_000_000, UTC).replace(tzinfo=None)


@cache
def s3_server() -> S3Server:
    # Each client reads the same 2 MB of descriptions of services: 0.3 s where once is enough.
    botocore.session.create_loader = cache(botocore.session.create_loader)
    return S3Server()


def s3_source(server: S3Server, bucket: str, **more: tuple[str, ...]) -> ObjectStoreSource:
    return ObjectStoreSource(
        name="world",
        location=f"s3://{bucket}/docs",
        private_hosts=True,
        options={"endpoint_url": server.url, "config_kwargs.retries.max_attempts": 0},
        secrets={"key": "THE_KEY", "secret": "THE_SECRET"},
        **more,
    )


def resources(folder: Path, *, max_bytes: int = 1 << 20, fetcher: Fetcher | None = None) -> Resources:
    secrets = {"THE_KEY": SecretStr(KEY), "THE_SECRET": SecretStr(SECRET)}
    return Resources(
        data=folder / "data",
        fetcher=fetcher or Fetcher(),
        memory=BorrowedMemory(),
        secret=secrets.get,
        max_bytes=max_bytes,
    )


class S3World(World):
    """A prefix of an S3 bucket. Its keys are UTF-8, and it knows no links."""

    paths = False
    refusals = (401, 403, 404, 429, 500, 503)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server = s3_server()
        self.bucket = self.server.bucket()

    def connector(
        self, *, max_bytes: int = 1 << 20, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> Connector:
        source = s3_source(self.server, self.bucket, include=include, exclude=exclude)
        return ObjectStoreConnector(source, resources(self.folder, max_bytes=max_bytes))

    def invalid(self) -> Connector:
        source = ObjectStoreSource(name="world", location="s3:nowhere")
        return ObjectStoreConnector(source, resources(self.folder))

    def write(self, files: Mapping[str, bytes]) -> None:
        self.server.put(self.bucket, {f"docs/{path}": data for path, data in files.items()})

    def remove(self, path: str) -> None:
        self.server.client.delete_object(Bucket=self.bucket, Key=f"docs/{path}")

    def refuse(self, status: int) -> None:
        self.server.refused[self.bucket] = status

    def break_source(self) -> None:
        self.refuse(404)


class MemoryStoreWorld(World):
    """The memory file system of fsspec, which stands for all that are walked folder by folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.files = MemoryFileSystem()
        self.root = f"/{uuid4().hex}"
        self.files.mkdir(self.root)
        self._moment = 0

    def connector(
        self, *, max_bytes: int = 1 << 20, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> Connector:
        source = ObjectStoreSource(
            name="world", location=f"memory:/{self.root}", include=include, exclude=exclude
        )
        return ObjectStoreConnector(source, resources(self.folder, max_bytes=max_bytes))

    def invalid(self) -> Connector:
        source = ObjectStoreSource(name="world", location="https://example.org/")
        return ObjectStoreConnector(source, resources(self.folder))

    def write(self, files: Mapping[str, bytes]) -> None:
        for path, data in files.items():
            self.files.pipe_file(f"{self.root}/{path}", data)
            stored = self.files.store[f"{self.root}/{path}"]
            # It has no version but the time: one that a test may compare, a microsecond further each time.
            stored.created = datetime.fromtimestamp(1_700_000_000, UTC).replace(microsecond=self._moment)
            self._moment += 1

    def remove(self, path: str) -> None:
        self.files.rm_file(f"{self.root}/{path}")

    def link(self, links: Mapping[str, str]) -> None:
        """Add nothing: it holds no links."""

    def break_source(self) -> None:
        self.files.rm(self.root, recursive=True)
