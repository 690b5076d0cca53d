"""MERLIN (Wayne et al. 2018, arXiv 1803.10760): a predictor with a memory, and a policy on it.

The predictor learns to foresee and to say what it sees; the policy learns from rewards on the
predictor's codes and memory. No gradient passes from one to the other.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree

from memup.agents.advantages import advantages, scaled
from memup.agents.base import AbstractAgent
from memup.agents.configs import MerlinConfig
from memup.agents.learner import adam, inputs
from memup.agents.merlin.policy import ReadingPolicy
from memup.agents.merlin.step import MerlinCarry, MerlinOutput, WorldModel, merlin_step
from memup.agents.transitions import mean_valid
from memup.core.spaces import Space, zeros
from memup.core.tree import Params, initial, ravel, rebuilder
from memup.core.types import Action, Key, Metrics, StepInput, TimeStep, Trajectory
from memup.nn.distributions import distribution_of
from memup.ops.gaussian import kl_divergence


class MerlinState(NamedTuple):
    """The learner's state: arrays only.

    Attributes:
        predictor: parameters of predictor, decoder and returns.
        policy: parameters of the policy.
        optimisers: optax states of both.
        variance: running sum of the advantages' variance, and of its weights.
    """

    predictor: Params
    policy: Params
    optimisers: tuple[PyTree, PyTree]
    variance: Float[Array, "2"]


class Kept(NamedTuple):
    """What is kept beside each step: the noise that made its code, and its value."""

    noise: Float[Array, "*n Z"]
    value: Float[Array, "*n"]


class Batch(NamedTuple):
    """What the loss reads, leaves [T, B, ...]; `minds` before the first step, [B, ...]."""

    minds: MerlinCarry
    x: StepInput
    noise: Array
    action: Action
    advantage: Array
    ret: Array
    valid: Array


class Merlin(AbstractAgent):
    """MERLIN; each rollout gives one step of either optimiser.

    Args:
        world_model: key -> predictor, decoder and returns.
        policy: key -> policy.
        action_space: of any leaves.
        config: settings.
    """

    def __init__(
        self,
        world_model: Callable[[Key], WorldModel],
        policy: Callable[[Key], ReadingPolicy],
        action_space: Space,
        config: MerlinConfig,
    ):
        self.config, self._makers = config, (world_model, policy)
        self.action_space, self.actions = action_space, distribution_of(action_space)
        self.world_model, self.policy = rebuilder(world_model), rebuilder(policy)
        self.optimisers = tuple(
            optax.apply_if_finite(adam(rate, config.clip_norm), 2**31 - 1)
            for rate in (config.learning_rate, config.policy_rate)
        )

    def init(self, *, key: Key) -> MerlinState:
        """See AbstractAgent."""
        keys = jax.random.split(key)
        vectors = [initial(make, k) for make, k in zip(self._makers, keys, strict=True)]
        states = [o.init(v) for o, v in zip(self.optimisers, vectors, strict=True)]
        return MerlinState(*vectors, tuple(states), jnp.zeros(2))

    def begin(self, state: MerlinState, batch: int) -> MerlinCarry:
        """See AbstractAgent."""
        model, policy = self.world_model(state.predictor), self.policy(state.policy)
        action = jax.tree.map(jnp.asarray, zeros(self.action_space))
        mind = MerlinCarry(model.predictor.initial_state(), policy.initial_state(), action)
        return jax.tree.map(lambda a: jnp.broadcast_to(a, (batch, *a.shape)), mind)

    def act(
        self,
        state: MerlinState,
        carry: MerlinCarry,
        step: TimeStep,
        *,
        key: Key,
        greedy: bool = False,
    ) -> tuple[MerlinCarry, Action, Kept]:
        """Draw codes, then actions; greedy takes the likeliest of both. See AbstractAgent."""
        model, policy = self.world_model(state.predictor), self.policy(state.policy)
        keys = jax.random.split(key)
        noise = jax.random.normal(keys[0], (step.first.shape[0], model.predictor.latent))
        noise = jnp.zeros_like(noise) if greedy else noise
        x = StepInput(step.obs, carry.action, step.reward, step.first)
        after, thought = jax.vmap(lambda m, x, n: merlin_step(model, policy, m, x, n))(
            carry, x, noise
        )
        params = thought.policy
        action = self.actions.mode(params) if greedy else self.actions.sample(params, key=keys[1])
        value = jax.vmap(model.returns.of_policy)(thought.z, params)
        return after._replace(action=action), action, Kept(noise, value)

    def networks(self, state: MerlinState) -> dict[str, Any]:
        """See AbstractAgent."""
        return {
            "world_model": self.world_model(state.predictor),
            "policy": self.policy(state.policy),
        }

    def acting(self, networks: Mapping[str, Any]) -> MerlinState:
        """See AbstractAgent."""
        predictor, policy = (ravel(networks[name]) for name in ("world_model", "policy"))
        return MerlinState(predictor, policy, ((), ()), jnp.zeros(2))

    def learn(
        self, state: MerlinState, trajectory: Trajectory, *, key: Key
    ) -> tuple[MerlinState, Metrics]:
        """Take one step of either optimiser; the gradient ends where the rollout began."""
        state, batch = self._prepare(state, trajectory)
        vectors = state.predictor, state.policy
        gradients, metrics = jax.grad(self._loss, (0, 1), has_aux=True)(*vectors, batch)
        moved, optimisers, skipped = [], [], []
        for gradient, params, old, optimiser in zip(
            gradients, vectors, state.optimisers, self.optimisers, strict=True
        ):
            step, new = optimiser.update(gradient, old, params)
            moved.append(params + step)
            optimisers.append(new)
            skipped.append(new.notfinite_count)
        metrics["skipped_in_a_row"] = jnp.stack(skipped).max().astype(jnp.float32)
        return MerlinState(*moved, tuple(optimisers), state.variance), metrics

    def _prepare(self, state: MerlinState, trajectory: Trajectory) -> tuple[MerlinState, Batch]:
        config, kept, last = self.config, trajectory.extras, trajectory.last
        _, _, after = self.act(state, trajectory.after, last, key=jax.random.key(0), greedy=True)
        found = advantages(trajectory, kept.value, after.value, config.gamma, config.gae_lambda)
        variance, scale = scaled(state.variance, found)
        x, action = inputs(trajectory), trajectory.action
        batch = Batch(trajectory.before, x, kept.noise, action, scale, found.ret, found.valid)
        return state._replace(variance=variance), batch

    def _loss(
        self, predictor: Params, policy: Params, batch: Batch
    ) -> tuple[Float[Array, ""], Metrics]:
        """Sum the losses of predictor and policy, which share no gradient."""
        thoughts = self._rethink(predictor, policy, batch)
        foreseen, metrics = self._foreseen(self.world_model(predictor), thoughts, batch)
        acted, spread = self._acted(thoughts, batch)
        return foreseen + acted, {**metrics, "loss": foreseen, "entropy": spread}

    def _acted(self, thoughts: MerlinOutput, batch: Batch) -> tuple[Float[Array, ""], Array]:
        """Return the policy's loss, and the entropy of its actions."""
        log_prob = self.actions.log_prob(thoughts.policy, batch.action)
        gain = mean_valid(batch.advantage * log_prob, batch.valid)
        spread = mean_valid(self.actions.entropy(thoughts.policy), batch.valid)
        return -gain - self.config.ent_coef * spread, spread

    def _rethink(self, predictor: Params, policy: Params, batch: Batch) -> MerlinOutput:
        """Think the rollout again, leaves [T, B, ...]; the minds before it are given."""
        model, acting = self.world_model(predictor), self.policy(policy)

        def unroll(mind: MerlinCarry, x: StepInput, noise: Array) -> MerlinOutput:
            return jax.lax.scan(
                lambda m, now: merlin_step(model, acting, m, *now), mind, (x, noise)
            )[1]

        minds = jax.lax.stop_gradient(batch.minds)
        return jax.vmap(unroll, (0, 1, 1), 1)(minds, batch.x, batch.noise)

    def _foreseen(
        self, model: WorldModel, thoughts: MerlinOutput, batch: Batch
    ) -> tuple[Float[Array, ""], Metrics]:
        """Return the predictor's loss: a bound of what it sees, and the return."""
        each = lambda f: jax.vmap(jax.vmap(f))  # noqa: E731
        said = jax.tree.map(jnp.mean, each(model.decoder)(thoughts.z, batch.x))
        kl = jnp.mean(each(kl_divergence)(thoughts.posterior, thoughts.prior))
        value = each(model.returns.of_policy)(thoughts.z, thoughts.policy)
        errors = each(model.returns.loss)(thoughts.z, value, batch.action, batch.ret)
        returns = mean_valid(errors, batch.valid)
        loss = self.config.obs_coef * said.obs + said.action + said.reward + kl
        loss += self.config.return_coef * returns
        return loss, {"kl": kl, "returns": returns, **said._asdict()}
