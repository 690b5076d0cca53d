"""Does this problem need memory, and how long? Figures from a trained detector and memory."""

from typing import Any

import numpy as np

from memup.core.errors import require
from memup.evaluation.recall import recall
from memup.phases.detect import Detect
from memup.phases.draw import context
from memup.phases.fit import Job
from memup.phases.memory import Memory

EPISODES = 32
UNCERTAIN = 0.1
NEEDED = 0.1
CERTAIN = 0.005


def profile(job: Job) -> dict[str, Any]:
    """Look at held-out episodes.

    Args:
        job: a run whose detector and memory are trained.

    Returns:
        {"uncertain_share": steps whose outcome is uncertain alone (more than 0.1 nats),
        "uncertainty_nats": loss at the most uncertain step of an episode, without memory,
        "loss_with_memory_nats": of the same step, from the memory just before it,
        "explained_share": of the uncertainty, by memory; of real outcomes, of their variance,
        "needs_memory": whether that is above a tenth,
        "dependency_length": median steps between the moment from which memory knows half of
        what it ever knows and the step that needs it, None if memory explains nothing,
        "episode_length": mean steps}.
    """
    detect = next((p for p in job.phases if isinstance(p, Detect)), None)
    memory = next((p for p in job.phases if isinstance(p, Memory)), None)
    memory = memory or next((p.memory for p in job.phases if hasattr(p, "memory")), None)
    require(detect is not None and memory is not None, "the run has no memory that MemUP trained")
    workspace, windows = job.workspace, memory.windows  # type: ignore[union-attr]
    ids = workspace.split_ids()[1][:EPISODES]
    scores = [workspace.store.scores(int(i)) for i in ids]
    scores = [s[: len(s) - windows.target.lead] for s in scores]
    targets = {int(i): int(np.argmax(s)) for i, s in zip(ids, scores, strict=True) if len(s)}
    stride = max(1, max(targets.values()) // 2000)
    reader = memory.reader(workspace)  # type: ignore[union-attr]
    asked_at = recall(reader, workspace.store, targets, stride)
    where = np.array(list(targets)), np.array(list(targets.values()))
    asked = context(workspace, workspace.store.global_rows(*where))
    value = windows.target.values(workspace.store, *where)
    without = float(detect.without_memory(workspace, asked, value).mean())
    last = np.array([losses[-1] for _, losses in asked_at])
    finite = reader.model.likelihood.finite
    share = explained(without, float(last.mean()), finite)
    known = [
        _known_since(steps, losses, k, without)
        for (steps, losses), k in zip(asked_at, targets.values(), strict=True)
    ]
    lengths = [n for n in known if n is not None]
    return {
        "uncertain_share": float(np.mean(np.concatenate(scores) > UNCERTAIN)),
        "uncertainty_nats": without,
        "loss_with_memory_nats": float(last.mean()),
        "explained_share": max(0.0, share),
        "needs_memory": share > NEEDED,
        "dependency_length": float(np.median(lengths)) if share > NEEDED and lengths else None,
        "episode_length": float(np.mean([len(s) for s in scores])),
    }


def explained(without: float, memory: float, finite: bool) -> float:
    """Return the share of the uncertainty that memory explains.

    Nats of real outcomes have no zero. Of normal ones, a gain of g nats is a variance that has
    fallen to exp(-2 g) of what it was.

    Args:
        without: loss without a memory, in nats.
        memory: loss of the same outcomes with it, in nats.
        finite: whether outcomes are categories.
    """
    if not finite:
        return 1 - float(np.exp(-2 * (without - memory)))
    return 1 - memory / without if without > CERTAIN else 0.0


def _known_since(query: np.ndarray, losses: np.ndarray, target: int, without: float) -> int | None:
    """Return the target's distance to the step from which its loss stays below the half."""
    high = np.flatnonzero(losses > (without + losses[-1]) / 2)
    first = high[-1] + 1 if len(high) else 0
    return int(target - query[first]) if first < len(query) else None
