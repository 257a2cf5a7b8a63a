"""Tiny models that write: 2 layers, 16 wide, random weights, a word tokenizer over a handful of words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

WORDS = ["[PAD]", "[END]", "[UNK]", "[MASK]", "the", "quick", "brown", "fox", "runs", "now", "away", "and", "sees", "a"]
WORDS += ["good", "bad", "film", "day", "##s", "text", "words", "same", "in", "other", ".", ":", "?", "cat", "dog"]
CHAT = "{% for message in messages %}{{ message['content'] }} [END]{% endfor %}"


def build(folder: Path) -> Path:
    """`masked`, `seq2seq`, `causal`, `chat` and `encoder` below a folder."""
    import transformers as t

    size = {"vocab_size": len(WORDS), "num_attention_heads": 2, "num_hidden_layers": 2, "hidden_size": 16}
    ids = {"pad_token_id": 0, "eos_token_id": 1}
    bert = t.BertConfig(**size, intermediate_size=32, max_position_embeddings=512)
    llama = t.LlamaConfig(**size, **ids, bos_token_id=None, intermediate_size=32, max_position_embeddings=512)
    five = t.T5Config(vocab_size=len(WORDS), d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, **ids,
                      decoder_start_token_id=0)  # fmt: skip
    save(folder / "masked", t.BertForMaskedLM, bert)
    save(folder / "encoder", t.BertModel, bert)
    save(folder / "causal", t.LlamaForCausalLM, llama)
    save(folder / "chat", t.LlamaForCausalLM, llama, chat_template=CHAT)
    save(folder / "seq2seq", t.T5ForConditionalGeneration, five)
    return folder


def save(folder: Path, kind: Any, config: Any, **more: Any) -> None:
    """A model whose words differ in likelihood, its end of a text being likely enough to come."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import PreTrainedTokenizerFast

    torch.manual_seed(0)
    model = kind(config)
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.3)
    if model.get_output_embeddings() is not None:
        with torch.no_grad():
            model.get_output_embeddings().weight.mul_(0.25)[1] = 0.0
    model.save_pretrained(folder)
    words = Tokenizer(WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    special = {"pad_token": "[PAD]", "eos_token": "[END]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
    PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=512, **special, **more).save_pretrained(folder)
