"""Log-probs of given tokens by `transformers`, in float32 on the CPU: what every server is compared with.

    python reference.py MODEL_FOLDER SEQUENCES.json OUT.json TEMPERATURE

SEQUENCES is a list of lists of token ids. OUT is parallel to it: natural log-probs of each list's tokens from the second on, each
given all before it, in the distribution that is sampled at TEMPERATURE (1: the model's own), unrounded, together with the versions
that computed them.
"""

import json
import sys
from pathlib import Path

import torch
import transformers

# Threads that wait for each other on a busy machine are slower than one alone, by far.
THREADS = 1


@torch.no_grad()
def logprobs(model, ids: list[int], temperature: float) -> list[float]:
    logits = model(torch.tensor([ids]), use_cache=False).logits[0, :-1]
    return (logits / temperature).log_softmax(-1).gather(1, torch.tensor(ids[1:])[:, None])[:, 0].tolist()


def main() -> None:
    folder, sequences, out, temperature = sys.argv[1:]
    torch.set_num_threads(THREADS)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    rows = [logprobs(model, ids, float(temperature)) for ids in json.loads(Path(sequences).read_text())]
    by = f"transformers {transformers.__version__} on torch {torch.__version__}, float32"
    Path(out).write_text(json.dumps({"by": by, "logprobs": rows}))


if __name__ == "__main__":
    main()
