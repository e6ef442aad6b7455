"""Pages of the site whose files lie outside docs/, and the links between these and the others.

Files are written for whoever reads them where they lie. On the site, a link to a file that is a page goes to that page,
and a link to any other file of the project becomes its text.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "source.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "workloads/README.md": "shipped-networks.md",
}
"""File of the project -> page of the site."""

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def rewritten(markdown: str, origin: str, page: str) -> str:
    """The text of the file `origin`, with its links as they are to be on `page`."""

    def link(match: re.Match[str]) -> str:
        image, text, target, anchor = match.groups()
        if ":" in target:
            return match[0]
        file = posixpath.normpath(posixpath.join(posixpath.dirname(origin), target))
        if file in PAGES:
            place = PAGES[file]
        elif file.startswith("docs/"):
            place = file.removeprefix("docs/")
        else:
            return text if (ROOT / file).exists() else match[0]
        return f"{image}[{text}]({posixpath.relpath(place, posixpath.dirname(page) or '.')}{anchor or ''})"

    return _LINK.sub(link, markdown)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Studies of `docs/experiments` are results; pages that have no place in the navigation yet get one at its end."""
    nav = config.nav
    if nav is None:
        return config
    docs = Path(config.docs_dir)
    placed = set(_names(nav))
    left = sorted(file.relative_to(docs).as_posix() for file in docs.rglob("*.md"))
    left = [name for name in left if name not in placed]
    results = next(part["Results"] for part in nav if "Results" in part)
    results.extend(name for name in left if name.startswith("experiments/"))
    others = [name for name in left if not name.startswith("experiments/")]
    if others:
        nav.append({"More": others})
    return config


def _names(nav: object) -> Iterator[str]:
    """The pages of a navigation."""
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict | list):
        for part in nav.values() if isinstance(nav, dict) else nav:
            yield from _names(part)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from outside."""
    for origin, page in PAGES.items():
        text = (ROOT / origin).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=rewritten(text, origin, page)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Mend the links of the pages in docs/."""
    name = page.file.src_uri
    return markdown if name in PAGES.values() else rewritten(markdown, f"docs/{name}", name)
