"""memup predict: what a trained model says about new sequences."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from memup.cli.parser import Parser
from memup.core.errors import require


def run(argv: list[str]) -> int:
    """Predict; write predictions and memory states where asked, and print a summary."""
    parser = Parser("predict", "Predict new sequences with a trained model.")
    parser.add_argument("run", help="run directory, or a model file")
    parser.add_argument("--dataset", required=True, help="episode store with the sequences")
    parser.add_argument("--output", help=".npz file for predictions and memory states")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse(argv)
    output = None if args.output is None else Path(args.output)
    require(output is None or output.suffix == ".npz", f"--output {output}: expected a .npz file")
    row = {"model": args.run, **predict(args.run, args.dataset, output)}
    print(json.dumps(row) if args.json else _sentences(row))
    return 0


def predict(run: str, dataset: str, output: Path | None) -> dict[str, Any]:
    """Predict the sequences of a store.

    The file has, for the i-th sequence of n steps, the arrays `i.value`, `i.probability` (or
    `i.std`, or `i.quantiles`) and `i.memory` [n, D]; and `classes`, the values of an outcome.

    Returns:
        {"dataset", "sequences", "steps", "predicts", "accuracy" of the labels that the data set
        has (None without any), "output"}.
    """
    from memup.api import load
    from memup.data.store import EpisodeStore
    from memup.models.archive import archive

    model, store = load(run), EpisodeStore.open(dataset)
    asked, right, labels, steps = model.sequences(store), 0, 0, 0
    with archive(output) if output else nullcontext() as file:
        if file and model.classes is not None:
            file.add("classes", model.classes)
        for number, memory, said in model.answers(asked):
            steps += len(memory)
            found = _right(model, store.episode(int(store.ids[number])), said["value"])
            right, labels = right + found[0], labels + found[1]
            arrays = {"memory": memory, **said} if file else {}
            for name, array in arrays.items():
                file.add(f"{number}.{name}", array)  # type: ignore[union-attr]
    return {
        "dataset": dataset,
        "sequences": asked.count,
        "steps": steps,
        "predicts": model.options["method.target"],
        "accuracy": right / labels if labels else None,
        "output": None if output is None else str(output),
    }


def _right(model: Any, episode: dict[str, np.ndarray], value: np.ndarray) -> tuple[int, int]:
    """Return how many labels of a sequence are predicted, and how many it has."""
    known = model.options["method.target"] == "label" and model.classes is not None
    if not known or "label" not in episode or episode["label"].shape != value.shape:
        return 0, 0
    label = episode["label"]
    has = episode.get("labelled", label >= 0 if label.dtype.kind in "iu" else label == label)
    return int((np.abs(label - value) < 1e-4)[has].sum()), int(has.sum())


def _sentences(row: dict[str, Any]) -> str:
    lines = [f"{row['dataset']}: {row['sequences']:,} sequences, {row['steps']:,} steps"]
    lines.append(f"  predicted          the {row['predicts']} of every step")
    if row["accuracy"] is not None:
        lines.append(f"  right              {100 * row['accuracy']:.1f} % of the labels there")
    if row["output"]:
        lines.append(f"  written            {row['output']}")
    return "\n".join(lines)
