"""Personal data behind placeholders: addresses of mail and machines, numbers of phones, cards and bank accounts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import AddressValueError, IPv6Address
from itertools import accumulate
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.cleaners._cleaner import Cleaner

Kind = Literal["email", "iban", "card", "ip", "phone"]

# All patterns are bounded, and none touches a bracket of a placeholder, so that a masked text has nothing left to mask.
START, END = r"(?<![\w\]])", r"(?![\w\[])"
EMAIL = re.compile(rf"(?<!\])[\w.%+'-]{{1,64}}+@(?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.){{1,8}}[^\W\d_]{{2,24}}{END}")
IBAN = re.compile(rf"{START}[A-Z]{{2}}\d\d(?:[ -]?[A-Z0-9]){{11,30}}{END}")
DIGITS = re.compile(r"(?<![\w\].,+/-])\d(?:[ -]?\d){12,}+(?![\w\[])")
OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
IPV4 = rf"(?:{OCTET}\.){{3}}{OCTET}(?![\w\[]|\.\w)"
IP = re.compile(
    rf"""
    (?P<version>\b(?:versions?|ver|v|release|build|firmware|driver|update|patch|sections?|sec|chapter|clause|part|figure
        |table|rule|§)[ .:]{{0,2}}\d+(?:\.\d+){{3,}}+)
    | (?<![\w\].-])(?<!\w/){IPV4}
    | (?<![\w\]:.])(?:[0-9a-f]{{0,4}}:){{2,7}}(?:{IPV4}|[0-9a-f]{{1,4}}|:)?(?![\w\[:])
    """,
    re.VERBOSE | re.IGNORECASE,
)
CUE = re.compile(
    r"""
    \b(?:tel|telephone|telefon|phone|ph|mobile|mobil|handy|cell|fax|whatsapp|call|ring|dial|sms)(?:\b|(?=\d))[.:]?
    (?:[ ](?:me|us|him|her|them|back|on|at|now|is|number|no\.?|nr\.?|\#|:)){0,3}[ .:=#]{0,3}$
    """,
    re.VERBOSE | re.IGNORECASE,
)
GAP = "[ \u00a0./\u2010-\u2015-]"
PHONE = re.compile(
    rf"""
    (?<![\w\])])(?<!\w[./+-])(?:
        (?P<international>\+1{GAP}?\(?\d{{3}}\)?{GAP}?\d{{3}}{GAP}?\d{{4}}
            | \+[2-9](?:(?:{GAP}{{0,3}}|{GAP}?[()]{GAP}?|{GAP}?\(0\){GAP}?)\d){{7,14}}
            | 00[1-9]\d{{0,2}}{GAP}(?:(?:{GAP}{{0,3}}|{GAP}?\(0\){GAP}?)\d){{6,12}})
      | (?P<american>(?:1[ .-])?(?:\(\d{{3}}\)[ ]?|(?<!\d[ ])\d{{3}}(?P<gap>[ .-]))\d{{3}}(?(gap)(?P=gap)|[ .-])\d{{4}})
      | (?P<national>\(?0[1-9]\d{{0,4}}\)?{GAP}{{1,3}}\d{{2,8}}(?:[ \u00a0.\u2010-\u2015-]\d{{2,8}}){{0,5}})
      | (?P<plain>\(?\d(?:[ ()./-]{{0,2}}\d){{6,14}})
    )(?![\w\[@]|[./:,-]\d)
    """,
    re.VERBOSE,
)
DATE = re.compile(
    r"\d{4}([./-])(?:0?[1-9]|1[0-2])\1(?:[0-2]?\d|3[01])(?!\d)"
    r"|(?<!\d)(?:[0-2]?\d|3[01])([./-])(?:0?[1-9]|1[0-2])\2(?:\d{4}|\d\d)(?![./-]?\d)"
    r"|(?<!\d)(?:0?[1-9]|1[0-2])([/-])(?:[0-2]?\d|3[01])\3(?:\d{4}|\d\d)(?![./-]?\d)"
)
CARDS = {13: "4", 14: "3(?:0[0-5]|[689])", 15: "3[47]", 16: "[456]|2[2-7]|35", 17: "5|6", 18: "5|6", 19: "[456]"}


class MaskPersonalData(Cleaner):
    """Write `[EMAIL]`, `[IBAN]`, `[CARD]`, `[IP]` and `[PHONE]` instead of what looks like one.

    Cards must pass Luhn's check and begin as cards do, IBANs pass theirs (ISO 13616). Phone numbers are those written
    with `+`, in the American or a national form with gaps, or after a word such as `call`; a bare run of digits, a
    date, a price or a version number is none. Names and street addresses stay: this alone makes no text anonymous.

    ```toml
    type = "mask_personal_data"
    kinds = ["email", "phone"]
    ```
    """

    kind: ClassVar[str] = "mask_personal_data"

    type: Literal["mask_personal_data"]
    """The kind of cleaner."""
    kinds: Annotated[list[Kind], Field(min_length=1)] = Field(default=["email", "iban", "card", "ip", "phone"])
    """What is masked, of email, iban, card, ip and phone. Default all."""

    def clean(self, text: str) -> str:
        for kind, mask in MASKS.items():
            if kind in self.kinds:
                text = mask(text)
        return text


def mask_ibans(text: str) -> str:
    return IBAN.sub(lambda found: masked(found[0], "[IBAN]", is_iban), text)


def mask_cards(text: str) -> str:
    return DIGITS.sub(lambda found: masked(found[0], "[CARD]", is_card), text)


def masked(run: str, placeholder: str, valid: Callable[[str], bool]) -> str:
    """The run of groups, parted by spaces or dashes, with the first stretches of whole groups that are valid masked."""
    groups = [(group.start(), group.end()) for group in re.finditer(r"[^ -]+", run)]
    made, done, first = "", 0, 0
    while first < len(groups):
        start = groups[first][0]
        for last in range(first, min(first + 12, len(groups))):
            if valid(re.sub("[ -]", "", run[start : groups[last][1]])):
                made, done, first = made + run[done:start] + placeholder, groups[last][1], last
                break
        first += 1
    return made + run[done:]


def is_card(digits: str) -> bool:
    """Luhn's check, and a beginning that an issuer uses for this length."""
    if not re.match(CARDS.get(len(digits), "$"), digits):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


def is_iban(code: str) -> bool:
    """Two letters and two digits first, and 1 as the rest of division by 97 of the number that the code stands for."""
    if not re.fullmatch(r"[A-Z]{2}\d\d[A-Z0-9]{11,30}", code):
        return False
    return int("".join(str(int(each, 36)) for each in code[4:] + code[:4])) % 97 == 1
