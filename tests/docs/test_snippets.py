"""Every fenced block of the documentation: commands exist with their options, YAML is valid, marked blocks are run.

How blocks are marked stands in CONTRIBUTING.md.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from dse.cli import COMMANDS, _cli, main
from dse.errors import InputError
from dse.specification.costs import read_costs
from dse.specification.document import Document
from dse.specification.mapspace import parse_mapspace
from dse.specification.network import parse_network
from dse.specification.problem import parse_problem
from dse.specification.study import parse_study, shipped_files
from dse.specification.template import load_template, parse_template
from tests.docs.blocks import ALL, PAGES, ROOT, Block, blocks

RUN_PAGES = [page for page in PAGES if any(block.runs for block in blocks(page))]
YAML = [block for block in ALL if block.language == "yaml"]
COMMAND_LINES = [(block, words) for block in ALL for words in block.commands()]


def test_there_are_blocks() -> None:
    assert len(RUN_PAGES) >= 5
    assert len(YAML) >= 20
    assert len(COMMAND_LINES) >= 40
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in COMMANDS if f"dse {name}" not in text] == [], "commands that no page names"


@pytest.mark.parametrize(
    ("block", "words"), COMMAND_LINES, ids=lambda item: str(item) if isinstance(item, Block) else ""
)
def test_commands_exist(block: Block, words: list[str]) -> None:
    """A command of dse is parsed with its options, and is not run; targets and scripts exist."""
    program, *arguments = words
    if program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        wanted = [word for word in arguments if "=" not in word]
        assert set(wanted) <= set(targets)
        return
    if program != "dse":
        if arguments[0] != "-m":
            assert (ROOT / arguments[0]).is_file()
        return
    if arguments[0] == "--help":
        return
    assert arguments[0] in COMMANDS
    context = click.Context(_cli)
    command = _cli.get_command(context, arguments[0])
    assert command is not None
    rest = arguments[1:]
    if not rest or rest == ["--help"]:
        return
    try:
        command.make_context(arguments[0], rest, parent=context)
    except InputError as error:
        if "No such file" not in str(error):  # that an option names: it is the reader's to write
            raise


@pytest.mark.parametrize("block", YAML, ids=str)
def test_yaml_is_valid(block: Block) -> None:
    """What is complete is read as the commands read it; what is left out is marked by `...`."""
    text = "\n".join(line for line in block.text.splitlines() if line.strip() != "...")
    data = yaml.safe_load(text)
    assert data is not None
    if isinstance(data, list):
        _check_constraints(block.text, data)
    elif text.strip() == block.text.strip():
        _check(data)


def _check_constraints(text: str, data: list[object]) -> None:
    """The comment above constraints names the template that they are for."""
    match = re.match(r"# arch_templates/(\w+)\.yaml\n", text)
    assert match, "constraints need a first line that names their template: # arch_templates/NAME.yaml"
    architecture, _ = load_template(shipped_files("arch_templates")[match[1]]).instantiate()
    problem = {"R": 1, "S": 1, "P": 1, "Q": 1, "C": 1, "K": 1, "N": 1}
    shape = parse_problem(Document({"problem": problem}), problem).shape
    content = {"constraints": data}
    parse_mapspace(Document({"mapspace": content}), content, architecture, shape)


def _check(data: dict[str, object]) -> None:
    document = Document(data)
    if "arch" in data:
        parse_template(document).instantiate()
    elif "problem" in data:
        parse_problem(document, data["problem"])
    elif "network" in data:
        parse_network(document, ROOT / "workloads" / "here.yaml")
    elif "costs" in data:
        read_costs(document, ("costs",), ROOT)
    elif "study" in data:
        study = data["study"]
        assert isinstance(study, dict)
        if not any(str(name).endswith(".yaml") for name in [study.get("template"), *_networks(study)]):
            parse_study(document, ROOT)


def _networks(study: dict[str, object]) -> Iterator[object]:
    given = study.get("networks", [])
    assert isinstance(given, list)
    for network in given:
        yield network["network"] if isinstance(network, dict) else network


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "python"], ids=str)
def test_python_is_python(block: Block) -> None:
    """Examples with a prompt are run as doctests elsewhere."""
    if ">>>" not in block.text:
        ast.parse(block.text)


@pytest.mark.parametrize("page", RUN_PAGES, ids=lambda page: page.stem)
def test_marked_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the page, in one folder that has the shipped files too; every command ends with status 0."""
    for folder in ("arch_templates", "workloads", "experiments"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    for block in blocks(page):
        if block.file is not None:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
        if block.runs:
            for words in block.commands():
                assert words[0] == "dse"
                assert main(words[1:]) == 0, f"{block}: {' '.join(words)}"
