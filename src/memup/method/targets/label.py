"""The target `label`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from memup.core.errors import MemupError, require
from memup.data.store import EpisodeStore
from memup.method.targets.base import AbstractTarget, Ids, TargetParts
from memup.nn.distributions import MAX_CLASSES, MOST_LABELS
from memup.nn.encoders.statistics import check_float32, statistics

SAMPLE = 1_000_000
# Whole numbers that come less often than this on average are a score or a count.
LEAST_OF_CLASS = 2


class Label(AbstractTarget):
    """y_k is the label stored beside step k.

    A step has none where an integer label is negative, or where the field `labelled` is False.
    Whole numbers are classes up to 4,096 of them: y_k is then a class's place among all,
    found on the host in 64 bits, as float32 would merge 100000040 and 100000041.

    Args:
        family: of the outcomes.
        classes: the labels of each of O numbers, ascending; None: labels are taken as they are.
    """

    lead = 0
    needs = ("label",)

    def __init__(self, family: str = "auto", classes: Sequence[Sequence[int]] | None = None):
        self.family = family
        self.classes = None if classes is None else [np.array(c, np.int64) for c in classes]

    @classmethod
    def make(cls, parts: TargetParts, *, family: str) -> "Label":
        """See AbstractTarget."""
        return cls(family, parts.classes)

    def measure(self, store: EpisodeStore) -> dict[str, Any]:
        """Return the "classes" where labels are such; see AbstractTarget.

        Raises:
            MemupError: float32 cannot tell labels apart that are no classes.
        """
        dtype = store.fields["label"][0]
        if dtype.kind not in "biu" or self.family == "normal":
            self._check_reals(store)
            return {}
        found, count = _classes(store)
        most = max(len(values) for values in found)
        if self.family == "auto" and not _are_classes(most, count):
            self._check_reals(store)
            return {}
        return {"classes": [values.tolist() for values in found]}

    def values(self, store: EpisodeStore, ids: Ids, steps: Ids) -> Float[np.ndarray, "... O"]:
        """Return y, NaN where there is no label; see AbstractTarget.

        A label that is none of the classes is -1: nothing that is answered is right.
        """
        rows = store.global_rows(ids, steps)
        raw = store.gather("label", rows).reshape(*np.shape(ids), -1)
        value = raw.astype(np.float32) if self.classes is None else self._places(raw)
        if raw.dtype.kind in "iu":
            value = np.where(raw < 0, np.nan, value)
        if "labelled" in store.fields:
            known = store.gather("labelled", rows).reshape(*np.shape(ids), -1)
            value = np.where(known, value, np.nan)
        return value.astype(np.float32)

    def _places(self, raw: np.ndarray) -> np.ndarray:
        """Return the place of every label among the classes of its number, -1 where it is none."""
        assert self.classes is not None
        whole, out = raw.astype(np.int64), np.empty(raw.shape, np.int64)
        for i, values in enumerate(self.classes):
            place = np.minimum(np.searchsorted(values, whole[..., i]), len(values) - 1)
            out[..., i] = np.where(values[place] == whole[..., i], place, -1)
        return out

    def _check_reals(self, store: EpisodeStore) -> None:
        rows = store.sample_rows(np.random.default_rng(0), SAMPLE)
        data = store.gather("label", rows).reshape(len(rows), -1)
        check_float32("label", data, statistics(data))


def _classes(store: EpisodeStore) -> tuple[list[np.ndarray], int]:
    """Return the labels that each number takes, ascending, and how many steps have one."""
    found: list[np.ndarray] | None = None
    count = 0
    for id in store.ids.tolist():
        episode = store.episode(id)
        raw = episode["label"].reshape(len(episode["label"]), -1)
        known = raw >= 0
        if "labelled" in episode:
            known = known & episode["labelled"].reshape(len(raw), -1).astype(bool)
        if raw.dtype == np.uint64 and (raw > np.iinfo(np.int64).max).any():
            raise MemupError("field 'label' holds numbers of 2^63 and more: expected less")
        now = [np.unique(c[k].astype(np.int64)) for c, k in zip(raw.T, known.T, strict=True)]
        found = now if found is None else list(map(np.union1d, found, now))
        count += int(known.sum()) // len(now)
    require(
        bool(found) and all(map(len, found or [])),
        "no step of the store has an outcome to predict: all labels are below 0",
    )
    return found or [], count


def _are_classes(most: int, count: int) -> bool:
    """Say whether whole numbers that take so many values, in so many steps, are classes."""
    return most <= MAX_CLASSES or (most <= MOST_LABELS and count >= LEAST_OF_CLASS * most)
