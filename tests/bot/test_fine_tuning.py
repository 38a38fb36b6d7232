from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from openai import AsyncOpenAI
from openai.types.fine_tuning import FineTuningJobEvent
from pydantic import SecretStr

from bot.fine_tuning import LOST_SECONDS, POLL_SECONDS, FineTuning, Plan, open_client
from bot.training import Moment, Trained, TrainingFailed, TrainingRefused, read_examples
from bot.tuning_events import read_event
from bot.tuning_state import TuningFile
from tests.emulators.openai_tuning import Fault, TuningEmulator

MODEL = "ft:base-model:org:dana-x:1"


def line(reply: str, **more: object) -> str:
    said = {"role": "assistant", "content": reply} | more
    return json.dumps({"messages": [{"role": "user", "content": "How long?"}, said]}) + "\n"


def write_set(folder: Path, *, train: int = 12, validation: int = 3) -> Plan:
    learnt, checked = folder / "train.jsonl", folder / "validation.jsonl"
    learnt.write_text("".join(line(f"Aye, {number}.") for number in range(train)), encoding="utf-8")
    checked.write_text("".join(line(f"Nay, {number}.") for number in range(validation)), encoding="utf-8")
    return Plan(name="dana x", train=learnt, validation=checked, base="base-model")


class Bench:
    """A fine-tuning against the emulator; each pause takes the server's jobs one step further."""

    def __init__(self, server: TuningEmulator, client: AsyncOpenAI, file: TuningFile) -> None:
        self.server = server
        self.client = client
        self.file = file
        self.told: list[Moment] = []
        self.paused = 0.0
        self.at_pause: Callable[[], None] = server.advance

    async def pause(self, seconds: float) -> None:
        self.paused += seconds
        self.at_pause()

    def tuning(self) -> FineTuning:
        """Return what a new process would have."""
        return FineTuning(
            self.client, self.file, base_url=self.server.base_url, told=self.told.append, pause=self.pause
        )

    async def train(self, plan: Plan) -> Trained:
        tuning = self.tuning()
        return await tuning.follow(plan.name, await tuning.start(plan))

    async def go_on(self, plan: Plan) -> Trained:
        tuning = self.tuning()
        return await tuning.follow(plan.name, await tuning.resume(plan.name))


@pytest.fixture
async def server() -> AsyncIterator[TuningEmulator]:
    async with TuningEmulator().running() as running:
        yield running


@pytest.fixture
async def bench(server: TuningEmulator, tmp_path: Path) -> AsyncIterator[Bench]:
    async with open_client(server.base_url, SecretStr(server.key), "KEY") as client:
        yield Bench(server, client, TuningFile(tmp_path / "state" / "training.json"))


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return write_set(tmp_path)


async def test_a_training_ends_with_a_model(bench: Bench, plan: Plan) -> None:
    """The data is uploaded, the job followed to its end, and the model named with its losses and tokens."""
    trained = await bench.train(plan)
    assert (trained.model, trained.base, trained.job) == (MODEL, "base-model", "ftjob-1")
    assert (trained.tokens, trained.loss, trained.validation_loss) == (4321, 1.2, 1.6)
    job = bench.server.jobs["ftjob-1"].body
    assert job["method"] == {"type": "supervised", "supervised": {"hyperparameters": {}}}
    assert bench.server.contents[job["training_file"]] == plan.train.read_bytes()
    assert bench.server.contents[job["validation_file"]] == plan.validation.read_bytes()


async def test_progress_is_told_with_losses(bench: Bench, plan: Plan) -> None:
    """Each step is told once, in order, with its training and validation loss."""
    await bench.train(plan)
    steps = [(m.step, m.steps, m.loss, m.validation_loss) for m in bench.told if m.loss is not None]
    assert steps == [(1, 3, 2.0, 2.1), (2, 3, 1.5, 1.7), (3, 3, 1.2, 1.6)]
    assert [m.status for m in bench.told][-1] == "succeeded"


async def test_uploads_are_deleted_at_the_end(bench: Bench, plan: Plan) -> None:
    """Nobody's words stay at the API once the job has ended; a file that cannot be deleted is named."""
    bench.server.faults.append(Fault(method="DELETE", path="/file-1", status=500))
    trained = await bench.train(plan)
    assert bench.server.deleted == ["file-2"]
    assert trained.notes == ("The uploaded file 'file-1' could not be deleted. Delete it at the API.",)


async def test_epochs_are_passed_on(bench: Bench, plan: Plan) -> None:
    """The number of passes is the API's choice unless one is given."""
    await bench.tuning().start(replace(plan, epochs=2))
    method = bench.server.jobs["ftjob-1"].body["method"]
    assert method["supervised"]["hyperparameters"] == {"n_epochs": 2}


@pytest.mark.parametrize("status", ["cut", 500])
@pytest.mark.parametrize("path", ["/files", "/fine_tuning/jobs"])
async def test_nothing_is_made_twice(bench: Bench, plan: Plan, path: str, status: int | str) -> None:
    """A request that took effect though its reply was lost is found again, not repeated."""
    bench.server.faults.append(Fault(method="POST", path=path, status=status, late=True))  # type: ignore[arg-type]
    await bench.train(plan)
    assert len(bench.server.jobs) == 1
    assert len(bench.server.contents) == 2
    assert bench.server.files == {}


@pytest.mark.parametrize("crash", range(6))
async def test_a_crash_loses_nothing(bench: Bench, plan: Plan, crash: int) -> None:
    """Whichever write of the state a process dies before, the next one goes on: one job, no second upload."""
    writes = 0
    keep = TuningFile.keep

    class Crash(BaseException):
        pass

    def dying(self: TuningFile, *args: object, **changes: str) -> object:
        nonlocal writes
        writes += 1
        if writes == crash:
            raise Crash
        return keep(self, *args, **changes)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TuningFile, "keep", dying)
        try:
            await bench.tuning().start(plan)
        except Crash:
            assert 1 <= crash <= 3
    assert (await bench.go_on(plan)).model == MODEL
    assert (len(bench.server.jobs), len(bench.server.contents)) == (1, 2)


async def test_a_finished_job_can_be_read_again(bench: Bench, plan: Plan) -> None:
    """Until its model is recorded, a job that succeeded is followed to the same end by --resume."""
    first = await bench.train(plan)
    assert (await bench.go_on(plan)).model == first.model
    bench.tuning().finished()
    with pytest.raises(TrainingRefused, match="No training of 'dana x' is under way"):
        await bench.tuning().resume(plan.name)


async def test_a_failed_job_says_why(bench: Bench, plan: Plan) -> None:
    """A job that failed is told with the API's reason, and another one may be started."""
    bench.server.outcome = "failed"
    with pytest.raises(TrainingFailed, match=r"'ftjob-1' of 'dana x' failed: The data was not approved\."):
        await bench.train(plan)
    bench.server.outcome = "succeeded"
    assert (await bench.train(plan)).job == "ftjob-2"


async def test_one_training_at_a_time(bench: Bench, plan: Plan) -> None:
    """While a job is under way no other one is started for the same persona."""
    await bench.tuning().start(plan)
    with pytest.raises(TrainingRefused, match=r"under way \(ftjob-1\)"):
        await bench.tuning().start(plan)
    assert len(bench.server.jobs) == 1


async def test_cancel(bench: Bench, plan: Plan) -> None:
    """A cancelled job is cancelled at the API, its data deleted there, and forgotten here."""
    await bench.tuning().start(plan)
    assert await bench.tuning().cancel(plan.name) == "cancelled"
    assert bench.server.jobs["ftjob-1"].status == "cancelled"
    assert bench.server.files == {}
    with pytest.raises(TrainingRefused, match="nothing to cancel"):
        await bench.tuning().cancel(plan.name)


async def test_cancel_finds_a_job_that_was_not_noted(bench: Bench, plan: Plan) -> None:
    """A job whose id was lost in a crash is cancelled all the same."""
    state = await bench.tuning().start(plan)
    bench.file.keep(state, job="")
    await bench.tuning().cancel(plan.name)
    assert bench.server.jobs["ftjob-1"].status == "cancelled"


async def test_a_job_that_succeeded_is_not_cancelled(bench: Bench, plan: Plan) -> None:
    """Cancelling too late says so and keeps the model within reach of --resume."""
    await bench.tuning().start(plan)
    for _ in range(6):
        bench.server.advance()
    assert await bench.tuning().cancel(plan.name) == "succeeded"
    assert (await bench.go_on(plan)).model == MODEL


async def test_a_job_cancelled_elsewhere_ends_the_training(bench: Bench, plan: Plan) -> None:
    """A job that someone cancelled at the API's own page is told as such."""
    tuning = bench.tuning()
    state = await tuning.start(plan)
    bench.server.jobs["ftjob-1"].body["status"] = "cancelled"
    with pytest.raises(TrainingFailed, match="was cancelled"):
        await tuning.follow(plan.name, state)


async def test_an_outage_is_waited_for(bench: Bench, plan: Plan) -> None:
    """While the API fails now and then, the job is followed on; the outage is told."""
    tuning = bench.tuning()
    state = await tuning.start(plan)
    for status in (500, 503, 429, "cut"):
        bench.server.faults.append(Fault(method="GET", path="/ftjob-1", status=status))  # type: ignore[arg-type]
    assert (await tuning.follow(plan.name, state)).model == MODEL
    assert [moment.status for moment in bench.told].count("waiting") == 4


async def test_a_long_outage_leaves_the_job_running(bench: Bench, plan: Plan) -> None:
    """When the API stays away, the command ends and says that --resume goes on with the job."""
    tuning = bench.tuning()
    state = await tuning.start(plan)
    tries = int(LOST_SECONDS / POLL_SECONDS) + 1
    bench.server.faults += [Fault(method="GET", path="/ftjob-1", status=502) for _ in range(tries)]
    bench.at_pause = lambda: None
    with pytest.raises(TrainingFailed, match="--resume") as caught:
        await tuning.follow(plan.name, state)
    assert caught.value.resumable
    bench.at_pause = bench.server.advance
    assert (await bench.go_on(plan)).model == MODEL


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            Fault(method="POST", path="/files", status=401, message="Incorrect key: sk-abc"),
            "rejected the key",
        ),
        (Fault(method="POST", path="/files", status=403), "may not do this"),
        (Fault(method="POST", path="/jobs", status=429, code="insufficient_quota"), "no quota left"),
        (Fault(method="POST", path="/jobs", status=400, message="No such\nmodel."), "No such model."),
        (Fault(method="POST", path="/jobs", status=404), "offers fine-tuning"),
    ],
)
async def test_refusals_leave_nothing_behind(bench: Bench, plan: Plan, fault: Fault, told: str) -> None:
    """A refused request ends in one line without a key in it; uploads are deleted, no state is left."""
    bench.server.faults.append(fault)
    with pytest.raises(TrainingRefused) as caught:
        await bench.tuning().start(plan)
    message = str(caught.value)
    assert told in message
    assert "\n" not in message
    assert "sk-abc" not in message
    assert bench.server.files == {}
    assert bench.file.read() is None


async def test_changed_data_is_not_mixed_in(bench: Bench, plan: Plan, tmp_path: Path) -> None:
    """A training that was cut off while uploading does not go on with another data set."""
    bench.server.faults += [Fault(method="POST", path="/files", status="cut") for _ in range(4)]
    with pytest.raises(TrainingFailed, match="--resume"):
        await bench.tuning().start(plan)
    write_set(tmp_path, train=20)
    with pytest.raises(TrainingRefused, match="was changed"):
        await bench.tuning().resume(plan.name)


async def test_another_server_is_not_asked(bench: Bench, plan: Plan) -> None:
    """A job is followed where it was started, whatever the settings say now."""
    await bench.tuning().start(plan)
    other = FineTuning(bench.client, bench.file, base_url="http://127.0.0.1:1/v1")
    with pytest.raises(TrainingRefused, match="Set base_url of the persona as it was"):
        await other.resume(plan.name)


def test_a_key_is_needed() -> None:
    """OpenAI itself needs a key; a server of one's own may not."""
    with pytest.raises(TrainingRefused, match="'TUNE_KEY'"):
        open_client("", None, "TUNE_KEY")
    assert open_client("http://127.0.0.1:1/v1", None, "TUNE_KEY").api_key == "none"


def test_a_broken_state_is_told(tmp_path: Path) -> None:
    """A state file that is cut off or holds something else is an error that names it."""
    for content in ('{"token": "a"', "[]", '{"token": 1}', '{"other": "x"}'):
        path = tmp_path / "training.json"
        path.write_text(content, encoding="utf-8")
        with pytest.raises(TrainingFailed, match=r"training\.json"):
            TuningFile(path).read()


def test_losses_are_read_from_words() -> None:
    """A server that puts the figures into the message alone is understood as well."""
    event = FineTuningJobEvent(
        id="e1",
        created_at=1,
        level="info",
        object="fine_tuning.job.event",
        message="Step 20/80: training loss=0.52, validation loss=0.61, full validation loss=0.58",
    )
    moment = read_event(event, "running")
    assert (moment.step, moment.steps, moment.loss, moment.validation_loss) == (20, 80, 0.52, 0.58)


def test_examples_are_checked(tmp_path: Path) -> None:
    """Too few, broken, wordless or leaking examples are refused, with their place."""
    good = write_set(tmp_path)
    assert len(read_examples(good.train, good.validation).train) == 12
    assert read_examples(good.train, None).validation == ()
    with pytest.raises(TrainingRefused, match="Make one: lorekeeper persona dataset"):
        read_examples(tmp_path / "none.jsonl", None)
    few = write_set(tmp_path, train=9)
    with pytest.raises(TrainingRefused, match="has 9 examples, and at least 10"):
        read_examples(few.train, few.validation)
    good = write_set(tmp_path)
    for wrong in (
        "{",
        "[]",
        line(""),
        line("x", weight=0),
        '{"messages": [{"role": "user", "content": "a"}]}',
    ):
        good.validation.write_text(line("fine") + wrong, encoding="utf-8")
        with pytest.raises(TrainingRefused, match=r"validation\.jsonl', line 2"):
            read_examples(good.train, good.validation)
    good.validation.write_text(line("Aye, 3."), encoding="utf-8")
    with pytest.raises(TrainingRefused, match="1 examples are in"):
        read_examples(good.train, good.validation)
