"""Every kind of file: literal tables, and every way in which a file can be broken."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.data.files import source_of
from runner.errors import RunnerError
from runner.kinds import names
from runner.parts.sources import _source


def rows(path: Path, format: str | None = None) -> list[dict[str, Any]]:
    return source_of(path, format).read(path).to_pylist()


def refused(path: Path, format: str | None = None) -> RunnerError:
    with pytest.raises(RunnerError) as caught:
        rows(path, format)
    return caught.value


CSV_ROWS = [
    {"text": "one, two", "label": "1", "_line": 2},
    {"text": "first\nsecond", "label": "", "_line": 3},
    {"text": ' "quoted" ', "label": "NA", "_line": 6},
]
CSV = 'text,label\n"one, two",1\n"first\nsecond",\n\n" ""quoted"" ",NA\n'


class TestDelimited:
    def test_values_stay_as_written(self, put):
        assert rows(put("a.csv", CSV)) == CSV_ROWS

    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_byte_order_mark_line_ends_and_missing_last_line_end(self, put, end):
        path = put("a.csv", b"\xef\xbb\xbf" + f"text,label{end}caf\u00e9,007{end}x,1.0".encode())
        assert rows(path) == [
            {"text": "café", "label": "007", "_line": 2},
            {"text": "x", "label": "1.0", "_line": 3},
        ]

    def test_gzip(self, put):
        assert rows(put("a.csv.gz", gzip.compress(CSV.encode()))) == CSV_ROWS

    def test_tsv(self, put):
        assert rows(put("a.tsv", 'text\tlabel\na, b\tx\n"tab\there"\ty\n')) == [
            {"text": "a, b", "label": "x", "_line": 2},
            {"text": "tab\there", "label": "y", "_line": 3},
        ]

    def test_all_columns_are_strings_even_without_rows(self, put):
        table = source_of(path := put("a.csv", "text,label\n"), None).read(path)
        assert table.schema == pa.schema({"text": pa.string(), "label": pa.string(), "_line": pa.int64()})

    def test_every_row_of_wrong_width_is_named(self, put):
        error = refused(put("train.csv", "text,label\na,1\nb\n\nc,2,3\nd,4\n"))
        assert error.message == (
            "`train.csv` has 2 broken rows: line 3: 1 column instead of 2: 'b'; line 5: 3 columns instead of 2: 'c,2,3'"
        )
        assert "quotes" in error.hint

    def test_more_than_a_hundred_broken_rows_are_counted(self, put):
        error = refused(put("train.csv", "text,label\n" + "x\n" * 250))
        assert error.message.startswith("`train.csv` has 250 broken rows: line 2: ")
        assert error.message.endswith("line 101: 1 column instead of 2: 'x'; and 150 more")

    def test_broken_quotes(self, put):
        assert "line 3: text follows a closing quote" in refused(put("a.csv", 'a,b\n1,2\n"x"y,2\n3,4\n')).message
        assert "line 3: a quote is opened and never closed" in refused(put("b.csv", 'a,b\n1,2\n"x,2\n3,4\n')).message

    def test_duplicate_header(self, put):
        assert "line 1: the header names `a` more than once" in refused(put("a.csv", "a,b,a\n1,2,3\n")).message

    def test_reserved_header(self, put):
        assert "`_line` is reserved" in refused(put("a.csv", "a,_line\n1,2\n")).message

    def test_not_utf8(self, put):
        error = refused(put("a.csv", b"text,label\nok,1\ncaf\xe9,2\n\xff,3\n"))
        assert "2 broken rows: line 3: byte 0xe9 at column 4 is not UTF-8; line 4: byte 0xff" in error.message
        assert error.hint == "save the file as UTF-8"

    def test_old_macintosh_line_ends(self, put):
        assert "lone carriage return" in refused(put("a.csv", "text,label\ra,1\rb,2\r")).message

    def test_a_text_of_a_megabyte(self, put):
        assert rows(put("a.csv", "text\n" + "x" * 1_000_000 + "\n"))[0]["text"] == "x" * 1_000_000

    values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=8)

    @given(st.lists(st.tuples(values, values, values), max_size=8), st.sampled_from(["csv", "tsv"]))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
    def test_written_rows_are_read_back_with_their_lines(self, tmp_path, written, kind):
        buffer, starts = io.StringIO(), []
        writer = csv.writer(buffer, delimiter={"csv": ",", "tsv": "\t"}[kind], lineterminator="\n")
        writer.writerow("abc")
        for row in written:
            starts.append(buffer.getvalue().count("\n") + 1)
            writer.writerow(row)
        path = tmp_path / f"x.{kind}"
        path.write_bytes(buffer.getvalue().encode())
        expected = [dict(zip("abc", row, strict=True), _line=line) for row, line in zip(written, starts, strict=True)]
        assert rows(path) == expected


class TestJsonl:
    def test_union_of_keys_mixed_scalars_and_nested_values(self, put):
        path = put(
            "a.jsonl",
            '{"text": "a", "label": 1, "n": 1, "tags": []}\n\n{"text": null, "label": "x", "n": 2.5, "tags": ["t"]}\n'
            '{"label": true, "late": {"k": 1}}\n',
        )
        assert rows(path) == [
            {"text": "a", "label": "1", "n": 1.0, "tags": [], "late": None, "_line": 1},
            {"text": None, "label": "x", "n": 2.5, "tags": ["t"], "late": None, "_line": 3},
            {"text": None, "label": "true", "n": None, "tags": None, "late": {"k": 1}, "_line": 4},
        ]

    def test_types_that_change_between_chunks(self, put, monkeypatch):
        monkeypatch.setattr(_source, "BATCH_ROWS", 2)
        values = [1, 2, 0.5, None, "x", [1], {"a": 1}, 2**70]
        path = put("a.jsonl", "".join(json.dumps({"v": value}) + "\n" for value in values))
        assert [row["v"] for row in rows(path)] == ["1", "2", "0.5", None, "x", "[1]", '{"a": 1}', str(2**70)]

    def test_integers_then_floats_are_numbers(self, put, monkeypatch):
        monkeypatch.setattr(_source, "BATCH_ROWS", 1)
        assert [row["v"] for row in rows(put("a.jsonl", '{"v": 1}\n{"v": 0.5}\n'))] == [1.0, 0.5]

    def test_every_malformed_line_is_named(self, put):
        error = refused(put("a.jsonl", '{"a": 1}\n{"a": \n[1]\n{"a": "\\ud800"}\n{"a": 2}\n'))
        assert "`a.jsonl` has 3 broken rows: line 2: column 6: Expecting value: '{\"a\":'" in error.message
        assert "line 3: not an object: write { ... }: '[1]'" in error.message
        assert "line 4: half a surrogate pair" in error.message

    def test_surrogate_pairs_are_fine(self, put):
        assert rows(put("a.jsonl", '{"a": "\\ud83d\\ude00"}\n'))[0]["a"] == "\U0001f600"

    def test_byte_order_mark_gzip_and_bad_bytes(self, put):
        assert rows(put("a.jsonl.gz", gzip.compress(b'\xef\xbb\xbf{"a": 1}'))) == [{"a": 1, "_line": 1}]
        assert "line 2: byte 0xff at column 8" in refused(put("b.jsonl", b'{"a": 1}\n{"a": "\xff"}\n')).message

    def test_reserved_key(self, put):
        assert "`_line` is reserved" in refused(put("a.jsonl", '{"_line": 1}\n')).message

    def test_damaged_gzip(self, put):
        whole = gzip.compress(b'{"a": 1}\n' * 1000)
        assert "`a.jsonl.gz` is damaged" in refused(put("a.jsonl.gz", whole[:-20])).message
        assert "`b.jsonl.gz` is damaged" in refused(put("b.jsonl.gz", b'{"a": 1}\n')).message


class TestJson:
    array = '[\n  {"text": "a", "label": 0},\n  {"text": "b",\n   "label": 1},\n  {"text": "c"}]\n'
    expected = (
        {"text": "a", "label": 0, "_line": 2},
        {"text": "b", "label": 1, "_line": 3},
        {"text": "c", "label": None, "_line": 5},
    )

    def test_array(self, put):
        assert rows(put("a.json", self.array)) == list(self.expected)

    def test_array_under_data(self, put):
        path = put("a.json", '{"version": {"data": [3]}, "data": ' + self.array + ', "more": 1}')
        assert rows(path) == list(self.expected)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('[{"a": 1},\n {"a" 2}]', "line 2 column 7: Expecting ':' delimiter"),
            ('[{"a": 1}\n {"a": 2}]', "line 2 column 2: expected `,`"),
            ('[{"a": 1},\n 7]', "1 broken row: line 2: not an object: write { ... }: '7'"),
            ('[{"a": 1},', "line 1 column 11: Expecting value"),
            ('{"rows": []}', "no array named `data`"),
            ("7", "neither an array nor an object"),
        ],
    )
    def test_malformed(self, put, text, message):
        assert message in refused(put("a.json", text)).message

    def test_no_rows(self, put):
        assert rows(put("a.json", "[]")) == []


class TestOthers:
    def test_text(self, put):
        assert rows(put("a.txt", "one\r\n\n  \n  two \nthree")) == [
            {"text": "one", "_line": 1},
            {"text": "  two ", "_line": 4},
            {"text": "three", "_line": 5},
        ]

    def test_parquet(self, tmp_path):
        pq.write_table(pa.table({"text": ["a", None], "n": [1, 2]}), tmp_path / "a.parquet")
        assert rows(tmp_path / "a.parquet") == [
            {"text": "a", "n": 1, "_line": 1},
            {"text": None, "n": 2, "_line": 2},
        ]

    def test_parquet_without_rows_keeps_its_types(self, tmp_path):
        pq.write_table(pa.table({"n": pa.array([], pa.int32())}), tmp_path / "a.parquet")
        table = source_of(tmp_path / "a.parquet", None).read(tmp_path / "a.parquet")
        assert table.schema == pa.schema({"n": pa.int32(), "_line": pa.int64()})

    def test_damaged_parquet(self, put):
        assert "`a.parquet` is no readable Parquet file" in refused(put("a.parquet", "PAR1 not")).message

    def test_conll(self, put):
        path = put("a.conll", "-DOCSTART-\tO\n\n\nJohn\tB-PER\nlives O\n\nhere\tO\n")
        assert rows(path) == [
            {"text": "John lives", "tokens": ["John", "lives"], "tags": ["B-PER", "O"], "_line": 4},
            {"text": "here", "tokens": ["here"], "tags": ["O"], "_line": 7},
        ]

    def test_conll_of_four_columns(self, put):
        assert rows(put("a.conll", "EU NNP I-NP I-ORG\nrejects VBZ I-VP O\n"))[0]["tags"] == ["I-ORG", "O"]

    def test_conll_broken_rows(self, put):
        error = refused(put("a.conll", "a\tO\nb\nc\tO\td\n\t\tO\n"))
        assert "3 broken rows: line 2: 1 columns instead of 2: 'b'; line 3: 3 columns instead of 2" in error.message

    def test_conllu(self, put):
        def word(number, form, upos, xpos):
            return f"{number}\t{form}\t_\t{upos}\t{xpos}\t_\t0\troot\t_\t_\n"

        text = (
            "# newdoc id = d1\n# meta::genre = news\n# sent_id = s1\n# text = Don't go.\n# odd\n"
            "1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_\n"
            + word(1, "Do", "AUX", "VB")
            + word(2, "n't", "PART", "RB")
            + word(3, "go", "VERB", "VB")
            + "3.1\telided\t_\t_\t_\t_\t_\t_\t_\t_\n"
            + word(4, ".", "PUNCT", ".")
            + "\n# sent_id = s2\n"
            + word(1, "Yes", "INTJ", "UH")
            + "\n# newdoc id = d2\n# speaker = A\n"
            + word(1, "No", "INTJ", "UH")
        )
        common = {"meta::genre": "news", "newdoc id": "d1"}
        assert rows(put("a.conllu", text)) == [
            {
                "text": "Don't go.",
                "tokens": ["Do", "n't", "go", "."],
                "upos": ["AUX", "PART", "VERB", "PUNCT"],
                "xpos": ["VB", "RB", "VB", "."],
                "sent_id": "s1",
                "speaker": None,
                "_line": 1,
                **common,
            },
            {
                "text": "Yes",
                "tokens": ["Yes"],
                "upos": ["INTJ"],
                "xpos": ["UH"],
                "sent_id": "s2",
                "speaker": None,
                "_line": 13,
                **common,
            },
            {
                "text": "No",
                "tokens": ["No"],
                "upos": ["INTJ"],
                "xpos": ["UH"],
                "sent_id": None,
                "speaker": "A",
                "_line": 16,
                "newdoc id": "d2",
                "meta::genre": None,
            },
        ]

    def test_conllu_broken_rows(self, put):
        error = refused(put("a.conllu", "1\ta\tb\nx\ta\tb\tc\td\te\tf\tg\th\ti\n"))
        assert "line 1: 3 columns instead of 10" in error.message
        assert "line 2: the word's number is 'x'" in error.message

    @pytest.mark.parametrize("kind", ["csv", "tsv", "json", "jsonl", "text", "conll", "conllu"])
    @pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
    def test_empty_file(self, put, kind, content):
        error = refused(put("a", content), kind)
        assert error.message == "`a` is empty"
        assert error.hint


class TestChoice:
    def test_every_kind_has_a_docstring_and_its_own_endings(self):
        kinds = [source_of(Path("x"), kind) for kind in names("sources")]
        endings = [ending for kind in kinds for ending in kind.endings]
        assert len(set(endings)) == len(endings)
        assert all("```toml" in (type(kind).__doc__ or "") for kind in kinds)

    def test_the_word_wins_over_the_ending(self, put):
        assert rows(put("a.csv", '{"x": 1}\n'), "jsonl") == [{"x": 1, "_line": 1}]

    @pytest.mark.parametrize(("name", "found"), [("a.cvs", "unknown ending `.cvs`"), ("a", "no ending")])
    def test_unknown_ending(self, name, found):
        with pytest.raises(RunnerError) as caught:
            source_of(Path(name), None)
        assert found in caught.value.message
        assert ".conll, .conllu, .csv, .json," in caught.value.hint

    def test_endings_in_capitals_and_packed(self):
        assert source_of(Path("A.CSV"), None).kind == "csv"
        assert source_of(Path("a.conllu.gz"), None).kind == "conllu"


class TestParagraphs:
    def test_lines_between_blank_ones_are_a_row_at_its_first_line(self, put):
        path = put("a.txt", "\n  one\n two\n\n\nthree\n \t\nfour\nfive")
        assert rows(path, "paragraphs") == [
            {"text": "one two", "_line": 2},
            {"text": "three", "_line": 6},
            {"text": "four five", "_line": 8},
        ]

    def test_a_file_without_any_is_refused(self, put):
        assert "is empty" in refused(put("a.txt", " \n\n"), "paragraphs").message

    def test_bytes_that_are_no_text_are_told_with_their_line(self, put):
        assert "line 3: byte 0xff" in refused(put("a.txt", b"one\n\n\xff"), "paragraphs").message
