"""Trains the toy policy from nothing on generated dialogues, within a wall-clock budget.

    python train.py --out FOLDER --seconds 3600

Writes a Hugging Face folder (every --checkpoint-seconds and at the end, atomically) with a `training.json` that
records the command, seed, time and tokens. Weights are saved as the nearest float16 numbers, so that the F16
GGUF made from them is the very same model.
"""

import argparse
import json
import math
import os
import platform
import random
import shutil
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as functional
from transformers import Qwen2ForCausalLM, Qwen2Tokenizer

from batches import AGENT, Batch, batches, tokenizer_texts
from policy import configuration, train_tokenizer

# How much it weighs that two replies which both say nothing are followed alike, beside the loss of a plain token.
ALIKE = 5.0
EMA_DECAY = 0.998


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, outside the repository")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--kv-heads", type=int, default=4)
    parser.add_argument("--feed-forward", type=int, default=768)
    parser.add_argument("--vocabulary", type=int, default=1536)
    parser.add_argument("--tokens", type=int, default=3840, help="tokens of a batch, about")
    parser.add_argument("--longest", type=int, default=512, help="tokens of the longest dialogue")
    parser.add_argument("--learning-rate", type=float, default=6e-3)
    parser.add_argument("--opening-weight", type=float, default=AGENT, help="loss weight of an action's first line")
    parser.add_argument("--start-from", type=Path, help="folder of an earlier run to go on from, with its tokenizer")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--checkpoint-seconds", type=float, default=240)
    parser.add_argument("--without-placeholder", action="store_true", help="leave the placeholder sentence out of the data")
    return parser.parse_args()


def losses(logits: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Weighted cross-entropy over what should come next, and the divergence between twins (symmetric), both per unit of weight.

    Where the agent draws a value itself, what should come next is the whole distribution that it draws from.
    """
    log_probs = logits.float().flatten(0, 1).log_softmax(-1)
    single = -log_probs.gather(1, batch.targets.flatten()[:, None])[:, 0]
    where, tokens, likely = batch.soft
    spread = torch.zeros_like(single).index_add(0, where, -likely * (log_probs[where, tokens] - likely.log()))
    is_spread = torch.zeros_like(single, dtype=torch.bool).index_fill(0, where, True)
    weights = batch.weights.flatten()
    prediction = (torch.where(is_spread, spread, single) * weights).sum() / weights.sum()
    one, other = log_probs[batch.twins[0]], log_probs[batch.twins[1]]
    apart = ((one.exp() - other.exp()) * (one - other)).sum() / 2
    return prediction, apart / weights.sum()


def make_optimizers(model: Qwen2ForCausalLM, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the blocks, AdamW for embeddings, norms and biases.

    In two minutes from nothing the loss fell to 0.33 so, and to 0.42 with AdamW alone at its best rate.
    """
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=0.02, momentum=0.95, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def schedule(progress: float, step: int) -> float:
    """Warm-up over 60 steps, then a cosine over the wall clock down to 2 %."""
    return min(1.0, (step + 1) / 60) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


@torch.no_grad()
def update_average(average: list[torch.Tensor], model: Qwen2ForCausalLM, step: int) -> None:
    """Exponential moving average: what a checkpoint in the middle of training is worth looking at."""
    decay = min(EMA_DECAY, (step + 1) / (step + 10))
    torch._foreach_mul_(average, decay)
    torch._foreach_add_(average, list(model.parameters()), alpha=1 - decay)


def save(out: Path, model: Qwen2ForCausalLM, average: list[torch.Tensor], tokenizer: Qwen2Tokenizer, record: dict) -> None:
    """Writes the averaged weights beside `out` and swaps the folders, so that a reader never sees half a checkpoint."""
    fresh = out.with_name(out.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    copy = Qwen2ForCausalLM(model.config)
    copy.load_state_dict(model.state_dict())
    with torch.no_grad():
        for parameter, value in zip(copy.parameters(), average):
            parameter.copy_(value.half().float())
    copy.save_pretrained(fresh)
    tokenizer.save_pretrained(fresh)
    (fresh / "training.json").write_text(json.dumps(record, indent=2) + "\n")
    old = out.with_name(out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        os.rename(out, old)
    os.rename(fresh, out)
    shutil.rmtree(old, ignore_errors=True)


def begin(arguments: argparse.Namespace, rng: random.Random, placeholder: bool) -> tuple[Qwen2Tokenizer, Qwen2ForCausalLM, dict]:
    """Tokenizer, model, and the record of the runs before this one (zeros for a model made from nothing)."""
    if arguments.start_from is not None:
        before = json.loads((arguments.start_from / "training.json").read_text())
        tokenizer = Qwen2Tokenizer.from_pretrained(arguments.start_from)
        return tokenizer, Qwen2ForCausalLM.from_pretrained(arguments.start_from, dtype=torch.float32, attn_implementation="eager"), before
    tokenizer = train_tokenizer(tokenizer_texts(rng, placeholder), arguments.vocabulary)
    shape = (arguments.layers, arguments.width, arguments.heads, arguments.kv_heads, arguments.feed_forward)
    return tokenizer, Qwen2ForCausalLM(configuration(len(tokenizer), *shape)), {}


def main() -> None:
    arguments = parse_arguments()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    rng = random.Random(arguments.seed)
    placeholder = not arguments.without_placeholder
    tokenizer, model, before = begin(arguments, rng, placeholder)
    average = [parameter.detach().clone() for parameter in model.parameters()]
    optimizers = make_optimizers(model, arguments.learning_rate)
    print(f"parameters {model.num_parameters()}, vocabulary {len(tokenizer)}", flush=True)

    start = saved = time.monotonic()
    seen = step = 0
    smooth = None

    def record() -> dict:
        commands = [before["command"]] if before else []
        return {
            "command": " && ".join([*commands, "python train.py " + " ".join(without_folders(sys.argv[1:]))]),
            "seed": before.get("seed", arguments.seed),
            "train_seconds": before.get("train_seconds", 0) + round(time.monotonic() - start),
            "steps": before.get("steps", 0) + step,
            "tokens_seen": before.get("tokens_seen", 0) + seen,
            "loss": smooth and smooth[0],
            "placeholder_in_data": placeholder or before.get("placeholder_in_data", False),
            "hardware": f"{os.cpu_count()} cores of a {platform.machine()} processor, no GPU",
            "torch": torch.__version__,
        }

    for batch in batches(tokenizer, rng, placeholder, arguments.opening_weight, arguments.tokens, arguments.longest):
        elapsed = time.monotonic() - start
        if elapsed > arguments.seconds:
            break
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = arguments.learning_rate * schedule(elapsed / arguments.seconds, step)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(batch.inputs, use_cache=False).logits
        prediction, apart = losses(logits, batch)
        loss = prediction + ALIKE * apart
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        update_average(average, model, step)
        step += 1
        seen += int((batch.weights > 0).sum())
        now = (prediction.item(), apart.item())
        smooth = now if smooth is None else tuple(0.95 * a + 0.05 * b for a, b in zip(smooth, now))
        if step % 50 == 0:
            spent = time.monotonic() - start
            print(f"{spent:6.0f} s, step {step}, loss {smooth[0]:.4f}, twins {smooth[1]:.5f}, {seen / spent:.0f} tokens/s", flush=True)
        if time.monotonic() - saved > arguments.checkpoint_seconds:
            saved = time.monotonic()
            save(arguments.out, model, average, tokenizer, record())
    save(arguments.out, model, average, tokenizer, record())
    print("saved", flush=True)


def without_folders(words: list[str]) -> list[str]:
    """The arguments with folders named by their last part only: where they lay on this machine is nobody's business."""
    folders = ("--out", "--start-from")
    return [Path(word).name if k and words[k - 1] in folders else word for k, word in enumerate(words)]


if __name__ == "__main__":
    main()
