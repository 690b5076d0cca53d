"""How episodes went: the newest, or the first, of every copy of an environment.

One record serves training (the newest episodes), collecting and evaluation (the first ones). It is
a tree of arrays of a fixed size, so it is carried through compiled loops and kept in checkpoints;
on the host the same code works on numpy arrays.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from memup.core.types import TimeStep

Leaf = Array | np.ndarray


class Summary(NamedTuple):
    """What some episodes have in common; NaN where there is none.

    Attributes:
        episodes: how many they are.
        return_mean: of the sum of rewards.
        return_std: its standard deviation.
        length_mean: actions.
        success_rate: of the episodes whose success is known; NaN where none is.
        reported: share of the episodes whose success is known.

    Where only some episodes say whether they succeeded, as with environments that do so when an
    episode is cut, `success_rate` is of those.
    """

    episodes: int
    return_mean: float
    return_std: float
    length_mean: float
    success_rate: float
    reported: float

    @property
    def all_success(self) -> float:
        """Share of all the episodes that are known to have succeeded; NaN where none says."""
        return self.success_rate * self.reported


class EpisodeStats(NamedTuple):
    """Returns, lengths and success of W episodes of every one of B copies.

    Attributes:
        running_return: return so far of the episode each copy is in, [B].
        running_length: its actions so far, [B].
        ended: episodes that have ended, [B].
        returns: of ended episodes, [B, W]; NaN where there is none yet.
        lengths: their actions, [B, W]; 0 where there is none yet.
        successes: their success, [B, W]; NaN where the environment does not say.
    """

    running_return: Float[Leaf, " B"]
    running_length: Int[Leaf, " B"]
    ended: Int[Leaf, " B"]
    returns: Float[Leaf, "B W"]
    lengths: Int[Leaf, "B W"]
    successes: Float[Leaf, "B W"]

    @classmethod
    def start(cls, copies: int, kept: int = 1, numpy: bool = False) -> "EpisodeStats":
        """Nothing played yet: B copies, W episodes kept of each."""
        xp: Any = np if numpy else jnp
        # Each leaf has a buffer of its own, as one cannot be donated twice.
        zero, count = (lambda d: xp.zeros(copies, d)), xp.int32
        unknown = [xp.full((copies, kept), xp.nan, xp.float32) for _ in range(2)]
        return cls(
            zero(xp.float32),
            zero(count),
            zero(count),
            unknown[0],
            xp.zeros((copies, kept), count),
            unknown[1],
        )

    @property
    def over(self) -> Bool[Leaf, " B"]:
        """Which copies have ended W episodes."""
        return self.ended >= self.returns.shape[1]

    def see(self, step: TimeStep) -> "EpisodeStats":
        """Take the next step of every copy, leaves [B, ...]; the newest W episodes are kept."""
        xp: Any = np if isinstance(self.ended, np.ndarray) else jnp
        begun = step.first
        total = xp.where(begun, 0.0, self.running_return) + step.reward
        length = xp.where(begun, 0, self.running_length + 1)
        end = step.terminated | step.truncated
        now = self._replace(running_return=total, running_length=length)
        if xp is np and not end.any():
            return now
        kept = self.returns.shape[1]
        slot = end[:, None] & (xp.arange(kept)[None] == (self.ended % kept)[:, None])
        return now._replace(
            ended=self.ended + end,
            returns=xp.where(slot, total[:, None], self.returns),
            lengths=xp.where(slot, length[:, None], self.lengths),
            successes=xp.where(slot, step.success[:, None], self.successes),
        )

    def see_first(self, step: TimeStep) -> "EpisodeStats":
        """Take the next step; copies that have ended W episodes count no more."""
        xp: Any = np if isinstance(self.ended, np.ndarray) else jnp
        over = self.over

        def keep(old: Any, new: Any) -> Any:
            return xp.where(over if new.ndim == 1 else over[:, None], old, new)

        return EpisodeStats(*map(keep, self, self.see(step)))

    def see_many(self, steps: TimeStep) -> "EpisodeStats":
        """Take a stretch in the order of time, leaves [S, B, ...]; on the device."""
        return jax.lax.scan(lambda now, step: (now.see(step), None), self, _plain(steps))[0]

    def see_many_first(self, steps: TimeStep) -> tuple["EpisodeStats", Bool[Leaf, "S B"]]:
        """Take a stretch as `see_first` does; say too which steps are of the first W episodes."""
        body = lambda now, step: (now.see_first(step), ~now.over)  # noqa: E731
        return jax.lax.scan(body, self, _plain(steps))

    def summary(self, leave_out: float = 0.0) -> Summary:
        """Return the means of the episodes that are kept; on the host.

        Args:
            leave_out: share of the copies, the first ones, that do not count.
        """
        low = int(leave_out * len(self.ended))
        returns, lengths, success = (
            np.asarray(a, np.float64)[low:] for a in (self.returns, self.lengths, self.successes)
        )
        known = np.isfinite(returns) | (lengths > 0)
        count = int(known.sum())
        if not count:
            return Summary(0, *[float("nan")] * 4, 0.0)
        told = success[known & np.isfinite(success)]
        return Summary(
            count,
            float(returns[known].mean()),
            float(returns[known].std()),
            float(lengths[known].mean()),
            float(told.mean()) if len(told) else float("nan"),
            len(told) / count,
        )


def _plain(steps: TimeStep) -> TimeStep:
    return steps._replace(obs=())
