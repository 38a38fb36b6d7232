from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from bot.persona_data.chat_format import Message, example_line
from bot.training import Examples, Moment, TrainingRefused, read_examples

pytest.importorskip("torch", reason="needs the extra lora")
pytest.importorskip("peft", reason="needs the extra lora")

import torch
from peft import PeftModel
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from bot.chat_examples import IGNORED, Encoder
from bot.lora import LoraPlan, Stopped, train_lora
from bot.lora_files import serving_line

TEMPLATE = (
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}<end>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}" + TEMPLATE
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")

SPECIAL = ["<pad>", "<end>", "<system>", "<user>", "<assistant>"]
RULES = "Speak as Dana."
VOICE = "Aye, matey: "


def tokenizer(template: str | None = TEMPLATE) -> PreTrainedTokenizerFast:
    """Return a tokenizer of single bytes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *alphabet])}
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    inner.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    made = PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="<end>", additional_special_tokens=SPECIAL[2:]
    )
    made.chat_template = template
    return made


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Keep to one core: on several a model this small is slower, by far where others want them too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny model that knows nothing."""
    torch.manual_seed(3)
    words = tokenizer()
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=1,
        initializer_range=0.15,
    )
    folder = tmp_path_factory.mktemp("base")
    LlamaForCausalLM(config).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def example(number: int, reply: str = VOICE) -> tuple[Message, ...]:
    asked = f"What is {number}?"
    return Message("system", RULES), Message("user", asked), Message("assistant", f"{reply}{number % 3}")


@pytest.fixture
def examples() -> Examples:
    return Examples(
        train=[example(number) for number in range(24)],
        validation=[example(number) for number in range(30, 36)],
        digest="d1",
    )


@pytest.fixture
def plan(base: Path, tmp_path: Path) -> LoraPlan:
    return LoraPlan(name="dana", base=str(base), out=tmp_path / "adapter", epochs=3, rate=1e-2, batch=2)


def write(base: Path, adapter: Path | None) -> str:
    """Return what the model answers, with the adapter or without."""
    words = tokenizer()
    model: Any = LlamaForCausalLM.from_pretrained(base)
    if adapter is not None:
        model = PeftModel.from_pretrained(model, str(adapter))
    asked = [{"role": "system", "content": RULES}, {"role": "user", "content": "What is 99?"}]
    text = words.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    ids = torch.tensor([words(text, add_special_tokens=False)["input_ids"]])
    made = model.eval().generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=14, do_sample=False, pad_token_id=0
    )
    return str(words.decode(made[0, ids.shape[1] :], skip_special_tokens=True))


def silent(_moment: Moment) -> None:
    pass


def stopping_at(stop: Event, step: int) -> Callable[[Moment], None]:
    """Return a listener that stops the training at a step."""

    def told(moment: Moment) -> None:
        if moment.step >= step:
            stop.set()

    return told


def test_training_changes_what_the_model_writes(base: Path, plan: LoraPlan, examples: Examples) -> None:
    """The adapter is trained, saved as safetensors, loaded by peft, and the model speaks in the voice."""
    told: list[Moment] = []
    trained = train_lora(plan, examples, told.append, Event())
    assert (plan.out / "adapter_model.safetensors").is_file()
    assert not write(base, None).startswith("Aye")
    assert write(base, plan.out).startswith(VOICE)
    assert (trained.model, trained.backend, trained.job) == ("dana", "lora", str(plan.out))
    losses = [moment.validation_loss for moment in told if moment.validation_loss is not None]
    assert losses[-1] < losses[0]
    assert trained.validation_loss == min(losses)
    assert trained.notes == ()


def test_what_was_said_earlier_is_not_learnt(base: Path, plan: LoraPlan, examples: Examples) -> None:
    """A model trained on talks whose earlier replies have weight 0 speaks as the last replies do."""
    before = (Message("user", "And then?"), Message("assistant", "No. No. No.", earlier=True))
    talks = [(one[0], *before, *one[1:]) for one in examples.train]
    train_lora(replace(plan, epochs=4), replace(examples, train=talks), silent, Event())
    written = write(base, plan.out)
    assert "matey" in written
    assert "No" not in written


def test_the_base_model_is_left_alone(base: Path, plan: LoraPlan, examples: Examples) -> None:
    """Training writes the adapter alone: the base model's files are the same bytes as before."""
    before = {path.name: path.read_bytes() for path in base.iterdir()}
    train_lora(replace(plan, epochs=1), examples, silent, Event())
    assert {path.name: path.read_bytes() for path in base.iterdir()} == before
    assert list(plan.out.parent.iterdir()) == [plan.out]


def test_it_stops_early(plan: LoraPlan, examples: Examples) -> None:
    """When the validation loss gets no better for two passes, training ends with the best adapter."""
    noise = random.Random(1)
    odd = [example(n, "".join(noise.choices("xyzqw", k=12))) for n in range(40, 44)]
    told: list[Moment] = []
    against = replace(examples, validation=odd)
    trained = train_lora(replace(plan, epochs=30), against, told.append, Event())
    losses = [moment.validation_loss for moment in told if moment.validation_loss is not None]
    assert len(losses) < 30
    assert losses.index(min(losses)) == len(losses) - 3
    assert trained.validation_loss == min(losses)


def test_a_training_that_was_cut_off_goes_on(base: Path, plan: LoraPlan, examples: Examples) -> None:
    """A stopped run goes on from its last whole pass and ends where an undisturbed one ends."""
    whole = train_lora(replace(plan, out=plan.out.with_name("whole")), examples, silent, Event())
    stop = Event()
    with pytest.raises(Stopped):
        train_lora(plan, examples, stopping_at(stop, 30), stop)
    told: list[Moment] = []
    resumed = train_lora(plan, examples, told.append, Event(), resume=True)
    assert any(moment.message == "going on after pass 2" for moment in told)
    assert resumed.validation_loss == pytest.approx(whole.validation_loss, rel=0.25)
    assert write(base, plan.out).startswith(VOICE)


def test_resuming_needs_the_same_training(plan: LoraPlan, examples: Examples) -> None:
    """There is nothing to resume before a start, and another data set is not mixed in."""
    with pytest.raises(TrainingRefused, match="No training of 'dana' is under way"):
        train_lora(plan, examples, silent, Event(), resume=True)
    stop = Event()
    with pytest.raises(Stopped):
        train_lora(plan, examples, stopping_at(stop, 4), stop)
    with pytest.raises(TrainingRefused, match="another base, data set"):
        train_lora(plan, replace(examples, digest="d2"), silent, Event(), resume=True)


def test_an_earlier_adapter_is_replaced_at_the_end(plan: LoraPlan, examples: Examples) -> None:
    """Until a new adapter is whole the earlier one stays; a folder of something else is never replaced."""
    train_lora(replace(plan, epochs=1), examples, silent, Event())
    before = (plan.out / "adapter_model.safetensors").read_bytes()
    stop = Event()
    with pytest.raises(Stopped):
        train_lora(plan, examples, stopping_at(stop, 4), stop)
    assert (plan.out / "adapter_model.safetensors").read_bytes() == before
    train_lora(replace(plan, epochs=2), examples, silent, Event())
    assert (plan.out / "adapter_model.safetensors").read_bytes() != before
    other = plan.out.with_name("photos")
    other.mkdir()
    (other / "a.jpg").touch()
    with pytest.raises(TrainingRefused, match="no adapter"):
        train_lora(replace(plan, out=other), examples, silent, Event())


def test_no_validation(plan: LoraPlan, examples: Examples) -> None:
    """Without validation examples the lowest training loss counts, and a note says so."""
    trained = train_lora(replace(plan, epochs=1), replace(examples, validation=()), silent, Event())
    assert trained.validation_loss is None
    assert "no validation examples" in trained.notes[0]


def test_a_base_that_is_no_model(plan: LoraPlan, examples: Examples, tmp_path: Path) -> None:
    """A folder without a model is refused by its name, and no adapter folder is left."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingRefused, match=r"empty' cannot be loaded as a language model"):
        train_lora(replace(plan, base=str(tmp_path / "empty")), examples, silent, Event())
    assert not plan.out.exists()


def test_serving(plan: LoraPlan, examples: Examples) -> None:
    """The line for vLLM names base, adapter, its rank and the layout that was learnt; vLLM can load it."""
    train_lora(replace(plan, epochs=1, rank=12), examples, silent, Event())
    line = serving_line("dana", plan.base, plan.out)
    assert line == (
        f"vllm serve {plan.base} --enable-lora --max-lora-rank 16 --lora-modules dana={plan.out} "
        f"--chat-template {plan.out / 'chat_template.jinja'}"
    )
    config = json.loads((plan.out / "adapter_config.json").read_text(encoding="utf-8"))
    assert (config["bias"], config["modules_to_save"], config["use_dora"]) == ("none", None, False)
    assert "lm_head" not in config["target_modules"]


def learnt(encoder: Encoder, words: PreTrainedTokenizerFast, messages: tuple[Message, ...]) -> str:
    tokens = encoder.encode(messages)
    assert tokens is not None
    return str(words.decode([label for label in tokens.labels if label != IGNORED]))


CHAT = (
    Message("system", RULES),
    Message("user", "a?"),
    Message("assistant", "first"),
    Message("user", "b?"),
    Message("assistant", "second"),
)


def test_only_replies_are_learnt() -> None:
    """What is learnt is each reply with its end mark; an earlier one of weight 0 is read alone."""
    words = tokenizer()
    encoder = Encoder(words, longest=500)
    assert learnt(encoder, words, CHAT) == "first<end>second<end>"
    earlier = (*CHAT[:2], Message("assistant", "first", earlier=True), *CHAT[3:])
    assert learnt(encoder, words, earlier) == "second<end>"


def test_weight_0_of_a_data_set_is_not_learnt(tmp_path: Path) -> None:
    """Of a file's replies with weight 0 no token has a label; all of the last reply's have theirs."""
    line = example_line((*CHAT[:2], Message("assistant", "first", earlier=True), *CHAT[3:]))
    train = tmp_path / "train.jsonl"
    train.write_text("".join(f"{line}\n" for _ in range(10)), encoding="utf-8")
    words = tokenizer()
    tokens = Encoder(words, longest=100).encode(read_examples(train, None).train[0])
    assert tokens is not None
    marks = [
        (words.decode([token]), label != IGNORED)
        for token, label in zip(tokens.ids, tokens.labels, strict=True)
    ]
    assert "".join(text for text, learnt in marks if learnt) == "second<end>"
    assert "first<end>" in "".join(text for text, learnt in marks if not learnt)


def test_a_template_without_a_system_role() -> None:
    """A template that refuses a system message gets its words in front of the first question."""
    words = tokenizer(NO_SYSTEM)
    tokens = Encoder(words, longest=500).encode(CHAT)
    assert tokens is not None
    assert words.decode(tokens.ids).startswith(f"<user>{RULES}\n\na?<end><assistant>first")


def test_a_model_without_a_template() -> None:
    """A base model without a chat template learns a plain layout, which its tokenizer then holds."""
    words = tokenizer(None)
    encoder = Encoder(words, longest=500)
    assert learnt(encoder, words, CHAT) == "first<end>\nsecond<end>\n"
    assert words.chat_template


def test_a_template_that_takes_no_chat() -> None:
    """A template that refuses every chat is an error that says what to do."""
    words = tokenizer("{{ raise_exception('never') }}")
    with pytest.raises(TrainingRefused, match="Choose an instruction-tuned base"):
        Encoder(words, longest=500).encode(CHAT)


def test_long_examples() -> None:
    """The oldest exchanges of a long example are left out; a reply that has no room makes it none."""
    words = tokenizer()
    room = len(words.encode(RULES)) + 20
    assert learnt(Encoder(words, longest=room), words, CHAT) == "second<end>"
    assert Encoder(words, longest=10).encode(CHAT) is None
