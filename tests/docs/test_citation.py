"""The files that name the project's version and authors agree with it."""

import yaml

from dse import __version__
from tests.docs.blocks import ROOT


def test_citation_names_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == __version__
    assert citation["authors"] == [{"name": "The dse developers"}]
    assert {"cff-version", "message", "title", "license"} <= citation.keys()


def test_changes_are_kept() -> None:
    """What is not released stands first, and a release has its heading before it is one."""
    headings = [
        line.removeprefix("## ")
        for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("## ")
    ]
    assert headings[0] == "Unreleased"
