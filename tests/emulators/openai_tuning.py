"""A server that speaks OpenAI's protocol for files and fine-tuning jobs.

It listens on a real socket of the loopback interface. Jobs stand still until a test calls `advance`, which
takes every job one step further: validating_files, queued, running (one event with losses a step), and the
end that `outcome` says. `by_itself` makes that happen with every look at a job. `faults` makes the next
requests fail, before or after they took effect. It imports nothing of ours, so that one misreading of the
protocol cannot pass twice.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import BodyPartReader, web

Body = dict[str, Any]

ENDED = {"succeeded", "failed", "cancelled"}
_JOB_KEYS = {
    "model", "training_file", "validation_file", "hyperparameters", "integrations", "metadata", "method",
    "seed", "suffix",
}  # fmt: skip
_FEWEST = 10


@dataclass(slots=True, kw_only=True)
class Fault:
    """What happens to the next request of `method` whose path ends with `path`.

    "cut" drops the connection. With `late` the request takes effect all the same.
    """

    method: str
    path: str
    status: int | Literal["cut"]
    late: bool = False
    code: str | None = None
    message: str = "scripted failure"


@dataclass(slots=True, kw_only=True)
class Job:
    """One job: its body as the API shows it, its events oldest first, what is left for it to do."""

    body: Body
    events: list[Body] = field(default_factory=list)
    left: list[tuple[float, float]] = field(default_factory=list)

    @property
    def status(self) -> str:
        """Return where it stands."""
        return str(self.body["status"])


class TuningEmulator:
    """The server. `base_url` and `key` are what a client is given."""

    def __init__(self, *, key: str = "test-key", models: Sequence[str] = ("base-model",)) -> None:
        self.key = key
        self.models = tuple(models)
        self.losses: tuple[tuple[float, float], ...] = ((2.0, 2.1), (1.5, 1.7), (1.2, 1.6))
        self.outcome: Literal["succeeded", "failed"] = "succeeded"
        self.by_itself = False
        self.files: dict[str, Body] = {}
        self.contents: dict[str, bytes] = {}
        self.jobs: dict[str, Job] = {}
        self.deleted: list[str] = []
        self.requests: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self.base_url = ""
        self._now = 1_700_000_000

    @asynccontextmanager
    async def running(self) -> AsyncIterator[TuningEmulator]:
        """Serve on a free port until the block ends."""
        app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[self._guard])
        app.router.add_post("/v1/files", self._create_file)
        app.router.add_get("/v1/files", self._list_files)
        app.router.add_get("/v1/files/{file}", self._show_file)
        app.router.add_delete("/v1/files/{file}", self._delete_file)
        app.router.add_post("/v1/fine_tuning/jobs", self._create_job)
        app.router.add_get("/v1/fine_tuning/jobs", self._list_jobs)
        app.router.add_get("/v1/fine_tuning/jobs/{job}", self._show_job)
        app.router.add_post("/v1/fine_tuning/jobs/{job}/cancel", self._cancel_job)
        app.router.add_get("/v1/fine_tuning/jobs/{job}/events", self._list_events)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}/v1"
        try:
            yield self
        finally:
            await runner.cleanup()

    def advance(self) -> None:
        """Take every job that has not ended one step further."""
        for job in self.jobs.values():
            if job.status == "validating_files":
                self._become(job, "queued", "Files validated, moving job to queued state")
            elif job.status == "queued":
                self._become(job, "running", "Fine-tuning job started")
            elif job.status == "running" and job.left:
                self._train(job)
            elif job.status == "running":
                self._end(job)

    def count(self, method: str, path: str) -> int:
        """Return how many requests of a method came in whose path ends so."""
        return sum(1 for verb, asked in self.requests if verb == method and asked.endswith(path))

    def _become(self, job: Job, status: str, message: str) -> None:
        job.body["status"] = status
        self._tell(job, message)

    def _train(self, job: Job) -> None:
        loss, validation = job.left.pop(0)
        total = len(self.losses)
        step = total - len(job.left)
        data: Body = {
            "step": step,
            "total_steps": total,
            "train_loss": loss,
            "train_mean_token_accuracy": 0.5,
        }
        told = f"Step {step}/{total}: training loss={loss:.2f}"
        if job.body["validation_file"]:
            data["valid_loss"] = validation
            told += f", validation loss={validation:.2f}"
        self._tell(job, told, data)

    def _end(self, job: Job) -> None:
        if self.outcome == "failed":
            error = {"code": "invalid_training_file", "message": "The data was not approved.", "param": None}
            job.body["error"] = error
            self._become(job, "failed", "The job failed")
            return
        suffix = job.body.pop("_suffix", None) or ""
        job.body["fine_tuned_model"] = f"ft:{job.body['model']}:org:{suffix}:{job.body['id'][6:]}"
        job.body["trained_tokens"] = 4321
        job.body["finished_at"] = self._tick()
        self._tell(job, f"New fine-tuned model created: {job.body['fine_tuned_model']}")
        self._become(job, "succeeded", "The job has successfully completed")

    def _tell(self, job: Job, message: str, data: Body | None = None) -> None:
        job.events.append(
            {
                "object": "fine_tuning.job.event",
                "id": f"ftevent-{len(job.events) + 1}",
                "created_at": self._tick(),
                "level": "info",
                "message": message,
                "data": data or {},
                "type": "metrics" if data else "message",
            }
        )

    def _tick(self) -> int:
        self._now += 1
        return self._now

    @web.middleware
    async def _guard(self, request: web.Request, handler: Callable[..., Any]) -> web.StreamResponse:
        """Record the request, keep out who has no key, and let scripted faults happen."""
        self.requests.append((request.method, request.path))
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return _failed(401, f"Incorrect API key provided: {request.headers.get('Authorization')}")
        fault = next((f for f in self.faults if _meets(f, request)), None)
        if fault is None:
            return await handler(request)  # type: ignore[no-any-return] # aiohttp's handlers are untyped here
        self.faults.remove(fault)
        if fault.late:
            await handler(request)
        if fault.status == "cut":
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return _failed(fault.status, fault.message, code=fault.code)

    async def _create_file(self, request: web.Request) -> web.Response:
        parts: dict[str, bytes] = {}
        name = ""
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            parts[part.name or ""] = bytes(await part.read())
            name = part.filename or name
        if "file" not in parts or parts.get("purpose") != b"fine-tune":
            return _failed(400, "'file' and 'purpose' are required properties")
        if not name.endswith(".jsonl"):
            return _failed(400, "Invalid file format for Fine-Tuning API. Must be .jsonl")
        key = f"file-{len(self.files) + len(self.deleted) + 1}"
        self.contents[key] = parts["file"]
        self.files[key] = {
            "object": "file",
            "id": key,
            "bytes": len(parts["file"]),
            "created_at": self._tick(),
            "filename": name,
            "purpose": "fine-tune",
            "status": "processed",
        }
        return web.json_response(self.files[key])

    async def _list_files(self, request: web.Request) -> web.Response:
        newest = [file for file in reversed(self.files.values()) if _wanted(file, request)]
        return _page(newest, request)

    async def _show_file(self, request: web.Request) -> web.Response:
        file = self.files.get(request.match_info["file"])
        return web.json_response(file) if file else _failed(404, "No such File object")

    async def _delete_file(self, request: web.Request) -> web.Response:
        key = request.match_info["file"]
        if self.files.pop(key, None) is None:
            return _failed(404, f"No such File object: {key}")
        self.deleted.append(key)
        return web.json_response({"object": "file", "id": key, "deleted": True})

    async def _create_job(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if problem := self._problem(asked):
            return _failed(400, problem)
        key = f"ftjob-{len(self.jobs) + 1}"
        body = {
            "object": "fine_tuning.job",
            "id": key,
            "created_at": self._tick(),
            "error": None,
            "fine_tuned_model": None,
            "finished_at": None,
            "hyperparameters": {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"},
            "model": asked["model"],
            "organization_id": "org-1",
            "result_files": [],
            "seed": 1,
            "status": "validating_files",
            "trained_tokens": None,
            "training_file": asked["training_file"],
            "validation_file": asked.get("validation_file"),
            "estimated_finish": None,
            "integrations": [],
            "metadata": asked.get("metadata"),
            "method": asked.get("method"),
        }
        job = self.jobs[key] = Job(body=body, left=list(self.losses))
        job.body["_suffix"] = asked.get("suffix")
        self._tell(job, f"Created fine-tuning job: {key}")
        self._tell(job, f"Validating training file: {asked['training_file']}")
        return web.json_response(_shown(job))

    def _problem(self, asked: Body) -> str:
        if unknown := set(asked) - _JOB_KEYS:
            return f"Unknown parameter: {min(unknown)!r}."
        if asked.get("model") not in self.models:
            return f"Model {asked.get('model')} is not available for fine-tuning or does not exist."
        if len(asked.get("suffix") or "") > 64 or len(asked.get("metadata") or {}) > 16:
            return "The suffix or the metadata is too long."
        for key in filter(None, (asked.get("training_file"), asked.get("validation_file"))):
            if key not in self.files:
                return f"invalid training_file: {key}"
        return _file_problem(self.contents[asked["training_file"]])

    async def _list_jobs(self, request: web.Request) -> web.Response:
        wanted = {key[9:-1]: value for key, value in request.query.items() if key.startswith("metadata[")}
        newest = [
            _shown(job)
            for job in reversed(self.jobs.values())
            if wanted.items() <= (job.body["metadata"] or {}).items()
        ]
        return _page(newest, request)

    async def _show_job(self, request: web.Request) -> web.Response:
        if self.by_itself:
            self.advance()
        job = self.jobs.get(request.match_info["job"])
        return web.json_response(_shown(job)) if job else _failed(404, "Could not find fine tune")

    async def _cancel_job(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["job"])
        if job is None:
            return _failed(404, "Could not find fine tune")
        if job.status in ENDED:
            return _failed(400, f"Job has already completed: {job.body['id']}")
        self._become(job, "cancelled", "The job was cancelled")
        return web.json_response(_shown(job))

    async def _list_events(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["job"])
        if job is None:
            return _failed(404, "Could not find fine tune")
        return _page(list(reversed(job.events)), request)


def _meets(fault: Fault, request: web.Request) -> bool:
    return fault.method == request.method and request.path.endswith(fault.path)


def _wanted(file: Body, request: web.Request) -> bool:
    return request.query.get("purpose") in {None, file["purpose"]}


def _shown(job: Job) -> Body:
    return {key: value for key, value in job.body.items() if not key.startswith("_")}


def _page(things: list[Body], request: web.Request) -> web.Response:
    """Answer with a part of a list: what follows `after`, at most `limit`."""
    after, limit = request.query.get("after"), int(request.query.get("limit", "20"))
    ids = [thing["id"] for thing in things]
    start = ids.index(after) + 1 if after in ids else 0
    data = things[start : start + limit]
    return web.json_response({"object": "list", "data": data, "has_more": start + limit < len(things)})


def _file_problem(content: bytes) -> str:
    lines = [line for line in content.decode().splitlines() if line.strip()]
    if len(lines) < _FEWEST:
        return f"Training file has {len(lines)} example(s), but must have at least {_FEWEST} examples"
    for number, line in enumerate(lines, start=1):
        messages = json.loads(line).get("messages") or [{}]
        if messages[-1].get("role") != "assistant":
            return f"Example {number}: last message must be from the assistant"
    return ""


def _failed(status: int, message: str, *, code: str | None = None) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return web.json_response({"error": error}, status=status)
