"""Any Gymnasium environment in the form that models read and answer."""

import warnings
from typing import Any

import gymnasium

from memup.envs.adapters.gymnasium_spaces import actions, named, observations, to_gymnasium


class Adapted(gymnasium.Wrapper):
    """An environment whose observations and actions are as memup stores them.

    Whole numbers begin at 0, arrays of categories and of flags are vectors, and leaves that
    networks cannot read (text, graphs, sequences) are left out of a Dict or Tuple; one warning
    names them. A model that was trained in an environment acts in its adapted form:

        env = memup.adapt(gymnasium.make("CliffWalking-v1"))
        obs, _ = env.reset()
        carry, action = model.act(model.begin(), obs)
        env.step(action)

    Attributes:
        observations: our observation space, and what makes Gymnasium's values ours.
        actions: our action space, and what makes our values Gymnasium's.
    """

    def __init__(self, env: gymnasium.Env, what: str = "", tell: bool = True):
        """Adapt an environment.

        Args:
            env: any.
            what: how the user wrote it, for messages; by default its id.
            tell: warn of leaves that are left out.

        Raises:
            MemupError: nothing of its observations, or not all of its actions, can be used.
        """
        super().__init__(env)
        what = what or f"environment {env.spec.id if env.spec else type(env).__name__!r}"
        self.observations = observations(env.observation_space, what)
        self.actions = actions(env.action_space, what)
        self.observation_space = to_gymnasium(self.observations.space)
        self.action_space = to_gymnasium(self.actions.space)
        if tell and self.observations.dropped:
            lost = named(self.observations.dropped)
            warnings.warn(f"{what}: networks cannot read {lost}: left out", stacklevel=2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, Any]:
        """Begin an episode; see gymnasium.Env."""
        obs, info = self.env.reset(seed=seed, options=options)
        return self.observations.convert(obs), info

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, Any]:
        """Answer an action of our form; see gymnasium.Env."""
        obs, *rest = self.env.step(self.actions.convert(action))
        return self.observations.convert(obs), *rest  # type: ignore[return-value]


def adapt(env: gymnasium.Env) -> Adapted:
    """Bring a Gymnasium environment into the form that a model reads and answers; see `Adapted`.

    Args:
        env: any, as `gymnasium.make` returns it.

    Raises:
        MemupError: nothing of its observations, or not all of its actions, can be used.
    """
    return Adapted(env)
