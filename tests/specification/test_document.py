"""YAML files: where keys stand, what cannot be read, and that no file makes the reader fail otherwise."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import Fault, InputError
from dse.specification.document import Document, format_key, load_document, load_documents, parse_document


def faults(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_document(text, "a.yaml")
    return [str(fault) for fault in caught.value.faults]


def test_every_key_has_its_line() -> None:
    document = parse_document("arch:\n  storage:\n  - name: A\n    entries: 4\n  - name: B\n", "a.yaml")
    assert document.data == {"arch": {"storage": [{"name": "A", "entries": 4}, {"name": "B"}]}}
    assert str(document.fault(("arch", "storage", 0, "entries"), "bad")) == "a.yaml:4: arch.storage[0].entries: bad"
    assert str(document.fault(("arch", "storage", 1, "entries"), "gone")) == "a.yaml:5: arch.storage[1].entries: gone"


def test_a_document_without_positions_names_keys_alone() -> None:
    assert str(Document({}).fault(("mapping", 3, "factors"), "bad")) == "mapping[3].factors: bad"


def test_keys_are_written_as_a_path() -> None:
    assert format_key(()) == ""
    assert format_key(("storage", 2, "entries")) == "storage[2].entries"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", None),
        ("# nothing\n", None),
        ("\ufeffa: 1", {"a": 1}),
        ("a: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
        ("base: &b {x: 1, y: 2}\nother: {<<: *b, y: 3}", {"base": {"x": 1, "y": 2}, "other": {"x": 1, "y": 3}}),
        ("a: &l [1, 2]\nb: *l", {"a": [1, 2], "b": [1, 2]}),
        ("8: x\nyes: 1", {"8": "x", "yes": 1}),
    ],
    ids=["empty", "comment", "byte-order mark", "CRLF", "merge", "alias", "keys are texts"],
)
def test_readable(text: str, data: object) -> None:
    assert parse_document(text, "a.yaml").data == data


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: [1, 2\nb: 3", "a.yaml:2", "not valid YAML"),
        ("a:\n\t- 1", "a.yaml:2", "not valid YAML: found character '\\t'"),
        ("a: 1\n---\nb: 2", "a.yaml:2", "another document"),
        ("a: *nowhere", "a.yaml:1", "undefined alias"),
        ("a: !!python/name:os.system", "a.yaml:1", "not valid YAML"),
        ("a: \x01", "a.yaml", "not valid YAML"),
        ("a: 1\nb: 2020-13-45", "a.yaml:2: b", "has no value"),
        ("a: 0b_", "a.yaml:1: a", "has no value"),
        ("a: " + "9" * 5000, "a.yaml:1: a", "has no value"),
        ("? [x, y]\n: 1", "a.yaml:1", "expected a text as a key"),
        ("a: &a [1, *a]", "a.yaml", "its aliases written out"),
        ("[" * 500, "a.yaml", "not valid YAML"),
    ],
    ids=lambda value: repr(value[:24]),
)
def test_unreadable_is_one_fault_with_its_place(text: str, place: str, words: str) -> None:
    (fault,) = faults(text)
    assert fault.startswith(place + ":")
    assert words in fault
    assert len(fault.splitlines()) == 1
    assert len(fault) < 300


def test_each_repeated_key_is_a_fault_at_its_second_line() -> None:
    assert faults("a: 1\nb:\n  x: 1\n  y: 2\n  x: 3\na: 2\n") == [
        "a.yaml:6: a: this key stands twice",
        "a.yaml:5: b.x: this key stands twice",
    ]


@pytest.mark.parametrize("nested", ["[{}]", "{{<<: [{}]}}"], ids=["lists", "merges"])
def test_aliases_that_multiply_are_refused_at_once(nested: str) -> None:
    """Ten of ten of ten ...: 30 lines that would fill the memory of any machine."""
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{i}: &a{i} {nested.format(', '.join([f'*a{i - 1}'] * 10))}" for i in range(1, 30)]
    (fault,) = faults("\n".join(lines))
    assert "more than 250,000 values" in fault


def test_a_large_file_without_aliases_is_read() -> None:
    text = "\n".join(f"key{index}: {index}" for index in range(3000))
    assert len(parse_document(text, "a.yaml").data) == 3000


@given(st.text(max_size=60))
def test_any_text_is_data_or_a_fault(text: str) -> None:
    with suppress(InputError):
        assert parse_document(text, "a.yaml").file == "a.yaml"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary, missing = tmp_path / "latin.yaml", tmp_path / "missing.yaml"
    binary.write_bytes("a: Größe".encode("latin-1"))
    for path, words in ((missing, "No such file"), (tmp_path, "Is a directory"), (binary, "not a text file in UTF-8")):
        with pytest.raises(InputError) as caught:
            load_document(path)
        (fault,) = caught.value.faults
        assert fault.file == str(path)
        assert words in fault.message


def test_documents_are_merged_by_their_top_level_keys(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("arch:\n  x: 1\n")
    (tmp_path / "b.yaml").write_text("\nproblem:\n  R: 3\n")
    document = load_documents([tmp_path / "a.yaml", tmp_path / "b.yaml"])
    assert document.data == {"arch": {"x": 1}, "problem": {"R": 3}}
    fault = document.fault(("problem", "R"), "bad")
    assert (fault.file, fault.line) == (str(tmp_path / "b.yaml"), 3)


def test_faults_of_all_files_are_reported_together(tmp_path: Path) -> None:
    contents = {
        "good": "arch: 1", "again": "x: 1\narch: 2", "list": "- 1\n- 2", "word": "hello", "empty": "", "broken": "a: ["
    }  # fmt: skip
    for name, text in contents.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        load_documents([tmp_path / f"{name}.yaml" for name in [*contents, "missing"]])
    found = {Path(fault.file).stem: fault for fault in caught.value.faults}
    assert found.keys() == {"again", "list", "word", "empty", "broken", "missing"}
    assert found["again"] == Fault(
        f"stands already in {tmp_path / 'good.yaml'}:1", "arch", str(tmp_path / "again.yaml"), 2
    )
    assert found["empty"].message == "is empty"
    assert "expected keys such as" in found["list"].message
