"""The pre-trained weights as files: where they lie, what they are, what they hold; read without torch."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from runner.cache.cache import Cache, fingerprint
from runner.data.files import content_hash
from runner.data.models import GGUF, config_of, locate, trusted, weight_files
from runner.data.recipe import Marks
from runner.errors import RunnerError
from runner.parts.adapters._adapter import Sizes
from runner.parts.tokenizer import tokenizer
from runner.spec.tables import Model

SHIFTED = {"roberta", "xlm-roberta", "camembert", "mpnet", "longformer"}  # positions begin behind padding's id
DECODERS = {"gpt2", "gpt_neo", "gpt_neox", "gptj", "opt", "bloom", "codegen", "mpt", "xglm", "openai-gpt"}
GUESSING = ("cls.predictions.", "lm_head.", "vocab_transform.", "generator_")  # heads that guess hidden words
HEADS = (*GUESSING, "cls.", "vocab_", "embed_out.", "classifier.", "qa_outputs.", "score.")  # that stand on a trunk
NO_LINEAR = re.compile(r"embed|pooler|relative_attention_bias|(^|\.)(shared|wte|wpe)\.")  # tables of two dimensions
PROBE = "Fixed probe: naïve café, 3.14 €, don't — 東京 🙂"


@dataclass(frozen=True)
class Base:
    """A folder with `config.json`, `tokenizer.json` and safetensors weights."""

    written: str
    folder: Path

    @cached_property
    def config(self) -> dict[str, Any]:
        """The architecture, as the folder's `config.json` says it."""
        return config_of(self.folder)

    @cached_property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of every stored weight by its name, from the headers of the safetensors files."""
        return {name: shape for file in weight_files(self.folder) for name, shape in header(file).items()}

    @cached_property
    def words(self) -> dict[str, str]:
        """Special tokens by their role, such as `eos_token`, and the chat template, as far as the folder has them."""
        file = self.folder / "tokenizer_config.json"
        about = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        found = {name: each["content"] if isinstance(each, dict) else each for name, each in about.items()}
        return {name: each for name, each in found.items() if isinstance(each, str)}

    @property
    def template(self) -> str:
        """How its chats are laid out; empty where it has no such template."""
        file = self.folder / "chat_template.jinja"
        return file.read_text(encoding="utf-8") if file.is_file() else self.words.get("chat_template", "")

    @property
    def marks(self) -> Marks:
        """The tokens that open and end its texts."""
        last, ends = self.words.get("eos_token", ""), self.config.get("eos_token_id")
        end: int | None = tokenizer(self.tokenizer_file).token_to_id(last) if last else None
        if end is None and ends is not None:
            end = int(ends[0] if isinstance(ends, list) else ends)
        return Marks(end, self.words.get("bos_token", ""), last)

    @property
    def ends(self) -> list[int]:
        """Ids of the tokens that end what its language model writes: that of its tokenizer, and those of its config."""
        named = self.config.get("eos_token_id")
        more = named if isinstance(named, list) else [named]
        return [each for each in dict.fromkeys([self.marks.end, *more]) if isinstance(each, int)]

    @property
    def padding(self) -> int:
        """Token id of padding; 0 where the config names none (it is masked anyway)."""
        return int(self.config.get("pad_token_id") or 0)

    @property
    def masking(self) -> tuple[int, int]:
        """The id of the token that hides others, and the size of the vocabulary."""
        mask = tokenizer(self.tokenizer_file).token_to_id(self.words.get("mask_token", "[MASK]"))
        if mask is None:
            raise RunnerError(f"`{self.written}` has no token that hides others", "choose an encoder such as BERT")
        return mask, int(self.config["vocab_size"])

    @property
    def speaks(self) -> str:
        """The kind of language model that its architecture is: seq2seq, causal, or masked for an encoder."""
        if self.config.get("is_encoder_decoder"):
            return "seq2seq"
        named = " ".join(self.config.get("architectures") or [])
        decodes = "num_key_value_heads" in self.config or self.config.get("model_type") in DECODERS
        causal = decodes or "CausalLM" in named or "LMHead" in named or self.config.get("is_decoder")
        return "causal" if causal else "masked"

    @property
    def guesses(self) -> bool:
        """Whether the weights hold a head that guesses hidden words."""
        return any(name.startswith(GUESSING) for name in self.shapes)

    @property
    def words_known(self) -> int:
        """Tokens that its embeddings have room for."""
        return int(self.config.get("vocab_size") or 0)

    @property
    def tokenizer_file(self) -> Path:
        return self.folder / "tokenizer.json"

    @property
    def hidden(self) -> int:
        """Width of a token vector."""
        return self.number("hidden_size", "dim", "d_model", "n_embd")

    @property
    def layers(self) -> int:
        """Number of transformer layers."""
        return self.number("num_hidden_layers", "n_layers", "num_layers", "n_layer")

    @property
    def sizes(self) -> Sizes:
        """What adapters need to know."""
        heads = self.number("num_attention_heads", "n_heads", "num_heads", "n_head")
        shared = self.config.get("num_key_value_heads")
        width = int(self.config.get("head_dim") or self.hidden // heads)
        return Sizes(self.hidden, self.layers, width * (shared if isinstance(shared, int) else heads))

    def number(self, *names: str) -> int:
        """The first of these entries that the config has; architectures call them by different names."""
        for name in names:
            if isinstance(self.config.get(name), int):
                return int(self.config[name])
        raise RunnerError(
            f"`{self.written}` is no encoder that runner knows: its config.json has none of {', '.join(names)}",
            "choose an encoder such as BERT, RoBERTa, MPNet, ELECTRA, DistilBERT or DeBERTa",
        )

    @property
    def longest(self) -> int | None:
        """Longest input the position table allows, in tokens; None where the config names no limit."""
        limit = self.config.get("max_position_embeddings")
        begins = int(self.config.get("pad_token_id") or 0) + 1 if self.config.get("model_type") in SHIFTED else 0
        return None if limit is None else int(limit) - begins

    @cached_property
    def linears(self) -> Mapping[str, tuple[int, int]]:
        """Shape [out, in] of every linear layer by its full name; what an adapter may target."""
        return {
            name.removesuffix(".weight"): (shape[0], shape[1])
            for name, shape in self.shapes.items()
            if name.endswith(".weight")
            and len(shape) == 2
            and not NO_LINEAR.search(name.lower())
            and not name.startswith(HEADS)
        }

    def weights(self, speaks: str = "") -> dict[str, tuple[int, ...]]:
        """Shapes of the weights that a trunk has; of the language head only where it speaks.

        An encoder that was published without the head that guesses words gets one; no pooler stands beside it.
        """
        found = {name: shape for name, shape in self.shapes.items() if not name.endswith("position_ids")}
        if speaks == "masked":
            found = {name: shape for name, shape in found.items() if "pooler." not in name}
            width, words = self.hidden, self.words_known
            fresh = {"transform": (width, width), "bias": (width,), "norm": (2, width), "scores": (words,)}
            return found if self.guesses else found | {f"lm_head.{name}": shape for name, shape in fresh.items()}
        return found if speaks else {name: shape for name, shape in found.items() if not name.startswith(HEADS)}

    def parameters(self, speaks: str = "") -> int:
        """Number of all weights of a trunk, heads of tasks excluded."""
        return sum(size(shape) for shape in self.weights(speaks).values())

    def idle(self) -> int:
        """Weights that no head reads and training leaves alone: the pooler of the original model."""
        return sum(size(shape) for name, shape in self.shapes.items() if "pooler." in name)

    def key(self, cache: Cache) -> str:
        """Identity of the model: weights, config, tokenizer, and the token ids of a fixed text."""
        hashes = [content_hash(file, cache) for file in self.deciding]
        return fingerprint({"files": hashes, "probe": self.probed})

    def hashes(self, cache: Cache) -> dict[str, str]:
        """What its key is made of, by names: a hash of each file, and of the token ids of a fixed text."""
        return {file.name: content_hash(file, cache) for file in self.deciding} | {"probe": fingerprint(self.probed)}

    @property
    def deciding(self) -> list[Path]:
        """The files that decide what it is."""
        return [self.folder / "config.json", self.tokenizer_file, *weight_files(self.folder)]

    @cached_property
    def probed(self) -> list[int]:
        """The token ids of a fixed text."""
        return list(tokenizer(self.tokenizer_file).encode(PROBE).ids)


def size(shape: tuple[int, ...]) -> int:
    """Number of elements."""
    total = 1
    for length in shape:
        total *= length
    return total


def header(file: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes in a safetensors file (its format: 8 bytes of length, then JSON)."""
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 0 < length <= 100_000_000:
                raise ValueError("no header")
            entries = json.loads(stream.read(length))
        entries.pop("__metadata__", None)
        if file.stat().st_size < 8 + length + max((entry["data_offsets"][1] for entry in entries.values()), default=0):
            raise ValueError("it ends too early")
        return {name: tuple(entry["shape"]) for name, entry in entries.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunnerError(
            f"`{file}` is not a readable safetensors file: {error}", "download the model again"
        ) from error


def find(model: Model, folder: Path, cache: Cache | None = None) -> Base:
    """The base that a spec in `folder` names; the cache is where other forms of weights become a folder.

    Raises RunnerError where it can't be found, asks for code of its own, or has no safetensors weights.
    """
    assert isinstance(model.base, str), "a fresh base needs the texts of its tokenizer"
    base = Base(model.base, place_of(model.base, folder, model.revision, cache))
    trusted(base.written, base.folder)
    if not base.tokenizer_file.is_file():
        raise RunnerError(
            f"`{base.written}` has no tokenizer.json",
            "save it by `AutoTokenizer.from_pretrained(...).save_pretrained(folder)`",
        )
    return base


def place_of(written: str, folder: Path, revision: str | None, cache: Cache | None) -> Path:
    """The folder of the weights that a word names."""
    run = written.removeprefix("run:") if written.startswith("run:") else ""
    if run or written.startswith("package:") or written.endswith(GGUF):
        from runner.data import weights

        if run:
            return weights.of_run(run, needed(cache))
        place = locate(written, folder, revision)
        return weights.unpacked(place, needed(cache)) if place.suffix == GGUF else place
    return locate(written, folder, revision)


def needed(cache: Cache | None) -> Cache:
    """The cache, where there is one."""
    if cache is None:
        raise RunnerError("these weights become a folder in the cache of a results folder", "name the folder itself")
    return cache
