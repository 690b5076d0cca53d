"""A detector of starts: which observations are rare, and so may begin a dependency.

Where a dependency ends shows as an uncertain outcome; where it begins often shows as something
that is seldom seen. With s(x_d) = -log p(x_d), p the marginal of one number of the observation
over all stored steps (a table for few values, else a normal; a value that the sample of steps did
not hold counts as if it were seen once in one more step), a step's rarity is

    max_d (s(x_d) - mean s_d) / max(std s_d, 0.1).
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from memup.core.spaces import Box, Space
from memup.data.store import EpisodeStore
from memup.nn.distributions import MAX_CLASSES
from memup.nn.marginal import Marginal

SAMPLE = 200_000
KEPT_EPISODES = 100_000
WIDEST = 64
BLOCK = 1 << 18


class Rarity:
    """Finds the rarest steps of episodes, each episode once.

    Args:
        store: the episodes.
        facts: what `measure` returned.
        kept: how many steps of an episode count as rare.
    """

    def __init__(self, store: EpisodeStore, facts: list[dict[str, Any]], kept: int = 4):
        self.store, self.facts, self.kept = store, facts, kept
        self._numbers = [Marginal.of(fact) for fact in facts]
        self._tables = [_table(store, number) for number in self._numbers]
        self._known: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def __call__(self, episode: int) -> tuple[Int[np.ndarray, " M"], Float[np.ndarray, " M"]]:
        """Return the rarest steps of an episode, and with what probability to visit each."""
        if episode not in self._known:
            if len(self._known) >= KEPT_EPISODES:  # those of joint training come and go
                self._known.clear()
            rarity = self.rarity(self.store.episode(episode))
            above, equal = _highest(rarity, self.kept)
            # Only a few of the equal ones are taken: a part of all would keep all.
            steps = np.concatenate([above, equal[: self.kept]])[: self.kept]
            weight = np.maximum(rarity[steps], 1e-3)
            self._known[episode] = steps, weight / weight.sum()
        return self._known[episode]

    def rarest(self, episode: int, count: int, rng: np.random.Generator) -> Int[np.ndarray, " M"]:
        """Return the `count` rarest steps of an episode; among equal ones at random."""
        rarity = self.rarity(self.store.episode(episode))
        above, equal = _highest(rarity, count)
        return np.concatenate([above, rng.permutation(equal)])[:count]

    def rarity(self, episode: dict[str, np.ndarray]) -> Float[np.ndarray, " T"]:
        """Return how rare each step's observation is."""
        length = len(next(iter(episode.values())))
        highest = np.zeros(length, np.float32)
        for low in range(0, length, BLOCK):
            block = highest[low : low + BLOCK]
            for number, table in zip(self._numbers, self._tables, strict=True):
                part = episode[number.field][low : low + BLOCK]
                column = part.reshape(len(part), -1)[:, number.number]
                score = _rarity(column, number) if table is None else table[column.view(np.uint8)]
                np.maximum(block, score, out=block)
        return highest


def _highest(rarity: Float[np.ndarray, " T"], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps above the count-th highest rarity, and all that are equal to it."""
    most = min(count, len(rarity))
    bar = np.partition(rarity, -most)[-most]
    above = np.flatnonzero(rarity > bar)
    return above[np.argsort(-rarity[above], kind="stable")], np.flatnonzero(rarity == bar)


def _rarity(column: np.ndarray, number: Marginal) -> Float[np.ndarray, " T"]:
    return number.rarity(column).astype(np.float32)


def _table(store: EpisodeStore, number: Marginal) -> Float[np.ndarray, "256"] | None:
    """Return the rarity of every value of one byte, by its bits; None for wider numbers."""
    kind = store.fields[number.field][0]
    if kind.itemsize > 1:
        return None
    return _rarity(np.arange(256, dtype=np.uint8).view(kind), number)


def measure(
    store: EpisodeStore, leaves: Mapping[str, Space], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Estimate the marginal of every number of the observation on a sample of steps.

    Args:
        store: the episodes.
        leaves: of the observation space, by field; those of more than 64 numbers (pictures) are
            not looked at. Categories are counted however many there are: their numbers mean
            nothing.
        rng: draws the steps.

    Returns:
        A record a number, plain JSON.
    """
    rows = store.sample_rows(rng, SAMPLE)
    facts = []
    for name, leaf in leaves.items():
        if math.prod(leaf.shape) > WIDEST:
            continue
        counted = MAX_CLASSES if isinstance(leaf, Box) else SAMPLE
        data = store.gather(name, rows).reshape(len(rows), -1)
        for number in range(data.shape[1]):
            fact: dict[str, Any] = {"field": name, "number": number}
            column = data[:, number].astype(np.float64)
            values, counts = np.unique(column, return_counts=True)
            if len(values) <= counted:
                surprise = -np.log(counts / counts.sum())
                fact |= {"values": values.tolist(), "surprise": surprise.tolist()}
                fact["unseen"] = float(np.log(len(rows) + 1))
            else:
                fact |= {"shift": float(column.mean()), "scale": float(max(column.std(), 1e-6))}
            seen = Marginal.of(fact).surprise_of(column)
            facts.append(fact | {"mean": float(seen.mean()), "std": float(seen.std())})
    return facts
