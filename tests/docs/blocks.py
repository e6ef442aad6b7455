"""The fenced blocks of the documentation, and the commands in them."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "workloads/README.md")),
        *(ROOT / "docs").rglob("*.md"),
    ]
)

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL
)
_MARK = re.compile(r"<!-- (run|file: (\S+)) -->\s*\Z")
_COMMAND = re.compile(r"^(\$ )?(\.venv/bin/)?(dse|make|python|python3) ")


@dataclass(frozen=True)
class Block:
    """A fenced block; `runs` and `file` are what the comment before it asks for."""

    page: Path
    line: int
    language: str
    text: str
    runs: bool
    file: str | None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def commands(self) -> Iterator[list[str]]:
        """The words of each command of dse, make and python; of a line with several, the first."""
        if self.language not in ("", "console", "sh", "bash"):
            return
        for line in self.text.replace("\\\n", " ").splitlines():
            if not _COMMAND.match(line):
                continue
            words = shlex.split(line.removeprefix("$ "), comments=True)
            end = next((place for place, word in enumerate(words) if word in ("|", ">", "&&", ";")), len(words))
            yield [words[0].removeprefix(".venv/bin/"), *words[1:end]]


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        mark = _MARK.search(text[: match.start()])
        line = text.count("\n", 0, match.start()) + 1
        content = textwrap.dedent(match["text"])
        file = mark[2] if mark else None
        found.append(Block(page, line, match["language"], content, bool(mark) and file is None, file))
    return found


ALL = [block for page in PAGES for block in blocks(page)]
