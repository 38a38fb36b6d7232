"""A LoRA adapter for a voice, trained with transformers and peft on this machine: CPU or GPU.

The loop is plain torch. The adapter that was best on the validation examples is kept, in the layout that
peft, vLLM and llama.cpp's converter read. After each pass all that is needed to go on is saved, so that a run
which was cut off loses one pass at most. This module needs the extra `lora`; nothing else imports it.
"""

from __future__ import annotations

import logging
import math
import random
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar, set_verbosity_error

from bot.chat_examples import IGNORED, Encoder, Tokens
from bot.lora_files import AdapterFiles, Standing
from bot.training import Examples, Moment, Told, Trained, TrainingFailed, TrainingRefused

log = logging.getLogger(__name__)

_CLIP = 1.0
_WARM_UP = 0.05
_SEED = 17
_AT_ONCE = 4096  # tokens, with their gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraPlan:
    """What to train. `base` is a folder or an id at Hugging Face, `longest` an example's length in tokens."""

    name: str
    base: str
    out: Path
    epochs: int = 10
    rank: int = 16
    rate: float = 2e-4
    batch: int = 8
    longest: int = 1024
    patience: int = 2  # passes without a better validation loss before it stops


class Stopped(Exception):
    """The training was told to stop; what is saved may be gone on with."""


def train_lora(
    plan: LoraPlan, examples: Examples, told: Told, stop: Event, *, resume: bool = False
) -> Trained:
    """Train and save the adapter; blocks, so it is run in a thread.

    `told` is called in this thread. With `resume` it goes on from the last whole pass. Raise TrainingRefused
    when the base model or the examples are of no use, TrainingFailed when it went wrong, `Stopped` when
    `stop` was set.
    """
    files = AdapterFiles(plan.out)
    settings = {key: value for key, value in asdict(plan).items() if key not in {"out", "name"}}
    standing = files.standing(plan.name, {**settings, "data": examples.digest}, resume=resume)
    set_verbosity_error()
    disable_progress_bar()
    try:
        with warnings.catch_warnings():
            # What peft and transformers deprecate of each other is of no use to who trains.
            warnings.simplefilter("ignore", FutureWarning)
            return _Training(plan, examples, told, stop, files, standing).run()
    except torch.cuda.OutOfMemoryError as exc:
        raise TrainingFailed(
            f"The GPU has too little memory to train {plan.base!r}. Take a smaller base model."
        ) from exc


class _Training:
    """One run: the model, its examples as tokens, and how far it came."""

    def __init__(
        self,
        plan: LoraPlan,
        examples: Examples,
        told: Told,
        stop: Event,
        files: AdapterFiles,
        standing: Standing,
    ) -> None:
        torch.manual_seed(_SEED)
        self.plan = plan
        self.told = told
        self.stop = stop
        self.files = files
        self.standing = standing
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        told(Moment(status="loading", message=f"loading {plan.base} ({self.device.type})"))
        self.tokenizer, base = _loaded(plan.base, self.device)
        encoder = Encoder(self.tokenizer, longest=min(plan.longest, _window(base)))
        self.learnt, self.left_out = _encoded(encoder, examples.train)
        self.checked, _ = _encoded(encoder, examples.validation)
        if not self.learnt:
            raise TrainingRefused("No example fits into the base model's window. Take another base model.")
        self.model = _with_adapter(base, plan.rank)
        self.batches = math.ceil(len(self.learnt) / plan.batch)
        self.steps = self.batches * plan.epochs
        adapted = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(adapted, lr=plan.rate, weight_decay=0.0)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self._rate)

    def run(self) -> Trained:
        """Train pass after pass until the end, or until the validation loss gets no better."""
        if self.standing.epoch:
            self._restore()
        while self.standing.epoch < self.plan.epochs and self.standing.worse < self.plan.patience:
            loss = self._pass(self.standing.epoch)
            validation = self._validated()
            self._judge(loss, loss if validation is None else validation)
            step = self.standing.epoch * self.batches
            self._tell(step, loss, validation, f"pass {self.standing.epoch} of {self.plan.epochs}")
        self.files.publish()
        return self._trained()

    def _rate(self, step: int) -> float:
        """Return the share of the learning rate at a step: a warm-up, then half a cosine."""
        warm = max(1, round(self.steps * _WARM_UP))
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, self.steps - warm)))

    def _pass(self, epoch: int) -> float:
        """Learn every example once, in an order of this pass; return the mean loss of a token."""
        self.model.train()
        order = list(self.learnt)
        random.Random(_SEED + epoch).shuffle(order)  # noqa: S311 - an order, no secret
        total, count = 0.0, 0
        for number, batch in enumerate(_batches(order, self.plan.batch), start=1):
            if self.stop.is_set():
                raise Stopped
            loss, tokens = self._learn(batch)
            total, count = total + loss, count + tokens
            self._tell(epoch * self.batches + number, total / count, None, "")
        return total / count

    def _validated(self) -> float | None:
        """Return the mean loss of a token of the validation examples, None when there are none."""
        if not self.checked:
            return None
        self.model.eval()
        total, count = 0.0, 0
        with torch.no_grad():
            for batch in _batches(self.checked, self.plan.batch):
                if self.stop.is_set():
                    raise Stopped
                total += sum(float(self._loss(part)) for part in _parts(batch))
                count += _learnt(batch)
        return total / count

    def _learn(self, batch: Sequence[Tokens]) -> tuple[float, int]:
        """Take one step; return the sum of the losses and how many tokens were learnt."""
        tokens, total = _learnt(batch), 0.0
        for part in _parts(batch):
            loss = self._loss(part)
            if not torch.isfinite(loss):
                raise TrainingFailed(
                    "The loss is not a number any more. Look for odd examples in the data set."
                )
            (loss / tokens).backward()
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), _CLIP)
        self.optimizer.step()
        self.scheduler.step()
        self.optimizer.zero_grad(set_to_none=True)
        return total, tokens

    def _loss(self, part: Sequence[Tokens]) -> Any:  # noqa: ANN401 - a tensor
        """Return the sum of the losses of the tokens that are to be learnt."""
        ids, mask, labels = _padded(part, int(self.tokenizer.pad_token_id or 0), self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            logits = self.model(input_ids=ids, attention_mask=mask).logits[:, :-1]
        aims = labels[:, 1:]
        wanted = aims != IGNORED  # a large vocabulary is not put into 32 bits for what is not learnt
        return torch.nn.functional.cross_entropy(logits[wanted].float(), aims[wanted], reduction="sum")

    def _judge(self, loss: float, measure: float) -> None:
        """Keep the adapter when it is the best so far, and note how far the training is."""
        better = self.standing.best is None or measure < self.standing.best
        if better:
            self.files.save_best(lambda folder: _save(self.model, self.tokenizer, folder))
        self.standing = Standing(
            epoch=self.standing.epoch + 1,
            best=measure if better else self.standing.best,
            worse=0 if better else self.standing.worse + 1,
            loss=loss,
        )
        state = {
            "adapter": get_peft_model_state_dict(self.model),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
        }
        self.files.save_standing(self.standing, lambda path: torch.save(state, path))

    def _restore(self) -> None:
        state = torch.load(self.files.state, map_location=self.device, weights_only=True)
        set_peft_model_state_dict(self.model, state["adapter"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self._tell(
            self.standing.epoch * self.batches, None, None, f"going on after pass {self.standing.epoch}"
        )

    def _tell(self, step: int, loss: float | None, validation: float | None, message: str) -> None:
        moment = Moment(
            status="training",
            step=step,
            steps=self.steps,
            loss=loss,
            validation_loss=validation,
            message=message,
        )
        self.told(moment)

    def _trained(self) -> Trained:
        notes = []
        if self.left_out:
            notes.append(
                f"{self.left_out} examples are longer than {self.plan.longest} tokens and were left out."
            )
        if not self.checked:
            notes.append(
                "There were no validation examples: the adapter with the lowest training loss was kept."
            )
        return Trained(
            model=self.plan.name,
            base=self.plan.base,
            backend="lora",
            job=str(self.files.adapter.absolute()),
            tokens=sum(len(example.ids) for example in self.learnt) * self.standing.epoch,
            loss=self.standing.loss,
            validation_loss=self.standing.best if self.checked else None,
            notes=tuple(notes),
        )


def _loaded(base: str, device: torch.device) -> tuple[Any, Any]:
    """Return the tokenizer and the model; code that comes with a model is never run."""
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    try:
        tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            base, dtype=dtype, trust_remote_code=False, use_safetensors=True
        )
    except (OSError, ValueError, KeyError, ImportError) as exc:
        log.warning("the base model %r cannot be loaded: %s", base, exc)
        raise TrainingRefused(
            f"The base model {base!r} cannot be loaded as a language model ({type(exc).__name__}; "
            "the log says more). Give its folder, or its id at Hugging Face."
        ) from exc
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer, model.to(device)


def _with_adapter(base: Any, rank: int) -> Any:  # noqa: ANN401 - peft is an extra
    """Return the model with an adapter on all its linear layers, the only part that learns."""
    config = LoraConfig(
        r=rank, lora_alpha=2 * rank, lora_dropout=0.05, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    if torch.cuda.is_available():
        base.gradient_checkpointing_enable()
        base.enable_input_require_grads()
    base.config.use_cache = False
    return get_peft_model(base, config)


def _save(model: Any, tokenizer: Any, folder: Path) -> None:  # noqa: ANN401 - peft is an extra
    model.save_pretrained(str(folder), safe_serialization=True)
    tokenizer.save_pretrained(str(folder))


def _window(model: Any) -> int:  # noqa: ANN401 - transformers is an extra
    """Return how many tokens a model can see at once."""
    return int(getattr(model.config, "max_position_embeddings", 0) or 1_000_000)


def _encoded(encoder: Encoder, examples: Sequence[Any]) -> tuple[list[Tokens], int]:
    """Return the examples as tokens, and how many have no room."""
    encoded = [encoder.encode(example) for example in examples]
    kept = [tokens for tokens in encoded if tokens is not None]
    return kept, len(encoded) - len(kept)


def _batches(examples: Sequence[Tokens], size: int) -> Iterator[Sequence[Tokens]]:
    for start in range(0, len(examples), size):
        yield examples[start : start + size]


def _parts(batch: Sequence[Tokens]) -> Iterator[Sequence[Tokens]]:
    """Split a batch so that what is computed at once stays small, whatever the examples' length."""
    longest = max(len(example.ids) for example in batch)
    return _batches(batch, max(1, _AT_ONCE // longest))


def _learnt(batch: Sequence[Tokens]) -> int:
    """Count the tokens of a batch that are to be learnt; the first of an example follows nothing."""
    return max(1, sum(label != IGNORED for example in batch for label in example.labels[1:]))


def _padded(batch: Sequence[Tokens], padding: int, device: torch.device) -> tuple[Any, Any, Any]:
    """Return ids, attention mask and labels of a batch, filled up to its longest example."""
    width = max(len(example.ids) for example in batch)
    gaps = [width - len(example.ids) for example in batch]
    rows = list(zip(batch, gaps, strict=True))
    ids = [[*example.ids, *[padding] * gap] for example, gap in rows]
    mask = [[1] * len(example.ids) + [0] * gap for example, gap in rows]
    labels = [[*example.labels, *[IGNORED] * gap] for example, gap in rows]
    return tuple(torch.tensor(values, device=device) for values in (ids, mask, labels))
