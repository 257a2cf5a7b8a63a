"""Faults between a spec and its world: each with its message, at the line where it is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.errors import Diagnostic, SpecError
from runner.plan.check import Checked, checker
from runner.spec.read import read
from tests.conftest import TINY, rows, write_csv


def change(spec: Path, old: str, new: str) -> None:
    """Replace one piece of the spec."""
    text = spec.read_text(encoding="utf-8")
    assert text.count(old) == 1
    spec.write_text(text.replace(old, new), encoding="utf-8")


def look(spec: Path) -> Checked:
    return checker(spec.parent / "results").check(read(spec))


def faults(spec: Path) -> tuple[Diagnostic, ...]:
    with pytest.raises(SpecError) as caught:
        look(spec)
    return caught.value.diagnostics


def only(spec: Path) -> Diagnostic:
    """The one fault of the spec."""
    found = [each for each in faults(spec) if each.severity == "error"]
    assert len(found) == 1, [each.message for each in found]
    return found[0]


def text_at(spec: Path, fault: Diagnostic) -> str:
    """What stands at the fault's place."""
    assert fault.file == str(spec)
    return spec.read_text(encoding="utf-8").splitlines()[fault.line - 1][fault.column - 1 : fault.end_column]


def test_the_tiny_spec_has_no_fault(tiny: Path) -> None:
    found = look(tiny)
    assert found.labels == {"mood": ("bad", "good"), "length": ("long", "short")}
    assert found.warnings == ()


def test_a_missing_data_file(tiny: Path) -> None:
    change(tiny, '"train.csv"', '"trian.csv"')
    fault = only(tiny)
    assert text_at(tiny, fault) == '"trian.csv"'
    assert fault.message == "`trian.csv` does not exist"


def test_a_csv_with_a_broken_row(tiny: Path) -> None:
    with (tiny.parent / "validation.csv").open("a", encoding="utf-8") as stream:
        stream.write("the film was good,good\n")
    fault = only(tiny)
    assert text_at(tiny, fault) == '"validation.csv"'
    assert "line 18: 2 columns instead of 3" in fault.message
    assert "the film was good,good" in fault.message


def test_a_missing_column(tiny: Path) -> None:
    change(tiny, 'target = "size"', 'target = "sise"')
    (found,) = [each for each in faults(tiny) if "sise" in each.message]
    assert text_at(tiny, found) == '"sise"'
    assert found.message == "`train.csv`, `validation.csv` and `test.csv` have no column `sise`"
    assert "`size`" in found.hint


def test_a_label_that_only_test_has(tiny: Path) -> None:
    write_csv(tiny.parent / "test.csv", [*rows(24, 80), {"text": "the film", "label": "odd", "size": "short"}])
    fault = only(tiny)
    assert fault.message == "test has labels that train lacks: `odd` (1 rows)"
    assert fault.path == ("tasks", "mood", "target")
    assert fault.line == tiny.read_text(encoding="utf-8").splitlines().index("[tasks.mood]") + 1


def test_a_label_that_test_lacks_is_a_warning(tiny: Path) -> None:
    write_csv(tiny.parent / "test.csv", [row for row in rows(24, 80) if row["label"] == "good"])
    (warning,) = look(tiny).warnings
    assert warning.message == "label `bad` has no row in test: its scores there are unknown"
    assert warning.severity == "warning"


def test_a_single_label(tiny: Path) -> None:
    for start, name in enumerate(("train", "validation", "test")):
        write_csv(tiny.parent / f"{name}.csv", [{**row, "size": "short"} for row in rows(12, 12 * start)])
    fault = only(tiny)
    assert fault.message == "`length` has 1 label in train: nothing to learn"
    assert text_at(tiny, fault) == "target"
    assert fault.line == tiny.read_text(encoding="utf-8").splitlines().index('target = "size"') + 1


def test_an_augmentation_that_makes_no_row_is_a_warning(tiny: Path) -> None:
    more = 'test = "test.csv"\naugment = [{ type = "mixup" }, { type = "swap_words" }, { type = "shuffle_sentences" }]'
    change(tiny, 'test = "test.csv"', more)
    (warning,) = checker(tiny.parent / "cache").check(read(tiny)).warnings
    assert warning.message == "`shuffle_sentences` makes no row out of 64 rows"
    assert warning.path == ("data", "films", "augment", 2)


def test_an_empty_text_is_an_error_by_default(tiny: Path) -> None:
    write_csv(tiny.parent / "train.csv", [*rows(64), {"text": "  ", "label": "good", "size": "short"}])
    fault = only(tiny)
    assert text_at(tiny, fault) == '"train.csv"'
    assert "line 66" in fault.message and "`text` is blank" in fault.message


def test_an_empty_text_can_be_dropped(tiny: Path) -> None:
    write_csv(tiny.parent / "train.csv", [*rows(64), {"text": "", "label": "good", "size": "short"}])
    change(tiny, 'test = "test.csv"', 'test = "test.csv"\nempty_text = "drop"')
    loaded = look(tiny).loaded["films"]
    assert loaded.splits["train"].num_rows == 64
    assert [(each.split, each.file, each.line, each.reason) for each in loaded.dropped()] == [
        ("train", "train.csv", 66, "`text` is empty")
    ]


def test_an_unknown_data_set_in_a_task(tiny: Path) -> None:
    change(tiny, 'data = ["films"]\n\n[tasks.length]', 'data = ["film"]\n\n[tasks.length]')
    fault = only(tiny)
    assert fault.message == "no data set `film`"
    assert fault.hint == "did you mean `films`? allowed: `films`"
    assert text_at(tiny, fault) == '"film"'


def test_a_data_set_that_no_task_uses(tiny: Path) -> None:
    change(tiny, "[tasks.mood]", '[data.books]\ntrain = "train.csv"\n\n[tasks.mood]')
    fault = only(tiny)
    assert fault.message == "no task uses the data set `books`"
    assert fault.line == tiny.read_text(encoding="utf-8").splitlines().index("[data.books]") + 1


@pytest.mark.parametrize(
    ("old", "new", "message", "at"),
    [
        ("seed = 13", "seeds = [7, 8, 7]", "`7` stands twice in `seeds`", "7"),
        ('target = "size"', 'target = "size"\nmetrics = ["macro_f1", "macro_f1"]', "`macro_f1` stands twice in `metrics`", '"macro_f1"'),
        ("epochs = 3", 'epochs = 3\nselect_by = "mood.macro"', "no metric `mood.macro` is measured", '"mood.macro"'),
        ("epochs = 3", 'epochs = 3\nselect_by = "mood.class_f1"', "no metric `mood.class_f1` is measured", '"mood.class_f1"'),
        ("epochs = 3", 'epochs = 3\nearly_stopping = { metric = "los" }', "no metric `los` is measured", '"los"'),
        ("max_length = 16", "max_length = 65", "`max_length` is 65, but `./encoder` takes at most 64 tokens", "65"),
        (
            "max_length = 16",
            'max_length = 16\nadapter = { type = "lora", targets = ["query", "valeu"] }',
            "`./encoder` has no linear layer `valeu`",
            '"valeu"',
        ),
        (
            "max_length = 16",
            'max_length = 16\nadapter = { type = "ia3", feedforward = ["output.dens"] }',
            "`./encoder` has no linear layer `output.dens`",
            '"output.dens"',
        ),
        (
            'target = "size"',
            'target = "size"\nclass_weights = { lang = 2.0 }',
            "`lang` is no label of `length`",
            "lang",
        ),
        ("[train]", '[mixing]\nstrategy = "weights"\nweights = { book = 1.0, films = 1.0 }\n\n[train]', "`book` is no data set", "weights"),
    ],
)  # fmt: skip
def test_names_that_refer_to_nothing(tiny: Path, old: str, new: str, message: str, at: str) -> None:
    change(tiny, old, new)
    fault = only(tiny)
    assert fault.message == message
    assert text_at(tiny, fault) == at


@pytest.mark.parametrize(
    ("old", "new", "near"),
    [
        ("epochs = 3", 'epochs = 3\nselect_by = "mood.macro"', "did you mean `mood.macro_f1`?"),
        (
            "max_length = 16",
            'max_length = 16\nadapter = { type = "lora", targets = ["valeu"] }',
            "did you mean `value`?",
        ),
        ('target = "size"', 'target = "size"\nclass_weights = { lang = 2.0 }', "did you mean `long`?"),
        ("max_length = 16", "max_length = 65", "write 64 or less"),
    ],
)
def test_the_nearest_name_is_offered(tiny: Path, old: str, new: str, near: str) -> None:
    change(tiny, old, new)
    assert only(tiny).hint.startswith(near)


def test_the_second_of_two_equal_seeds_is_marked(tiny: Path) -> None:
    change(tiny, "seed = 13", "seeds = [7, 8, 7]")
    assert only(tiny).column == len("seeds = [7, 8, ") + 1


def test_an_unknown_metric(tiny: Path) -> None:
    change(tiny, 'target = "size"', 'target = "size"\nmetrics = ["acuracy"]')
    fault = only(tiny)
    assert "acuracy" in fault.message
    assert "`accuracy`" in fault.hint
    assert text_at(tiny, fault) == '"acuracy"'


def test_weights_of_mixing_that_leave_a_data_set_out(tiny: Path) -> None:
    change(tiny, "[tasks.mood]", '[data.books]\ntrain = "train.csv"\n\n[tasks.mood]')
    change(tiny, 'data = ["films"]\n\n[tasks.length]', 'data = ["films", "books"]\n\n[tasks.length]')
    change(tiny, "[train]", '[mixing]\nstrategy = "weights"\nweights = { films = 1.0 }\n\n[train]')
    fault = only(tiny)
    assert fault.message == "`books` has no weight"
    assert fault.hint == "weigh each of: films, books"
    assert text_at(tiny, fault) == "weights"


def test_several_faults_come_together(tiny: Path) -> None:
    change(tiny, '"train.csv"', '"gone.csv"')
    change(tiny, "seed = 13", "seeds = [1, 1]")
    change(tiny, "max_length = 16", "max_length = 1000")
    change(tiny, "epochs = 3", 'epochs = 3\nselect_by = "loose"')
    found = faults(tiny)
    assert {each.message for each in found} == {
        "`gone.csv` does not exist",
        "`1` stands twice in `seeds`",
        "no metric `loose` is measured",
        "`max_length` is 1000, but `./encoder` takes at most 64 tokens",
    }
    assert all(each.line > 0 and each.column > 0 for each in found)


@pytest.fixture
def folder(tiny: Path, encoder: Path) -> Path:
    """A copy of the encoder that a test may damage; the spec names it."""
    place = tiny.parent / "damaged"
    place.mkdir()
    for file in encoder.iterdir():
        (place / file.name).write_bytes(file.read_bytes())
    change(tiny, '"./encoder"', '"./damaged"')
    return place


def model_fault(tiny: Path) -> Diagnostic:
    fault = only(tiny)
    assert text_at(tiny, fault).startswith('"./')
    assert fault.path == ("model", "base")
    return fault


def test_a_model_folder_that_is_missing(tiny: Path) -> None:
    change(tiny, '"./encoder"', '"./encodre"')
    assert model_fault(tiny).message == "no model folder `./encodre`"


def test_a_folder_without_config(tiny: Path, folder: Path) -> None:
    (folder / "config.json").unlink()
    assert model_fault(tiny).message.startswith("`./damaged` has no config.json")


def test_a_model_with_code_of_its_own_is_refused(tiny: Path, folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["auto_map"] = {"AutoModel": "modeling.Own"}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "modeling.py").write_text(f"open({str(folder / 'ran')!r}, 'w')", encoding="utf-8")
    assert (
        model_fault(tiny).message == "`./damaged` asks to run code of its own (`auto_map` in its config.json): refused"
    )
    assert not (folder / "ran").exists()


def test_pickled_weights_are_refused(tiny: Path, folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    fault = model_fault(tiny)
    assert fault.message == (
        "`./damaged` has only pickled weights (`pytorch_model.bin`), which can run any code when loaded: safetensors only"
    )
    assert "save_pretrained" in fault.hint


def test_a_folder_without_tokenizer(tiny: Path, folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    assert model_fault(tiny).message == "`./damaged` has no tokenizer.json"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 64,
        b"\x10\x00\x00\x00\x00\x00\x00\x00not json at all!",
        b"\x40\x00\x00\x00\x00\x00\x00\x00{",
        b"\x02\x00\x00\x00\x00\x00\x00\x00[]",
    ],
)
def test_broken_safetensors(tiny: Path, folder: Path, content: bytes) -> None:
    (folder / "model.safetensors").write_bytes(content)
    fault = model_fault(tiny)
    assert "model.safetensors` is not a readable safetensors file" in fault.message
    assert fault.hint == "download the model again"


def test_safetensors_that_end_too_early(tiny: Path, folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    fault = model_fault(tiny)
    assert "model.safetensors` is not a readable safetensors file" in fault.message


def test_a_config_that_is_no_json(tiny: Path, folder: Path) -> None:
    (folder / "config.json").write_text("{", encoding="utf-8")
    assert "config.json` is not readable JSON" in model_fault(tiny).message


def test_a_package_that_is_not_installed(tiny: Path) -> None:
    change(tiny, '"./encoder"', '"package:no-such-weights"')
    fault = only(tiny)
    assert fault.message == "the package `no-such-weights` is not installed"
    assert text_at(tiny, fault) == '"package:no-such-weights"'


@pytest.mark.parametrize(
    ("words", "what", "message"),
    [
        ('clean = [{ type = "lowercase", columns = ["txt"] }]', '"txt"', "no task reads a column `txt`"),
        ('augment = [{ type = "swap_words", columns = ["label"] }]', '"label"', "no task reads a column `label`"),
        ('augment = [{ type = "mixup" }, { type = "mixup" }]', '{ type = "mixup" }', "`mixup` stands twice"),
        ('balance = "oversample"', "balance", "the tasks have several targets"),
        ('balance_by = "lable"', '"lable"', "`lable` is no target of a task"),
    ],
)
def test_preparation_names_what_is_there(tiny: Path, words: str, what: str, message: str) -> None:
    text = TINY.replace('test = "test.csv"', f'test = "test.csv"\n{words}', 1)
    tiny.write_text(text, encoding="utf-8")
    fault = only(tiny)
    assert (text_at(tiny, fault), fault.message) == (what, message)


def augmented(tiny: Path, writers: Path, words: str, more: str = "") -> None:
    """Let the spec's data set be augmented, with the models that write beside it."""
    (tiny.parent / "writers").symlink_to(writers)
    text = TINY.replace('test = "test.csv"', f'test = "test.csv"\n{more}\naugment = [\n{words}\n]', 1)
    tiny.write_text(text, encoding="utf-8")


def test_models_that_write_are_found_with_all_other_faults(tiny: Path, writers: Path) -> None:
    words = """  { type = "typos" },
  { type = "paraphrase", model = "writers/encoder" },
  { type = "masked_words", model = "writers/masked", embedder = "writers/seq2seq", columns = ["txt"] },
  { type = "synonyms", table = "synonyms.csv" },"""
    augmented(tiny, writers, words)
    change(tiny, 'target = "size"', 'target = "size"\nmetrics = ["accuracy", "accuracy"]')
    found = {text_at(tiny, each): each.message for each in faults(tiny)}
    assert found == {
        '"accuracy"': "`accuracy` stands twice in `metrics`",
        '"txt"': "no task reads a column `txt`",
        '"writers/encoder"': "`writers/encoder` is an encoder",
        '"writers/seq2seq"': "`writers/seq2seq` is an encoder-decoder such as T5 or Marian",
        '"synonyms.csv"': "`synonyms.csv` does not exist",
    }
    wrong = next(each for each in faults(tiny) if each.message == "`writers/encoder` is an encoder")
    assert (
        wrong.hint
        == "`model` of `paraphrase` wants an encoder-decoder such as T5 or Marian or a causal language model such as Llama"
    )
    assert wrong.path == ("data", "films", "augment", 1, "model")


def test_a_file_of_rows_and_a_model_are_told_together(tiny: Path, writers: Path) -> None:
    augmented(tiny, writers, '  { type = "masked_words", model = "writers/nowhere" },')
    change(tiny, '"train.csv"', '"trian.csv"')
    assert [text_at(tiny, each) for each in faults(tiny)] == ['"trian.csv"', '"writers/nowhere"']


def test_a_cleaner_of_a_split_without_a_file(tiny: Path) -> None:
    change(
        tiny,
        'validation = "validation.csv"',
        'validation = { fraction = 0.2 }\nclean = [{ type = "lowercase", files = ["validation"] }]',
    )
    fault = only(tiny)
    assert text_at(tiny, fault) == '"validation"'
    assert fault.message == "`validation` has no file of its own: its rows are cleaned with those of `train`"


def test_mixup_needs_batches_of_one_data_set(tiny: Path) -> None:
    change(tiny, 'test = "test.csv"', 'test = "test.csv"\naugment = [{ type = "mixup" }]')
    change(tiny, "[train]", '[mixing]\nstrategy = "uniform"\nbatches = "mixed"\n\n[train]')
    fault = only(tiny)
    assert text_at(tiny, fault) == '"mixed"'
    assert fault.message.startswith("`mixup` of `films` pairs rows of one data set")


def test_a_sample_larger_than_train_is_told(tiny: Path) -> None:
    change(tiny, 'test = "test.csv"', 'test = "test.csv"\nsample = 99\nbalance_by = "label"')
    (found,) = look(tiny).warnings
    assert (found.severity, text_at(tiny, found)) == ("warning", "99")
    assert found.message == "train has 64 rows, fewer than the sample of 99: all are taken"


def test_a_label_that_cleaning_takes_away_is_told(tiny: Path) -> None:
    for name in ("train", "validation", "test"):
        with (tiny.parent / f"{name}.csv").open("a", encoding="utf-8") as stream:
            stream.write(f"zzz {name},odd,short\n")
    change(tiny, 'test = "test.csv"', 'test = "test.csv"\nclean = [{ type = "pattern", find = "zzz", drop = "found" }]')
    (found,) = look(tiny).warnings
    assert found.message == "label `odd` of `label` is gone: cleaning drops all of its 1 row"


def test_leaks_that_stay_are_warned_of(tiny: Path) -> None:
    write_csv(tiny.parent / "test.csv", [*rows(24, 80), rows(1)[0]])
    tiny.write_text(TINY.replace('test = "test.csv"', 'test = "test.csv"\nleakage = "warn"', 1), encoding="utf-8")
    (found,) = look(tiny).warnings
    assert (found.severity, found.message) == ("warning", "1 of 64 rows of `train` are also in test")
