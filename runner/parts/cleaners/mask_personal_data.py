"""Personal data behind placeholders: addresses of mail and machines, numbers of phones, cards and bank accounts."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address
from itertools import accumulate
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from runner.parts.cleaners._cleaner import Cleaner

Kind = Literal["email", "iban", "card", "ip", "phone"]

# Every repeat is bounded or ends where the next begins, so that the time is linear. A bracket blocks its neighbour as a
# digit does: what stands beside a placeholder was refused before it, and a masked text has nothing left to mask.
END = r"(?![\w\[])"
EMAIL = re.compile(rf"[\w%+][\w.%+'-]{{0,63}}+@(?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.){{1,8}}[^\W\d_]{{2,24}}{END}")
IBAN = re.compile(rf"(?<![\w\]])[A-Z]{{2}}\d\d(?:[ -]?[A-Z0-9]){{11,}}{END}")
DIGITS = re.compile(rf"(?<![\w\].,+/-])\d(?:[ -]?\d){{12,}}{END}")
CARDS = {13: "4", 14: "3[0689]", 15: "3[47]", 16: "2[2-7]|35|[456]", 17: "[56]", 18: "[56]", 19: "[456]"}
DOUBLED = str.maketrans("0123456789", "0246813579")  # twice a digit, its two digits added
OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
IPV4 = rf"(?:{OCTET}\.){{3}}{OCTET}(?![\w\[]|\.[\w\[])"
IP = re.compile(
    rf"""
    (?P<version>(?:\b(?:versions?|ver|v|release|build|firmware|driver|update|patch|sections?|sec|chapter|clause|table)|§)
        [ .:]{{0,2}}\d+(?:\.\d+){{3,}})
    | (?<![\w\].])(?<![\w\]]/)(?<![a-z_]-){IPV4}
    | (?<![\w\].:])(?P<six>(?:[0-9a-f]{{0,4}}:){{2,7}}(?:{IPV4}|[0-9a-f]{{1,4}}|(?<=::)))(?![\w\[]|:[\w\[:])
    """,
    re.VERBOSE | re.IGNORECASE,
)
FLAT = "[ \u00a0.\u2010-\u2015-]"
GAP = "[ \u00a0./\u2010-\u2015-]"
NEVER_AFTER = r"(?![\w\[@]|[./:,-][\d\[])"
PHONE = re.compile(
    rf"""
    (?<![\w\])+\#])(?<![\w\]][./+-])(?:
        \+[ ]?1{GAP}?\(?\d{{3}}\)?{GAP}?\d{{3}}{GAP}?\d{{4}}
      | (?:\+[ ]?[2-9]|(?<![\d\]][ ])00[1-9]\d{{0,2}}{GAP})(?:(?:{GAP}{{0,3}}|{GAP}?[()]{GAP}{{0,3}})\d){{7,14}}
      | (?:1[ .-])?\(\d{{2,3}}\)[ ]?\d{{3,5}}[ .-]\d{{4}}
      | (?:1[ .-])?(?:\d{{3}}-\d{{3}}-|[2-9]\d\d(?P<gap>[ .])\d{{3}}(?:(?P=gap)|-))\d{{4}}
      | (?<![\d\]][ ])(?P<national>\(?0[1-9]\d{{0,3}}\)?{GAP}{{1,3}}\d{{2,8}}(?:{FLAT}\d{{2,8}}){{0,5}})
    ){NEVER_AFTER}
    """,
    re.VERBOSE,
)
CALLED = re.compile(
    rf"""
    (?P<cue>\b(?:tel|telephone|telefon|phone|ph|mobile|mobil|handy|cell|fax|whatsapp|call|ring|dial|sms)\b[.:]?
        (?:[ ](?:me|us|him|her|them|back|on|at|now|is|number|no\.?|nr\.?|:)){{0,3}}[ .:=\#]{{0,3}})
    (?P<number>\(?\d(?:[ ()./-]{{0,2}}\d){{6,14}}){NEVER_AFTER}
    """,
    re.VERBOSE | re.IGNORECASE,
)
AMOUNT = re.compile(r"\d{1,3}(?:\.\d{3})+")
DATE = re.compile(
    r"""
    \d{4}([./-])(?:0?[1-9]|1[0-2])\1(?:[0-2]?\d|3[01])(?!\d)
    | (?<!\d)(?:[0-2]?\d|3[01])([./-])(?:0?[1-9]|1[0-2])\2(?:\d{4}|\d\d)(?![./-]?\d)
    | (?<!\d)(?:0?[1-9]|1[0-2])([/-])(?:[0-2]?\d|3[01])\3(?:\d{4}|\d\d)(?![./-]?\d)
    """,
    re.VERBOSE,
)


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


def mask_emails(text: str) -> str:
    return EMAIL.sub("[EMAIL]", text) if "@" in text else text


def mask_ibans(text: str) -> str:
    return IBAN.sub(lambda found: mask_groups(found[0], "[IBAN]", is_iban, range(15, 35)), text)


def mask_cards(text: str) -> str:
    return DIGITS.sub(lambda found: mask_groups(found[0], "[CARD]", is_card, range(13, 20)), text)


def mask_ips(text: str) -> str:
    return IP.sub(lambda found: "[IP]" if is_ip(found) else found[0], text)


def mask_phones(text: str) -> str:
    made, done, at = [], 0, 0
    while found := PHONE.search(text, at):
        number = without_extra(found[0]) if found["national"] else found[0]
        at = found.start() + len(number)
        if not found["national"] or (digits(number) >= 9 and not DATE.search(number)):
            made += [text[done : found.start()], "[PHONE]"]
            done = at
    return CALLED.sub(called, "".join([*made, text[done:]]))


MASKS: dict[Kind, Callable[[str], str]] = {
    "email": mask_emails,
    "iban": mask_ibans,
    "card": mask_cards,
    "ip": mask_ips,
    "phone": mask_phones,
}


def mask_groups(run: str, placeholder: str, valid: Callable[[str], bool], lengths: range) -> str:
    """A run of groups, parted by spaces or dashes, with each stretch of whole groups that is valid masked."""
    groups = [(group.start(), group.end()) for group in re.finditer(r"[^ -]+", run)]
    plain = run.replace(" ", "").replace("-", "")
    at = [0, *accumulate(end - start for start, end in groups)]
    made, done, first = [], 0, 0
    while first < len(groups):
        shortest, beyond = bisect_left(at, at[first] + lengths.start), bisect_left(at, at[first] + lengths.stop)
        longest_first = reversed(range(shortest, beyond))
        found = next((last for last in longest_first if valid(plain[at[first] : at[last]])), None)
        if found is not None:
            made += [run[done : groups[first][0]], placeholder]
            done = groups[found - 1][1]
        first = found or first + 1
    return "".join([*made, run[done:]])


def is_card(number: str) -> bool:
    """Luhn's check, and a beginning that an issuer uses for this length."""
    if not (len(number) in CARDS and re.match(CARDS[len(number)], number)):
        return False
    return sum(map(int, number[-2::-2].translate(DOUBLED) + number[-1::-2])) % 10 == 0


def is_iban(code: str) -> bool:
    """Two letters, two digits, 11 to 30 more, and as one number, the first four last, 1 above a multiple of 97."""
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", code):
        return False
    return int("".join(str(int(each, 36)) for each in code[4:] + code[:4])) % 97 == 1


def is_ip(found: re.Match[str]) -> bool:
    """No version number; and of version 6 none of the short forms that programs write otherwise, such as `1::2`."""
    six = found["six"]
    if six is None:
        return found["version"] is None
    try:
        IPv6Address(six)
    except AddressValueError:
        return False
    return six == "::1" or (any(map(str.isdigit, six)) and any(len(group) > 2 for group in six.split(":")))


def without_extra(number: str) -> str:
    """The number without the last groups while it has more than 12 digits."""
    while digits(number) > 12:
        number = re.sub(f"{GAP}+[0-9]+$", "", number)
    return number


def called(found: re.Match[str]) -> str:
    number = found["number"]
    refused = AMOUNT.fullmatch(number) or DATE.search(number)
    return found[0] if refused else f"{found['cue']}[PHONE]"


def digits(number: str) -> int:
    return sum(map(str.isdigit, number))
