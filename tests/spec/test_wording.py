"""What is said of one fault: which value, at which place, and what to write instead."""

import pytest

SPEC = """\
name = "x"
[model]
base = "package:x"
[tasks.t]
type = "classification"
data = ["a"]
[data.a]
train = "a.csv"
{line}
"""


@pytest.fixture
def all_told(faults_of):
    """The faults of a data set with this line: what each marks, says and hints at."""

    def tell(line, spec=SPEC):
        return faults_of(spec.replace("{line}", line))

    return tell


@pytest.fixture
def told(all_told):
    """The one fault of a data set with this line."""

    def tell(*given):
        (found,) = all_told(*given)
        return found

    return tell


@pytest.mark.parametrize(
    ("line", "marked", "message"),
    [
        ('clean = [{ type = "lowercase", files = ["trian"] }]', '"trian"', "`files` holds `trian`"),
        ('clean = [{ type = "mask_personal_data", kinds = ["mail"] }]', '"mail"', "`kinds` holds `mail`"),
        (
            'clean = [{ type = "lowercase" }, "lowercase"]',
            '"lowercase"',
            "entry 2 of `clean` is a string, but should be a table",
        ),
        (
            'clean = [{ type = "language", keep = ["en", 3] }]',
            "3",
            "entry 2 of `keep` is an integer, but should be a string",
        ),
    ],
)
def test_an_entry_is_called_by_its_array(told, line, marked, message):
    assert told(line)[:2] == (marked, message)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ('clean = ["lowercase"]', 'write `{ type = "lowercase" }`'),
        ('clean = ["lowrcase"]', 'write `{ type = "lowercase" }`'),
        ('clean = "lowercase"', 'write `[{ type = "lowercase" }]`'),
        ('clean = { type = "lowercase" }', "write it in brackets: `[{ ... }]`"),
        ('clean = [{ type = "language", keep = "en" }]', 'write `["en"]`'),
        ('[tasks.u]\ntype = "classification"\ndata = "a"', 'write `["a"]`'),
        ('[tasks.u]\ntype = "classification"\ndata = ["a"]\nmetrics = "accuracy"', 'write `["accuracy"]`'),
        ("[mixing]\nstrategy = 'uniform'\n[train]\nepochs = [3]", "Passes over the training rows. Default 3."),
    ],
)
def test_a_value_in_the_wrong_brackets_is_written_right(told, line, hint):
    assert told(line)[2] == hint


def test_a_word_instead_of_a_table_names_its_key(told):
    spec = SPEC.replace('name = "x"', '{line}\nname = "x"').replace('"a.csv"\n{line}', '"a.csv"')
    assert told('mixing = "uniform"', spec)[2] == 'write `{ strategy = "uniform" }`'


def test_a_bare_word_that_is_like_no_kind_gets_all_of_them(told):
    assert told('clean = ["zzz"]')[2].startswith("allowed: `exact_duplicates`, ")


def test_no_brackets_are_offered_that_would_be_refused_too(told):
    assert "write" not in told('[tasks.u]\ntype = "classification"\ndata = ["a"]\nmetrics = "acuracy"')[2]


@pytest.mark.parametrize(
    ("line", "marked", "message", "hint"),
    [
        (
            'clean = [{ typ = "repair_unicode" }]',
            "typ",
            "unknown key `typ` in entry 1 of [data.a.clean]",
            "did you mean `type`?",
        ),
        (
            '[[data.a.clean]]\nkind = "lowercase"',
            "kind",
            "unknown key `kind` in entry 1 of [data.a.clean]",
            "did you mean `type`?",
        ),
        ('[mixing]\nstratgy = "uniform"', "stratgy", "unknown key `stratgy` in [mixing]", "did you mean `strategy`?"),
        (
            "balance = { cpa = 5 }",
            "cpa",
            "unknown key `cpa` in [data.a.balance]",
            "did you mean `cap`? allowed: `cap`",
        ),
    ],
)
def test_a_misspelt_key_that_is_needed_is_one_fault(told, line, marked, message, hint):
    assert told(line) == (marked, message, hint)


def test_a_key_that_is_like_none_leaves_the_missing_one_missing(told):
    assert told('clean = [{ files = ["train"] }]')[1] == "`type` is missing in entry 1 of [data.a.clean]"


def test_two_keys_that_are_not_alike_are_two_faults(all_told):
    assert [message for _, message, _ in all_told("balance = { zzz = 5 }")] == [
        "`cap` is missing in [data.a.balance]",
        "unknown key `zzz` in [data.a.balance]",
    ]


@pytest.mark.parametrize("value", ["1.5", "1.0"])
def test_a_share_that_is_none_may_be_a_number_of_rows(told, value):
    marked, message, hint = told(f"sample = {value}")
    assert (marked, message) == (value, f"`sample` is {value}, but must be less than 1, or an integer")
    assert hint.startswith("A whole number of rows of train, or a share below 1: ")


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        (
            'balance = "over_sample"',
            "`balance` is `over_sample`",
            "did you mean `oversample`? allowed: `class_weights`, `oversample`, `undersample`, or `{ cap = N }`",
        ),
        (
            '[tasks.u]\ntype = "classification"\ndata = ["a"]\nclass_weights = "x"',
            "`class_weights` is `x`",
            "allowed: `balanced`, `none`, or a table",
        ),
        (
            "test = 3",
            "`test` is an integer, but should be a string, or a table",
            "Rows that are scored once at the end; left out = no test score.",
        ),
        (
            'sample = "x"',
            "`sample` is a string, but should be an integer, or a number",
            "A whole number of rows of train, or a share below 1: stratified, a smaller one part of a larger. "
            "Default all.",
        ),
    ],
)
def test_all_types_that_a_field_takes_are_said(told, line, message, hint):
    assert told(line)[1:] == (message, hint)


def test_a_field_of_a_part_is_explained_by_its_own_sentence(told):
    assert told('clean = [{ type = "length", min = "x" }]')[2] == "Shortest text that stays; default no bound."


@pytest.mark.parametrize(
    ("line", "marked", "message"),
    [
        (
            'clean = [{ type = "language", keep = ["de", "english"] }]',
            '"english"',
            "the language model knows no `english`",
        ),
        ('clean = [{ type = "pattern", find = "a(b" }]', '"a(b"', "`find`: missing ) at character 4"),
        (
            "clean = [{ type = 'pattern', find = 'a', replace = '\\2' }]",
            "'\\2'",
            "`replace`: invalid group reference",
        ),
        (
            'augment = [{ type = "paraphrase", model = "x", prompt = "say it" }]',
            '"say it"',
            "a prompt holds `{text}` once, where the text goes",
        ),
    ],
)
def test_a_value_that_its_field_refuses_is_marked_itself(told, line, marked, message):
    assert told(line)[:2] == (marked, message)


def test_the_name_of_a_language_gets_its_code(told):
    assert told('clean = [{ type = "language", keep = ["english"] }]')[2] == "did you mean `en` (English)?"
