"""What a memory knows: one question about a far step, asked at every step before it."""

import numpy as np
from jaxtyping import Float, Int

from memup.data.store import EpisodeStore
from memup.evaluation.reader import Questions, Reader


def recall(
    reader: Reader, store: EpisodeStore, targets: dict[int, int], stride: int
) -> list[tuple[Int[np.ndarray, " Q"], Float[np.ndarray, " Q"]]]:
    """Ask about one target step of each of some episodes, from the memory at every step before it.

    Args:
        reader: of the model.
        store: the episodes.
        targets: episode id -> target step.
        stride: ask at every so many steps, the target itself among them.

    Returns:
        For each episode the steps asked at, and -log q(y_k | m_t, x_k) there.
    """
    asked = [np.arange(target, -1, -stride)[::-1] for target in targets.values()]
    counts = [len(steps) for steps in asked]
    episode, target = (np.repeat(list(some), counts) for some in (targets, targets.values()))
    losses = reader.ask(store, Questions(episode, np.concatenate(asked), target)).loss
    return list(zip(asked, np.split(losses, np.cumsum(counts)[:-1]), strict=True))
