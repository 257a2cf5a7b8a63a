"""Raw mail (RFC 5322 with MIME) to the text that its sender wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.policy import Compat32
from typing import ClassVar, Literal, cast

from runner.parts.cleaners._cleaner import Cleaner, Drop

FIELD = re.compile(r"[!-9;-~]+[ \t]*:")
TELLING = re.compile(
    r"(?:from|sender|subject|received|return-path|delivered-to|message-id|mime-version|content-type):", re.IGNORECASE
)
ENCODED = ("base64", "quoted-printable", "x-uuencode", "uuencode", "uue", "x-uue")
LONGEST_HEADER = 4000  # characters; the parser's time is quadratic in the length of a header


class Lenient(Compat32):
    """The reader of headers that takes all there is; the default policy is strict, and its time quadratic."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:LONGEST_HEADER].encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class MailBody(Cleaner):
    """Take the text out of a raw mail: headers and attachments go, transfer encodings and charsets are decoded.

    Of alternatives the plain one is taken where it has text, else the HTML, which stays HTML (`strip_html` may follow).
    An unknown charset is read as UTF-8 or, failing that, Windows-1252. A text without mail headers stays as it is.

    ```toml
    type = "mail_body"
    subject = true
    ```
    """

    kind: ClassVar[str] = "mail_body"

    type: Literal["mail_body"]
    """The kind of cleaner."""
    subject: bool = False
    """Keep the subject as the first line. Default false."""

    def clean(self, text: str) -> str | Drop:
        if not is_mail(text):
            return text
        try:
            mail = message_from_bytes(text.lstrip("\r\n").encode("utf-8", "replace"), policy=Lenient())
            body = "\n\n".join(content.strip("\r\n") for _, content in contents(mail))
        except RecursionError:
            return Drop("mail with too many nested parts")
        return f"{subject(mail)}\n{body}" if self.subject else body


def is_mail(text: str) -> bool:
    """Whether all lines before the first empty one are header fields, at least one of which only mails have."""
    told = False
    for line in re.finditer(r"([^\r\n]*)(?:\r\n|\r|\n|$)", text.lstrip("\r\n")):
        start = line[1]
        if not start:
            break
        told = told or bool(TELLING.match(start))
        separator = line.start() == 0 and start.startswith("From ")  # as mailboxes have it above each mail
        if not (separator or start.startswith((" ", "\t")) or FIELD.match(start)):
            return False
    return told


def contents(part: Message) -> Iterator[tuple[str, str]]:
    """The texts of a mail in their order, each with its subtype, `plain` or `html`."""
    if part.get_content_disposition() == "attachment":
        return
    children = cast("list[Message]", part.get_payload()) if part.is_multipart() else []
    if part.get_content_type() == "multipart/alternative" and children:
        versions = [[each for each in contents(child) if each[1].strip()] for child in children]
        versions = [version for version in versions if version]
        plain = [version for version in versions if all(subtype == "plain" for subtype, _ in version)]
        yield from (plain or versions or [[]])[0]
    elif children:
        for child in children:
            yield from contents(child)
    elif part.get_content_type() in ("text/plain", "text/html"):
        yield part.get_content_subtype(), content(part)
    elif part.get_content_maintype() == "multipart":  # it names no boundary, or one that never comes
        yield "plain", content(part)


def content(part: Message) -> str:
    """The text of one part. What came through unencoded is text already, unless it is a 7-bit charset."""
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    encoded = str(part.get("content-transfer-encoding", "")).strip().lower() in ENCODED
    return decoded(data, part.get_content_charset() if encoded or data.isascii() else "utf-8")


def decoded(data: bytes, charset: str | None) -> str:
    """Bytes as text, whatever the charset is worth."""
    try:
        text = data.decode(charset or "utf-8", "replace" if charset else "strict")
    except (LookupError, UnicodeError, ValueError):
        try:
            text = data.decode("utf-8")
        except UnicodeError:
            text = data.decode("cp1252", "replace")
    return text.encode("utf-8", "replace").decode("utf-8")  # some charsets, such as utf-7, make lone surrogates


def subject(mail: Message) -> str:
    """The subject on one line, its encoded words decoded."""
    raw = " ".join(str(mail.get("subject", "")).split())
    try:
        pieces = decode_header(raw)
    except HeaderParseError:
        return raw
    words = "".join(piece if isinstance(piece, str) else decoded(piece, charset) for piece, charset in pieces)
    return " ".join(words.split())
