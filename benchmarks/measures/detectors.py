"""How often a detector ranks the junction first among future steps."""

import numpy as np

from benchmarks.suite import Cell
from memup.build.job import build
from memup.phases.fit import fit
from memup.specs.presets import spec


def scores(cell: Cell) -> dict:
    """Train detector (and, for `surprise`, a memory for 1,000 updates); compare the scores."""
    detector = cell.labels["detector"]
    fields = {
        "env": cell.labels["env"],
        "method.detector": detector,
        "collect.episodes": 64 if cell.quick else cell.row.spec["episodes"],
        "method.updates": 20 if cell.quick else 1000,
        "method.patience": 0,
        # What surprises must also be predicted where it happens, as the authors do.
        "method.selector": "top-k+current" if detector == "surprise" else "top-k",
    }
    job = build(spec(**fields))
    for event in fit(job):
        if event.last and event.phase == ("memory" if detector == "surprise" else "detect"):
            break
    workspace = job.workspace
    ids = workspace.store.ids[:500]
    if detector == "surprise":
        phase = job.phases[2]
        phase.rescore(workspace, workspace.results["model"], ids)
    all_scores = [workspace.store.scores(int(i))[:-1] for i in ids]
    signalled = [_signalled(workspace.store.episode(int(i))["obs"][:-1]) for i in ids]
    junction = [int(np.flatnonzero(s)[-1]) for s in signalled]
    pairs = list(zip(all_scores, junction, strict=True))
    others = [s[m] for s, m in zip(all_scores, signalled, strict=True)]
    plain = [s[~m] for s, m in zip(all_scores, signalled, strict=True)]
    return {
        "junction_first": float(np.mean([np.argmax(s) == j for s, j in pairs])),
        "a_signalled_step_first": float(
            np.mean([m[np.argmax(s)] for s, m in zip(all_scores, signalled, strict=True)])
        ),
        "mean_score_junction": float(np.mean([s[j] for s, j in pairs])),
        "mean_score_all_signalled": float(np.mean(np.concatenate(others))),
        "mean_score_elsewhere": float(np.mean(np.concatenate(plain))),
    }


def _signalled(obs: np.ndarray) -> np.ndarray:
    return obs[:, 1] != 0
