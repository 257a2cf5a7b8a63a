"""Usage: the words of the command line, read from the signature of the verb that is called.

A parameter is an argument or an option by the mark in its annotation. Only the signature of the called verb is
read: a library that reads all of them would take as long as `validate` does.
"""

from __future__ import annotations

import argparse
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, get_args, get_origin, get_type_hints

from runner.errors import did_you_mean, nearest

Verb = Callable[..., int | None]


@dataclass(frozen=True)
class Argument:
    """A word that stands at its place; left out where the parameter has a default."""

    help: str


@dataclass(frozen=True)
class Option:
    """A word that `--name` announces, or a switch; `environment` may give the default, `choices` are all it may be."""

    help: str
    name: str = ""
    choices: tuple[str, ...] = ()
    environment: str = ""


@dataclass(frozen=True)
class Group:
    """Verbs below a verb."""

    help: str
    verbs: Mapping[str, Verb]


class Parser(argparse.ArgumentParser):
    """Says in one line what is wrong with the words, and ends with exit code 2."""

    def error(self, message: str) -> NoReturn:
        wrong(self.prog, message)


def wrong(program: str, message: str) -> NoReturn:
    """End with exit code 2."""
    print(f"error: {message}\n  = help: `{program} --help` says what there is", file=sys.stderr)
    raise SystemExit(2)


def called(words: Sequence[str], verbs: Mapping[str, Verb | Group], about: str, program: str = "runner") -> Verb:
    """The verb that the words call, with their values. Raises SystemExit: 2 for wrong words, 0 after a help text."""
    if not words or words[0] in ("--help", "-h"):
        print(overview(verbs, about, program), file=sys.stdout if words else sys.stderr)
        raise SystemExit(0 if words else 2)
    name, rest = words[0], list(words[1:])
    if name not in verbs:
        wrong(program, f"there is no `{program} {name}`; {did_you_mean(name, verbs)}")
    verb = verbs[name]
    if isinstance(verb, Group):
        return called(rest, verb.verbs, verb.help, f"{program} {name}")
    return partial(verb, **values(verb, rest, f"{program} {name}"))


def overview(verbs: Mapping[str, Verb | Group], about: str, program: str) -> str:
    """The verbs with a sentence each."""
    width = max(map(len, verbs))
    lines = [f"  {name:<{width}}  {sentence(verb)}" for name, verb in verbs.items()]
    listed = "\n".join(lines)
    return f"usage: {program} VERB ...\n\n{about}\n\n{listed}\n\n`{program} VERB --help` tells the words of each."


def sentence(verb: Verb | Group) -> str:
    """What a verb does."""
    return verb.help if isinstance(verb, Group) else inspect.getdoc(verb) or ""


def values(verb: Verb, words: Sequence[str], program: str) -> dict[str, Any]:
    """The values of the verb's parameters, by name."""
    parser = Parser(prog=program, description=sentence(verb), allow_abbrev=False)
    hints = get_type_hints(verb, include_extras=True)
    parameters = inspect.signature(verb).parameters
    actions = [add(parser, name, hints[name], parameter.default) for name, parameter in parameters.items()]
    found, unknown = parser.parse_known_intermixed_args(words)
    if unknown:
        near = nearest(unknown[0], [word for action in actions for word in action.option_strings])
        parser.error(f"`{unknown[0]}` is too much" + (f"; did you mean `{near}`?" if near else ""))
    return vars(found)


def add(parser: Parser, name: str, hint: Any, default: Any) -> argparse.Action:
    """Add one parameter to the parser."""
    kind, mark = get_args(hint)
    lacks = default is inspect.Parameter.empty
    if isinstance(mark, Argument):
        many = ("+" if lacks else "*") if get_origin(kind) is list else None if lacks else "?"
        given = None if lacks else default
        return parser.add_argument(name, type=reads(kind), nargs=many, default=given, help=mark.help)
    about: dict[str, Any] = {"dest": name, "help": mark.help, "default": os.environ.get(mark.environment) or default}
    about |= {"action": "store_true"} if kind is bool else {"type": reads(kind), "choices": mark.choices or None}
    if get_origin(kind) is list:
        about |= {"action": "append", "default": []}
    if kind is not bool and not mark.choices:
        about["metavar"] = name.upper()
    return parser.add_argument(mark.name or f"--{name.replace('_', '-')}", **about)


def reads(kind: Any) -> Callable[[str], Any]:
    """What makes a value of a word: the type itself, that of a list's items, or that which may be None."""
    each: Callable[[str], Any] = next((one for one in get_args(kind) if one is not type(None)), kind)
    return each
