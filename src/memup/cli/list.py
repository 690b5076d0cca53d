"""memup list: what there is."""

import inspect
import json
from collections.abc import Mapping
from typing import Any

from memup.agents.table import AGENTS
from memup.cli.parser import Parser
from memup.core.errors import unknown_name
from memup.core.registry import Entry
from memup.envs.table import ENVS, EXAMPLES as ENV_EXAMPLES
from memup.memories.table import INPUT_SIZE, MEMORIES
from memup.method.detectors.table import DETECTORS
from memup.method.orders.table import ORDERS
from memup.method.selectors.table import SELECTORS
from memup.specs.presets import PRESETS
from memup.tasks.table import EXAMPLES as TASK_EXAMPLES, TASKS

TABLES: dict[str, Mapping[str, Entry]] = {
    "memories": MEMORIES,
    "agents": AGENTS,
    "envs": ENVS,
    "tasks": TASKS,
    "detectors": DETECTORS,
    "selectors": SELECTORS,
    "orders": ORDERS,
}
EXAMPLES = {"envs": ENV_EXAMPLES, "tasks": TASK_EXAMPLES}
KINDS = ("presets", *TABLES)


def run(argv: list[str]) -> int:
    """Print names with a line about each, or JSON."""
    parser = Parser("list", f"List what there is: {', '.join(KINDS)}.")
    parser.add_argument("kind", help=", ".join(KINDS))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse(argv)
    if args.kind not in KINDS:
        raise unknown_name("kind", args.kind, KINDS)
    items = _presets() if args.kind == "presets" else _items(args.kind)
    if args.json:
        print(json.dumps({"items": items}))
        return 0
    width = max((len(item["name"]) for item in items), default=0) + 2
    for item in items:
        print(f"{item['name']:<{width}}{_sizes(item)}{item['summary']}")
    return 0


def _sizes(item: dict[str, Any]) -> str:
    """Return the columns of a memory; nothing for other kinds."""
    if "parameters" not in item:
        return ""
    known = item["parameters"] is not None
    weights, state = (f"{item[n]:,}" if known else "?" for n in ("parameters", "state_numbers"))
    return f"{weights:>8} parameters {state:>6} in state  "


def _presets() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "summary": (inspect.getdoc(make) or "").partition("\n")[0],
            "about": inspect.getdoc(make),
            "fields": dict(make()),
        }
        for name, make in PRESETS.items()
    ]


def _items(kind: str) -> list[dict[str, Any]]:
    items = []
    for name, entry in TABLES[kind].items():
        options = {
            n: {"default": option.default, "help": option.doc}
            for n, option in entry.options.items()
        }
        item = {"name": name, "summary": entry.summary, "paper": entry.paper, "options": options}
        items.append(item | _more(kind, name, entry))
    return items


def _more(kind: str, name: str, entry: Entry) -> dict[str, Any]:
    """Return what only this kind has."""
    if kind in EXAMPLES:
        return {"example": EXAMPLES[kind][name]}
    if kind == "memories":
        return {
            "parameters": entry.parameters,
            "state_numbers": entry.state_numbers,
            "input_size": INPUT_SIZE,
        }
    return {}
