"""Facts that are measured on stored episodes: families of outcomes, sizes and rarity of inputs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from memup.core.errors import require
from memup.core.spaces import flatten
from memup.data import rarity
from memup.data.scales import measure_scales
from memup.data.store import EpisodeStore
from memup.method.targets.base import AbstractTarget, known_numbers
from memup.nn.distributions import from_description, numbered, suit
from memup.phases.base import Workspace

SAMPLE = 200_000
TAIL = 64
# Of the deviation that was measured: outcomes farther from the mean are of another scale.
FAR = 10.0


def measure(workspace: Workspace, target: AbstractTarget) -> dict[str, Any]:
    """Measure which families suit the outcomes, how large the inputs are and which are rare."""
    store, space = workspace.store, workspace.observation_space
    rng = workspace.rng("detect/measure")
    return {
        **families(
            outcomes(store, target, store.ids), target.family, workspace.facts.get("classes")
        ),
        "rarity": rarity.measure(store, flatten(space), workspace.rng("detect/rarity")),
        "scales": measure_scales(store, space, workspace.action_space, rng),
    }


def families(
    value: Float[np.ndarray, "N O"], family: str, classes: Sequence[Sequence[int]] | None = None
) -> dict[str, Any]:
    """Describe the predictor's family of some outcomes, and their quantiles' if they have one.

    Args:
        value: outcomes; where there are classes, their places among these.
        family: as `suit` takes it.
        classes: see `AbstractTarget.measure`.
    """
    own = suit(value, family) if classes is None else numbered([len(c) for c in classes])
    facts = {"likelihood": own.describe()}
    if value.shape[1] == 1:
        facts["quantile"] = suit(value, "quantile").describe()
    return facts


def widened(
    facts: dict[str, Any], value: Float[np.ndarray, "N O"], family: str
) -> dict[str, Any] | None:
    """Return the families that suit what was known and new outcomes too; None: they do already.

    Args:
        facts: what `families` returned.
        value: outcomes that have come since.
        family: as it was given to `families`.
    """
    known = from_description(facts["likelihood"])
    if known.finite:
        before = np.asarray(known.values, np.float32).T
        new = [~np.isin(v, b) & ~np.isnan(v) for v, b in zip(value.T, before.T, strict=True)]
        return families(np.concatenate([before, value]), family) if np.any(new) else None
    shift, scale = np.asarray(known.shift), np.asarray(known.scale)
    far = np.abs(value - shift) > FAR * scale
    return families(value, family if family != "auto" else "normal") if far.any() else None


def outcomes(
    store: EpisodeStore, target: AbstractTarget, ids: np.ndarray
) -> Float[np.ndarray, "N O"]:
    """All outcomes; where there are very many, the first ones and the last of every episode.

    Rare ones must not be missed.
    """
    lengths = np.maximum(store.lengths(ids) - target.lead, 0)
    parts, room = [], 10 * SAMPLE
    for i, n in zip(ids, lengths.tolist(), strict=True):
        steps = np.arange(n)
        if n > room:
            steps = np.concatenate([np.arange(room), np.arange(max(room, n - TAIL), n)])
        room = max(0, room - n)
        parts.append(target.values(store, np.full(len(steps), i), steps))
    value, known = known_numbers(np.concatenate(parts))
    value = value[known]
    require(len(value) > 0, "no step of the store has an outcome to predict")
    return value
