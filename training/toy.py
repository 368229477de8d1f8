"""The toy policy at work: rendering, generation in batches, log-probs of an action. All in float32 on the CPU."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from dialogues import ANSWER, Message

LONGEST_ACTION = 230


class Toy:
    """A model with its tokenizer, loaded from a Hugging Face folder."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        torch.set_num_threads(threads)
        self.tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def render(self, messages: list[Message], *, prompt: bool) -> str:
        return self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False)

    @torch.no_grad()
    def generate(self, conversations: list[list[Message]], *, temperature: float, size: int = 100) -> list[str]:
        """The next action of each conversation; temperature 0 is greedy."""
        replies: list[str] = []
        # Conversations of like length share a batch: less padding.
        order = sorted(range(len(conversations)), key=lambda k: sum(len(m["content"]) for m in conversations[k]))
        for at in range(0, len(order), size):
            texts = [self.render(conversations[k], prompt=True) for k in order[at : at + size]]
            inputs = self.tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
            sampling = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0} if temperature else {"do_sample": False}
            output = self.model.generate(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                max_new_tokens=LONGEST_ACTION,
                pad_token_id=self.tokenizer.pad_token_id,
                **sampling,
            )
            start = inputs["input_ids"].shape[1]
            replies += [self.tokenizer.decode(row[start:], skip_special_tokens=True) for row in output]
        in_order = [""] * len(replies)
        for k, reply in zip(order, replies):
            in_order[k] = reply
        return in_order

    @torch.no_grad()
    def logprobs(self, ids: list[int]) -> torch.Tensor:
        """Natural log-prob of ids[1:], each given all before it (float32)."""
        logits = self.model(torch.tensor([ids]), use_cache=False).logits[0, :-1]
        return logits.float().log_softmax(-1).gather(1, torch.tensor(ids[1:])[:, None])[:, 0]


def proposed_code(action: str) -> str | None:
    """The code of a proposal, None for a question."""
    if ANSWER not in action:
        return None
    return action.split(ANSWER, 1)[1].lstrip("\n")
