from __future__ import annotations

import json
from collections.abc import AsyncIterator

import openai
import pytest
from openai import AsyncOpenAI

from tests.emulators.openai_tuning import Fault, TuningEmulator

LINE = json.dumps({"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}]})


@pytest.fixture
async def server() -> AsyncIterator[TuningEmulator]:
    async with TuningEmulator().running() as running:
        yield running


@pytest.fixture
async def client(server: TuningEmulator) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key=server.key, base_url=server.base_url, max_retries=0) as opened:
        yield opened


async def upload(client: AsyncOpenAI, lines: int = 10) -> str:
    content = "\n".join([LINE] * lines).encode()
    return (await client.files.create(file=("a.jsonl", content), purpose="fine-tune")).id


async def test_a_job_goes_through_its_states(server: TuningEmulator, client: AsyncOpenAI) -> None:
    """A job is validated, queued, run with losses and ends with a model, as the client reads it."""
    made = await client.fine_tuning.jobs.create(
        model="base-model", training_file=await upload(client), suffix="x"
    )
    seen = [made.status]
    while seen[-1] != "succeeded":
        server.advance()
        seen.append((await client.fine_tuning.jobs.retrieve(made.id)).status)
    assert list(dict.fromkeys(seen)) == ["validating_files", "queued", "running", "succeeded"]
    done = await client.fine_tuning.jobs.retrieve(made.id)
    assert done.fine_tuned_model == "ft:base-model:org:x:1"
    events = [event async for event in client.fine_tuning.jobs.list_events(made.id, limit=2)]
    assert len(events) == 9
    assert events[0].message == "The job has successfully completed"


async def test_jobs_are_found_by_metadata(client: AsyncOpenAI) -> None:
    """A list of jobs holds those with the metadata that is asked for."""
    file = await upload(client)
    for mark in ("a", "b"):
        await client.fine_tuning.jobs.create(model="base-model", training_file=file, metadata={"mark": mark})
    found = [job.id async for job in client.fine_tuning.jobs.list(metadata={"mark": "a"})]
    assert found == ["ftjob-1"]


async def test_bad_requests_are_refused(client: AsyncOpenAI) -> None:
    """An unknown model, an unknown file and too few examples are errors of the request."""
    few = await upload(client, 9)
    with pytest.raises(openai.BadRequestError, match="at least 10"):
        await client.fine_tuning.jobs.create(model="base-model", training_file=few)
    with pytest.raises(openai.BadRequestError, match="not available"):
        await client.fine_tuning.jobs.create(model="other", training_file=few)
    with pytest.raises(openai.BadRequestError, match="invalid training_file"):
        await client.fine_tuning.jobs.create(model="base-model", training_file="file-9")


async def test_a_late_fault_takes_effect(server: TuningEmulator, client: AsyncOpenAI) -> None:
    """A request that is cut off late has done its work, and the next one is answered."""
    server.faults.append(Fault(method="POST", path="/files", status="cut", late=True))
    with pytest.raises(openai.APIConnectionError):
        await upload(client)
    assert [file.id async for file in client.files.list()] == ["file-1"]
