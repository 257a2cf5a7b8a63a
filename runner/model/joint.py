"""Joint: one pass of a frozen base for several networks, each with adapters, dropout and heads of its own.

What a frozen layer does to a token depends on nothing else, so the tokens of all networks go through it together; that
costs less than several small passes, and so does attention, whose rows know nothing of each other. Adapters and what
is dropped are computed for each network apart, so that each has the vectors and the gradients that it would have alone,
but for the last bits.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import accumulate
from typing import Any, NamedTuple

import torch
from torch import nn

from runner.model import language, lowrank
from runner.model.batch import Batch
from runner.model.beside import beside
from runner.model.dropout import Dropout, Source
from runner.model.network import Network
from runner.model.packing import arrange
from runner.model.trunk import tokens_of, types

Meet = Callable[[Any], Any]


class Forward(NamedTuple):
    """The vectors of the tokens of a batch, as a network asks for them; `mood` is what torch does meanwhile."""

    place: int
    batch: Batch
    mood: tuple[Any, ...]


class Backward(NamedTuple):
    """What the tokens of a pass [tokens, hidden] shall be, and the gradients that a network found for them."""

    vectors: torch.Tensor
    gradient: torch.Tensor


class Joint:
    """The base of several networks that differ in what they learn. Their frozen weights become one."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self.networks = networks
        self.seating = Seating()
        self.bodies = [language.body(network.trunk) for network in networks]
        self.host: Any = copy.deepcopy(self.bodies[0])
        for body in self.bodies:
            adopt(body, self.host)
        if getattr(self.host, "pooler", None) is not None:
            self.host.pooler = Unheard([body.pooler for body in self.bodies], self.seating)
        for name in adapted(self.bodies):
            put(self.host, name, self.bodies, self.seating)
        for module in self.host.modules():
            if isinstance(module, Dropout):
                module.source = Sources(self.seating)

    def __call__(self, asked: Sequence[Forward | Backward]) -> list[Any]:
        """The answers to all that is asked in one round: what can go together does."""
        back = [each for each in asked if isinstance(each, Backward)]
        if back:
            torch.autograd.backward([each.vectors for each in back], [each.gradient for each in back])
        groups: dict[tuple[Any, ...], list[Forward]] = {}
        for each in asked:
            if isinstance(each, Forward):
                groups.setdefault(each.mood, []).append(each)
        found: dict[int, torch.Tensor] = {}
        for mood, group in groups.items():
            with felt(*mood):
                found |= zip((each.place for each in group), self.forward(group), strict=True)
        return [found[each.place] if isinstance(each, Forward) else None for each in asked]

    def forward(self, asked: Sequence[Forward]) -> Sequence[torch.Tensor]:
        """The vectors of each batch, [tokens, hidden]."""
        if len(asked) == 1:
            (only,) = asked
            network = self.networks[only.place]
            return [tokens_of(network.trunk, only.batch, network.source)]
        batches = [each.batch for each in asked]
        sizes = [each.input_ids.shape[1] for each in batches]
        own = [self.networks[each.place] for each in asked]
        layouts, positions = zip(
            *(arrange(batch.lengths, network.source) for batch, network in zip(batches, own, strict=True)), strict=True
        )
        self.seating.take([each.place for each in asked], sizes, [network.source for network in own])
        self.host.train(own[0].training)
        kinds = [types(self.host, batch) for batch in batches]
        out = self.host(
            input_ids=torch.cat([batch.input_ids for batch in batches], 1),
            position_ids=torch.cat(positions, 1),
            packing=beside(layouts),
            **{name: torch.cat([each[name] for each in kinds], 1) for name in kinds[0]},
        )
        vectors: Sequence[torch.Tensor] = out.last_hidden_state[0].split(sizes)
        return vectors


class Seat:
    """A network's place in the joint pass; `meet` brings what it asks for and returns with the answer."""

    def __init__(self, place: int, meet: Meet) -> None:
        self.place, self.meet = place, meet
        self.open: list[tuple[torch.Tensor, torch.Tensor]] = []

    def tokens(self, batch: Batch) -> torch.Tensor:
        """The vector of every token, [tokens, hidden]; gradients stay in it until `backward`."""
        vectors: torch.Tensor = self.apart(Forward(self.place, batch, mood(batch.input_ids.device.type)))
        if not vectors.requires_grad:
            return vectors
        leaf = vectors.detach().requires_grad_()
        self.open.append((vectors, leaf))
        return leaf

    def backward(self) -> None:
        """Bring the gradients of all passes since the last time, so that adapters get theirs."""
        passes, self.open = self.open, []
        for vectors, leaf in passes:
            if leaf.grad is not None:
                self.apart(Backward(vectors, leaf.grad))

    def apart(self, asked: Forward | Backward) -> Any:
        """Ask; torch's random numbers go on afterwards as if nobody else had drawn any."""
        state = torch.get_rng_state()
        try:
            return self.meet(asked)
        finally:
            torch.set_rng_state(state)


class Seating:
    """Which tokens of a pass belong to which networks: their places, how many tokens each has, and their sources."""

    def __init__(self) -> None:
        self.take([], [], [])

    def take(self, places: Sequence[int], sizes: Sequence[int], sources: Sequence[Source]) -> None:
        """Begin a pass."""
        self.places, self.sizes, self.sources = places, list(sizes), sources

    def slices(self) -> Iterator[tuple[int, slice]]:
        """The place of each network and where its tokens stand."""
        ends = accumulate(self.sizes)
        return ((place, slice(end - size, end)) for place, size, end in zip(self.places, self.sizes, ends, strict=True))

    def parts(self, x: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
        """The place of each network and its tokens of [1, tokens, width]."""
        return zip(self.places, torch.split(x, self.sizes, -2), strict=True)


class Sources(Source):
    """Masks of tokens that belong to several networks, each drawn by the source of its own."""

    def __init__(self, seating: Seating) -> None:
        self.seating = seating

    def keep(self, shape: torch.Size, p: float) -> torch.Tensor:
        owners = zip(self.seating.sources, self.seating.sizes, strict=True)
        pieces = [source.keep(torch.Size((*shape[:-2], size, shape[-1])), p) for source, size in owners]
        return torch.cat(pieces, -2)


class Shared(nn.Module):
    """A frozen linear layer of the base, and by network the layer that adds its adapter, None where it has none."""

    def __init__(self, base: nn.Module, layers: Sequence[nn.Module | None], seating: Seating) -> None:
        super().__init__()
        self.base, self.seating = base, seating
        self.own = tuple(layers)  # no children: they are asked one by one

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        known: torch.Tensor = self.base(x)
        owned = [(tokens, self.own[place]) for place, tokens in self.seating.slices()]
        products = [(tokens, layer) for tokens, layer in owned if lowrank.plain(layer)]
        if products:
            known = lowrank.added(x[0], known[0], products)[None]
        if len(products) == len(owned):
            return known
        pieces = [
            part if lowrank.plain(layer) else changed(layer, x[:, tokens], part)
            for (tokens, layer), part in zip(owned, torch.split(known, self.seating.sizes, -2), strict=True)
        ]
        return torch.cat(pieces, -2)


class Unheard(nn.Module):
    """What each network computes of its first token though nobody looks at it: it may draw what is dropped there."""

    def __init__(self, own: Sequence[nn.Module], seating: Seating) -> None:
        super().__init__()
        self.own, self.seating = tuple(own), seating

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.own[place](piece) for place, piece in self.seating.parts(x)])


def changed(layer: Any, given: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """What a layer with an adapter makes of its input, where what its base makes of it is known."""
    if layer is None:
        return known
    layer.base_layer.forward = lambda _: known
    try:
        found: torch.Tensor = layer(given)
    finally:
        del layer.base_layer.forward
    return found


def adapted(bodies: Sequence[nn.Module]) -> list[str]:
    """The names of the layers that at least one of the bodies adapts."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    return list(
        dict.fromkeys(
            name
            for body in bodies
            for name, module in body.named_modules()
            if isinstance(module, BaseTunerLayer) and not name.startswith("pooler.")
        )
    )


def put(host: nn.Module, name: str, bodies: Sequence[nn.Module], seating: Seating) -> None:
    """Put a shared layer in the place of a layer of the host."""
    owners = [body.get_submodule(name) for body in bodies]
    layers = [owner if hasattr(owner, "base_layer") else None for owner in owners]
    there: Any = host.get_submodule(name)
    host.set_submodule(name, Shared(getattr(there, "base_layer", there), layers, seating))


def adopt(body: nn.Module, host: nn.Module) -> None:
    """Let what is frozen in a body be the weights of the host, held once; ValueError where they differ."""
    weights = {plain(name): each for name, each in host.named_parameters()}
    for name, parameter in body.named_parameters():
        if parameter.requires_grad:
            continue
        same = weights.get(plain(name))
        if same is None or not torch.equal(same, parameter):
            raise ValueError(f"`{name}` differs between networks that shall share it")
        parameter.data = same.data


def plain(name: str) -> str:
    """The name of a weight without what an adapter puts into it."""
    return name.replace(".base_layer.", ".")


def mood(device: str) -> tuple[Any, ...]:
    """How torch computes in this thread: gradients, inference, the type it casts to."""
    cast = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
    return torch.is_grad_enabled(), torch.is_inference_mode_enabled(), device, cast


@contextmanager
def felt(gradients: bool, inference: bool, device: str, cast: torch.dtype | None) -> Iterator[None]:
    """The same in another thread."""
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(inference))
        stack.enter_context(torch.set_grad_enabled(gradients))
        if cast is not None:
            stack.enter_context(torch.autocast(device, cast))
        yield
