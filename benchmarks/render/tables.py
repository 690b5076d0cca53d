"""Write the tables of README.md and docs/results.md, the pictures, and the page of options.

A table stands between `<!-- RESULTS name -->` and `<!-- /RESULTS name -->`; what is not measured
stays empty.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.render import (
    agents,
    agents_picture,
    curves,
    memories,
    memories_picture,
    method,
    options,
    programs,
    scaling,
)
from memup.core.errors import MemupError

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "docs" / "results.md")
OPTIONS = ROOT / "docs" / "options.md"
IMAGES = ROOT / "docs" / "images"
BLOCK = re.compile(r"(<!-- RESULTS (\S+) -->\n).*?(<!-- /RESULTS \2 -->)", re.S)

TABLES: dict[str, Callable[[], str]] = {
    f.__name__: f
    for f in (
        programs.demo,
        method.lengths,
        method.phases,
        programs.detectors,
        programs.speed,
        programs.speed_gpu,
        memories.memories,
        memories.memories_torch,
        memories.zoo,
        method.frontier,
        method.extrapolation,
        method.blanks,
        method.ablation,
        method.tasks,
        agents.agents,
        agents.agents_search,
        agents.agents_second,
        agents.agents_cartpole,
        programs.recurrent_ppo,
        memories.amrl,
        memories.headlines,
        memories.bigbird,
        programs.resources,
    )
}
# The picture of the method is drawn from the run of the demo.
PICTURES: dict[str, Callable[[], str]] = {
    "agents.svg": agents_picture.picture,
    "memories.svg": memories_picture.picture,
    "curves-frontier.svg": lambda: curves.picture("frontier"),
    "curves-tasks.svg": lambda: curves.picture("tasks"),
    "scaling.svg": scaling.picture,
}


def fill(text: str) -> str:
    """Put the tables into a page."""
    return BLOCK.sub(lambda m: m.group(1) + TABLES[m.group(2)]() + m.group(3), text)


def rendered() -> Iterator[tuple[Path, str]]:
    """Yield every page and picture with what it should say."""
    for page in PAGES:
        yield page, fill(page.read_text())
    yield OPTIONS, options.page()
    for name, picture in PICTURES.items():
        yield IMAGES / name, picture()


def write(check: bool = False) -> int:
    """Write what is out of date.

    Args:
        check: write nothing.

    Raises:
        MemupError: something is out of date, and it is only checked.
    """
    IMAGES.mkdir(parents=True, exist_ok=True)
    for path, text in rendered():
        if path.is_file() and path.read_text() == text:
            continue
        if check:
            raise MemupError(f"{path} is out of date; run `python -m benchmarks render`")
        path.write_text(text)
        print(path)
    return 0
