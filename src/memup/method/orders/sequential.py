"""The order `sequential`."""

import numpy as np

from memup.method.orders.base import AbstractOrder, Cursor, Ids, Visit


class Sequential(AbstractOrder):
    """The paper's order: each row walks an episode from its start to its end, then another."""

    def _begin(
        self, fresh_row: bool, ids: Ids, lengths: Ids, rng: np.random.Generator
    ) -> tuple[int, int, int]:
        """Choose an episode; return its id, the step to begin at and its length."""
        chosen = int(rng.integers(len(ids)))
        return int(ids[chosen]), 0, int(lengths[chosen])

    def advance(
        self, cursor: Cursor, steps: int, ids: Ids, lengths: Ids, *, rng: np.random.Generator
    ) -> tuple[Cursor, list[Visit]]:
        """See AbstractOrder."""
        length_of = dict(zip(ids.tolist(), lengths.tolist(), strict=True))
        episodes, at = cursor.episode.copy(), cursor.step.copy()
        visits: list[Visit] = []
        for row in range(len(episodes)):
            episode, step, offset = int(episodes[row]), int(at[row]), 0
            never = episode < 0
            while offset < steps:
                fresh = episode not in length_of or step >= length_of[episode]
                if fresh:
                    episode, step, _ = self._begin(never, ids, lengths, rng)
                    never = False
                stop = min(length_of[episode], step + steps - offset)
                visits.append(Visit(row, episode, step, stop, offset, fresh))
                offset, step = offset + stop - step, stop
            episodes[row], at[row] = episode, step
        return Cursor(episodes, at), visits
