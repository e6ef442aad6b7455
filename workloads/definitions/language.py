"""Transformers. The keys and values of attention are the Weights of batched products, a group a head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .layers import Definition, Occurrence, batched_product, product

__all__ = ["bert_base", "gpt2", "llama_7b_decode", "llama_7b_prefill"]


@dataclass(frozen=True)
class Transformer:
    """Sizes of a stack of equal blocks; `gated`: the feed-forward part has a gate beside its first matrix."""

    blocks: int
    width: int
    heads: int
    hidden: int
    gated: bool = False

    def layers(self, tokens: int, context: int) -> Iterator[Occurrence]:
        """The products of all blocks where `tokens` of one sequence attend to `context` tokens."""
        each = self.width // self.heads
        for block in range(self.blocks):
            name = f"blocks.{block}"
            for projection in ("query", "key", "value"):
                yield f"{name}.attention.{projection}", product(tokens, self.width, self.width)
            yield f"{name}.attention.scores", batched_product(self.heads, tokens, each, context)
            yield f"{name}.attention.context", batched_product(self.heads, tokens, context, each)
            yield f"{name}.attention.output", product(tokens, self.width, self.width)
            if self.gated:
                yield f"{name}.feed_forward.gate", product(tokens, self.width, self.hidden)
            yield f"{name}.feed_forward.up", product(tokens, self.width, self.hidden)
            yield f"{name}.feed_forward.down", product(tokens, self.hidden, self.width)


def bert_base() -> Definition:
    """12 blocks of width 768 over 128 tokens, and the pooler."""
    width, tokens = 768, 128
    body = Transformer(blocks=12, width=width, heads=12, hidden=3072).layers(tokens, tokens)
    return Definition(
        "BERT-base",
        "BERT-base, batch 1, 128 tokens: 12 blocks of 6 products by matrices and 2 of attention, and the pooler. "
        "Looking up embeddings is not a layer.",
        "google-research/bert (uncased_L-12_H-768_A-12), after J. Devlin et al., BERT: Pre-training of Deep "
        "Bidirectional Transformers, NAACL 2019, arXiv:1810.04805",
        (*body, ("pooler", product(1, width, width))),
    )


def gpt2() -> Definition:
    """12 blocks of width 768 over 1024 tokens, and a distribution over the vocabulary for each."""
    width, tokens, vocabulary = 768, 1024, 50257
    body = Transformer(blocks=12, width=width, heads=12, hidden=3072).layers(tokens, tokens)
    return Definition(
        "GPT-2",
        "GPT-2 (124 million parameters), batch 1, all of a context of 1024 tokens at once: 12 blocks of 6 products by "
        "matrices and 2 of attention, and the output over the vocabulary. The causal mask leaves out no product.",
        "openai/gpt-2 (124M), after A. Radford et al., Language Models are Unsupervised Multitask Learners, 2019",
        (*body, ("output", product(tokens, width, vocabulary))),
    )


def llama_7b_prefill() -> Definition:
    """32 blocks of width 4096 over a prompt of 2048 tokens."""
    return llama_7b("prefill", "a prompt of 2048 tokens at once", tokens=2048)


def llama_7b_decode() -> Definition:
    """The same for one more token."""
    return llama_7b("decode", "one token that attends to 2048, its own among them", tokens=1)


def llama_7b(phase: str, what: str, tokens: int) -> Definition:
    """One phase of inference; a distribution over the vocabulary for the last token alone."""
    width, context, vocabulary = 4096, 2048, 32000
    body = Transformer(blocks=32, width=width, heads=32, hidden=11008, gated=True).layers(tokens, context)
    return Definition(
        f"Llama 7B {phase}",
        f"Llama 7B, batch 1, {what}: 32 blocks of 7 products by matrices and 2 of attention, and the output over the "
        "vocabulary for the last token. The causal mask leaves out no product.",
        "the 7B model of H. Touvron et al., LLaMA: Open and Efficient Foundation Language Models, 2023, "
        "arXiv:2302.13971; Llama 2 7B (arXiv:2307.09288) has the same sizes",
        (*body, ("output", product(1, width, vocabulary))),
    )
