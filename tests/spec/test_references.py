"""Names that refer to nothing are found beside all other faults of a file, and none is a mere consequence of another."""

import pytest

SPEC = """\
name = "x"
sead = 3
[model]
base = "package:x"
[tasks.t]
type = "classification"
data = ["ticket"]
[tasks.u]
type = "classification"
data = ["tickets"]
input = ["title", "body"]
target = "queue"
[data.tickets]
train = "a.csv"
balance_by = "label"
clean = [{ type = "lowercase", columns = ["titel", "body"] }]
augment = [{ type = "typos", columns = ["bdy"] }]
"""


@pytest.fixture
def told(faults_of):
    """What is marked and said of a spec."""

    def tell(*changes):
        text = SPEC
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return [each[:2] for each in faults_of(text)]

    return tell


def test_a_wrong_word_hides_no_reference(told):
    assert told() == [
        ("sead", "unknown key `sead`"),
        ('"ticket"', "no data set `ticket`"),
        ('"label"', "`label` is no target of a task"),
        ('"titel"', "no task reads a column `titel`"),
        ('"bdy"', "no task reads a column `bdy`"),
    ]


def test_a_conflict_hides_no_reference(told):
    found = told(("sead = 3", "seed = 3\nseeds = [3]"))
    assert [message for _, message in found][:2] == [
        "write either `seed` or `seeds`, not both",
        "no data set `ticket`",
    ]
    assert len(found) == 5


def test_columns_of_a_task_with_a_fault_are_not_judged(told):
    assert told(("input =", "inptu =")) == [
        ("sead", "unknown key `sead`"),
        ('"ticket"', "no data set `ticket`"),
        ("inptu", "unknown key `inptu` in [tasks.u]"),
    ]


def test_without_data_sets_no_task_is_blamed(told):
    found = told(("[data.tickets]", "[dta.tickets]"))
    assert [message for _, message in found] == ["unknown key `sead`", "unknown key `dta`"]


def test_a_data_set_with_a_bad_name_leaves_tasks_alone(told):
    found = told(("[data.tickets]", '[data."tic kets"]'))
    assert [message for _, message in found] == ["unknown key `sead`", "`tic kets` is no name"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('data = ["ticket"]', 'data = "tickets"', "`data` is a string, but should be an array"),
        ('data = ["ticket"]', "data = [3]", "entry 1 of `data` is an integer, but should be a string"),
        ('balance_by = "label"', "balance_by = 3", "`balance_by` is an integer, but should be a string"),
        (
            'columns = ["titel", "body"]',
            'columns = "titel"',
            "`columns` is a string, but should be an array",
        ),
        ('clean = [{ type = "lowercase"', 'clean = [3, { type = "lowercase"', "entry 1 of `clean` is an integer"),
    ],
)
def test_a_value_of_the_wrong_type_gets_one_fault(told, old, new, message):
    found = [said for _, said in told((old, new)) if said.startswith(message)]
    assert len(found) == 1


def test_a_table_of_another_type_is_only_that(told):
    assert "`tasks` is an integer, but should be a table" in [
        message for _, message in told(("sead = 3", "tasks = 3"), ("[tasks.t]", "[train]"), ("[tasks.u]", "[evaluate]"))
    ]
