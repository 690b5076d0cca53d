"""No policy training: act by the outcome that the trained predictor expects.

The predictor knows q(y | m_t, x_t), x_t = (o_t, a): what each action would bring, given what is
remembered. Taking the best one is one step of policy improvement over the behaviour that filled the
store (Sutton and Barto 2018, section 4.2).
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree

from memup.agents.actor import Actor, begin_actors, read
from memup.agents.base import AbstractAgent
from memup.agents.choices import Choices, around, best_of, enumerable, uniform
from memup.core.spaces import Space
from memup.core.tree import Params, ravel
from memup.core.types import Action, Key, Metrics, TimeStep, Trajectory

# Of a space that is not enumerated so many actions are asked for, first and in each round after.
CANDIDATES, ROUNDS = 64, 2


class Greedy(AbstractAgent):
    """Takes the action of the largest expected outcome, and learns nothing.

    Args:
        params: parameters of the trained model.
        model: puts it together; its `memory` is an EncodedMemory.
        expect: (model, memory [D], observation, action) -> expected outcome, a number.
        action_space: of any leaves; at most 512 joint actions are all asked for, of others some are
            drawn, evenly and then around the best of them.
        tie: actions whose expected outcomes are within this of the best one are drawn from at
            random. Equal ones are in any case: to repeat one action for as long as nothing depends
            on it is not what the memory was trained on.
        action_indifferent: tells of an observation whether all actions bring the same there,
            whatever is remembered; the predictor, which costs more than the memory, is then not
            asked.
    """

    def __init__(
        self,
        params: Params,
        model: Callable[[Params], Any],
        expect: Callable[[Any, Array, PyTree, Action], Float[Array, ""]],
        action_space: Space,
        tie: float,
        action_indifferent: Callable[[PyTree], Bool[Array, ""]] | None = None,
    ):
        self.params, self.model, self.expect = params, model, expect
        self.action_space, self.tie = action_space, tie
        self.action_indifferent = action_indifferent
        self.choices = Choices(action_space, "agent 'greedy'") if enumerable(action_space) else None

    def init(self, *, key: Key) -> Params:
        """Return the model's parameters."""
        return jnp.copy(self.params)

    def begin(self, state: Params, batch: int) -> Actor:
        """See AbstractAgent."""
        return begin_actors(self.model(state).memory, self.action_space, batch)

    def act(
        self, state: Params, carry: Actor, step: TimeStep, *, key: Key, greedy: bool = False
    ) -> tuple[Actor, Action, Any]:
        """Read the step, then ask for every action; see AbstractAgent."""
        model = self.model(state)
        rows, m = read(model.memory, carry, step)
        if self.choices is None:
            action = self._search(model, m, step.obs, key)
            return Actor(rows, action), action, ()
        value = self._settled(model, m, step.obs)
        good = value >= jnp.max(value, axis=-1, keepdims=True) - self.tie
        lots = jnp.where(good, jax.random.uniform(key, good.shape), -1.0)
        action = self.choices.action(jnp.argmax(lots, axis=-1))
        return Actor(rows, action), action, ()

    def _settled(self, model: Any, m: Float[Array, "B D"], obs: PyTree) -> Float[Array, "B N"]:
        """Return the expected outcome of every action; 0 for all where the step settles them."""
        every = jax.tree.map(jnp.asarray, self.choices.all)
        rows = jax.tree.map(lambda a: jnp.broadcast_to(a, (m.shape[0], *a.shape)), every)
        ask = lambda: self._of_rows(model, m, obs, rows)  # noqa: E731
        if self.action_indifferent is None:
            return ask()
        known = jax.vmap(self.action_indifferent)(obs)[:, None]
        nothing = jnp.zeros((m.shape[0], self.choices.count))
        return jax.lax.cond(known.all(), lambda: nothing, lambda: jnp.where(known, 0.0, ask()))

    def _search(self, model: Any, m: Float[Array, "B D"], obs: PyTree, key: Key) -> Action:
        """Return the best of candidates drawn evenly, and of others drawn around the best."""
        keys = iter(jax.random.split(key, 1 + ROUNDS))
        actions = uniform(self.action_space, (m.shape[0], CANDIDATES), key=next(keys))
        value = self._of_rows(model, m, obs, actions)
        for number in range(ROUNDS):
            best = best_of(value, actions)
            near = around(self.action_space, best, CANDIDATES, 4.0**-number, key=next(keys))
            both = lambda old, new: jnp.concatenate([old[:, None], new], axis=1)  # noqa: E731
            actions = jax.tree.map(both, best, near)
            value = self._of_rows(model, m, obs, actions)
        return best_of(value, actions)

    def _of_rows(
        self, model: Any, m: Float[Array, "B D"], obs: PyTree, actions: PyTree
    ) -> Float[Array, "B N"]:
        """Return the expected outcomes of candidates of each row, leaves [B, N, ...]."""
        of_all = jax.vmap(lambda m, o, a: self.expect(model, m, o, a), (None, None, 0))
        return jax.vmap(of_all)(m, obs, actions)

    def networks(self, state: Params) -> dict[str, Any]:
        """Return the model that is asked; see AbstractAgent."""
        return {"model": self.model(state)}

    def acting(self, networks: Mapping[str, Any]) -> Params:
        """See AbstractAgent."""
        return ravel(networks["model"])

    def learn(self, state: Params, trajectory: Trajectory, *, key: Key) -> tuple[Params, Metrics]:
        """Learn nothing."""
        return state, {}
