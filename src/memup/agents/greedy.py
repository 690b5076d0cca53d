"""No policy training: act by the outcome that the trained predictor expects.

The predictor knows q(y | m_t, x_t), x_t = (o_t, a): what each action would bring, given what is
remembered. Taking the best one is one step of policy improvement over the behaviour that filled the
store (Sutton and Barto 2018, section 4.2).
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PyTree

from memup.agents.actor import Actor, begin_actors, read
from memup.agents.base import AbstractAgent
from memup.core.tree import Params, ravel
from memup.core.types import Key, Metrics, TimeStep, Trajectory


class Greedy(AbstractAgent):
    """Takes the action of the largest expected outcome, and learns nothing.

    Args:
        vector: parameters of the trained model.
        model: puts it together; its `memory` is an EncodedMemory.
        expect: (model, memory [D], observation, action) -> expected outcome, a number.
        actions: number of actions.
        tie: actions whose expected outcomes are within this of the best one are drawn from at
            random. Equal ones are in any case: to repeat one action for as long as nothing depends
            on it is not what the memory was trained on.
        action_indifferent: tells of an observation whether all actions bring the same there,
            whatever is remembered; the predictor, which costs more than the memory, is then not
            asked.
    """

    def __init__(
        self,
        vector: Params,
        model: Callable[[Params], Any],
        expect: Callable[[Any, Array, PyTree, Array], Float[Array, ""]],
        actions: int,
        tie: float,
        action_indifferent: Callable[[PyTree], Bool[Array, ""]] | None = None,
    ):
        self.vector, self.model, self.expect = vector, model, expect
        self.actions, self.tie, self.action_indifferent = actions, tie, action_indifferent

    def init(self, *, key: Key) -> Params:
        """Return the model's parameters."""
        return jnp.copy(self.vector)

    def begin(self, state: Params, batch: int) -> Actor:
        """See AbstractAgent."""
        return begin_actors(self.model(state).memory, batch)

    def act(
        self, state: Params, carry: Actor, step: TimeStep, *, key: Key, greedy: bool = False
    ) -> tuple[Actor, Int[Array, " B"], Any]:
        """Read the step, then ask for every action; see AbstractAgent."""
        model = self.model(state)
        rows, m = read(model.memory, carry, step)
        value = self._expected(model, m, step.obs)
        good = value >= jnp.max(value, axis=-1, keepdims=True) - self.tie
        lots = jnp.where(good, jax.random.uniform(key, good.shape), -1.0)
        action = jnp.argmax(lots, axis=-1).astype(jnp.int32)
        return Actor(rows, action), action, ()

    def _expected(self, model: Any, m: Float[Array, "B D"], obs: PyTree) -> Float[Array, "B A"]:
        """Return the expected outcome of every action; 0 for all where the step settles them."""
        choices = jnp.arange(self.actions)
        of_all = jax.vmap(lambda m, o, a: self.expect(model, m, o, a), (None, None, 0))
        ask = lambda: jax.vmap(of_all, (0, 0, None))(m, obs, choices)  # noqa: E731
        if self.action_indifferent is None:
            return ask()
        known = jax.vmap(self.action_indifferent)(obs)[:, None]
        nothing = jnp.zeros((m.shape[0], self.actions))
        return jax.lax.cond(known.all(), lambda: nothing, lambda: jnp.where(known, 0.0, ask()))

    def networks(self, state: Params) -> dict[str, Any]:
        """Return the model that is asked; see AbstractAgent."""
        return {"model": self.model(state)}

    def acting(self, networks: Mapping[str, Any]) -> Params:
        """See AbstractAgent."""
        return ravel(networks["model"])

    def learn(self, state: Params, trajectory: Trajectory, *, key: Key) -> tuple[Params, Metrics]:
        """Learn nothing."""
        return state, {}
