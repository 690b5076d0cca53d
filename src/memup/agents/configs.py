"""The options of the agents, each defined once: for agents, tables and help. Never loads jax."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memup.core.errors import require
from memup.core.options import Config, option

_COPIES = "copies of the environment in which the agent acts"
_ROLLOUT = "steps in each copy between updates; 0: about an episode, from 128 to 2048"
_RATE = "Adam learning rate"
_VALUE = "weight of the value loss"
_ENTROPY = "weight of the entropy bonus"
_LAMBDA = "lambda of generalised advantage estimation"
_CLIP = "norm above which the gradient is clipped"


@dataclass(frozen=True)
class LearningConfig(Config):
    """What every agent that learns has: how long it acts, in how many copies of an environment."""

    steps: int = option(
        20_000_000, "largest number of environment steps in the policy phase", low=0, high=10**15
    )
    environments: int = option(64, _COPIES, low=1)
    rollout: int = option(0, _ROLLOUT, low=0)
    stop_at_success: float = option(
        0.995, "success rate of recent episodes at which to stop; 2: never stop early", low=0.0
    )
    gamma: float = option(0.99, "discount factor of rewards", low=0.0, high=1.0)
    learning_rate: float = option(1e-3, _RATE, low=0.0, high=1.0)
    clip_norm: float = option(0.5, _CLIP, low=0.0)
    hidden: int = option(64, "units of each of the two hidden layers", low=1)


@dataclass(frozen=True)
class PPOConfig(LearningConfig):
    """Proximal policy optimisation (agents/ppo.py)."""

    gae_lambda: float = option(0.95, _LAMBDA, low=0.0, high=1.0)
    clip_eps: float = option(0.2, "range within which the probability ratio is clipped", low=0.0)
    ent_coef: float = option(0.001, _ENTROPY, low=0.0)
    vf_coef: float = option(0.5, _VALUE, low=0.0)
    epochs: int = option(4, "passes over each rollout", low=1)
    minibatches: int = option(
        4, "minibatches of each pass, which divide the copies of the environment", low=1
    )

    def check(self, run: Mapping[str, Any]) -> None:
        """See Config."""
        _check_minibatches(self.minibatches, self.environments)


@dataclass(frozen=True)
class A2CConfig(LearningConfig):
    """Advantage actor-critic: one step for each rollout, so that rollouts are short."""

    rollout: int = option(32, _ROLLOUT, low=0)
    learning_rate: float = option(3e-3, _RATE, low=0.0, high=1.0)
    gae_lambda: float = option(0.95, _LAMBDA, low=0.0, high=1.0)
    ent_coef: float = option(0.001, _ENTROPY, low=0.0)
    vf_coef: float = option(0.5, _VALUE, low=0.0)

    def as_ppo(self) -> PPOConfig:
        """Return PPO's settings of this: with one pass over a whole rollout all ratios are 1."""
        return PPOConfig(**vars(self), epochs=1, minibatches=1)


@dataclass(frozen=True)
class IMPALAConfig(LearningConfig):
    """IMPALA (agents/impala.py); rho-bar and c-bar as in the paper."""

    learning_rate: float = option(3e-3, "learning rate of the optimiser", low=0.0, high=1.0)
    optimiser: str = option(
        "rmsprop", "optimiser of the agent's networks", choices=("rmsprop", "adam")
    )
    gae_lambda: float = option(1.0, "lambda of V-trace", low=0.0, high=1.0)
    rho_bar: float = option(
        1.0, "rho-bar, upper bound of the importance weight of a temporal difference", low=0.0
    )
    c_bar: float = option(
        1.0, "c-bar, upper bound of the importance weight that extends a trace", low=0.0
    )
    ent_coef: float = option(0.01, _ENTROPY, low=0.0)
    vf_coef: float = option(0.5, _VALUE, low=0.0)
    minibatches: int = option(
        16, "minibatches of a rollout, which divide the copies of the environment", low=1
    )
    policy_lag: int = option(16, "updates by which the acting policy may lag behind", low=0)

    def check(self, run: Mapping[str, Any]) -> None:
        """See Config."""
        _check_minibatches(self.minibatches, self.environments)


@dataclass(frozen=True)
class R2D2Config(LearningConfig):
    """R2D2 (agents/r2d2.py)."""

    n_step: int = option(5, "n, rewards summed before the value is bootstrapped", low=1)
    sequence: int = option(40, "L, steps of a replayed sequence", low=1)
    burn_in: int = option(8, "first steps of a sequence, which only warm up the memory", low=0)
    replay: int = option(131_072, "capacity of the replay, in steps", low=1)
    batch_size: int = option(64, "sequences in each update", low=1)
    updates: int = option(32, "updates after each rollout", low=1)
    target_period: int = option(
        100, "updates between two copies of the weights to the target network", low=1
    )
    priority: float = option(
        0.9, "exponent of the priorities; 0: replay uniformly", low=0.0, high=1.0
    )
    importance: float = option(
        0.6, "exponent of the importance weights that correct for the priorities", low=0.0, high=1.0
    )
    eta: float = option(
        0.9,
        "weight of the largest error in a priority; the mean error has the rest",
        low=0.0,
        high=1.0,
    )
    epsilon: float = option(
        0.4,
        "exploration rate of the most random actor; the least random has its 8th power",
        low=0.0,
        high=1.0,
    )

    def check(self, run: Mapping[str, Any]) -> None:
        """See Config."""
        require(
            self.burn_in < self.sequence,
            f"agent.burn_in={self.burn_in}: expected less than agent.sequence={self.sequence}, so "
            "that steps to learn from are left",
        )
        require(
            self.replay >= self.sequence,
            f"agent.replay={self.replay}: expected at least agent.sequence={self.sequence}, the "
            "steps of one sequence",
        )
        held = self.replay // (self.sequence - self.burn_in)
        require(
            self.batch_size <= held,
            f"agent.batch_size={self.batch_size}: expected at most the {held} sequences that "
            f"agent.replay={self.replay} steps hold; raise agent.replay",
        )


@dataclass(frozen=True)
class MerlinConfig(LearningConfig):
    """MERLIN (agents/merlin)."""

    environments: int = option(32, _COPIES, low=1)
    rollout: int = option(32, _ROLLOUT, low=0)
    learning_rate: float = option(2e-3, "Adam learning rate of the predictor", low=0.0, high=1.0)
    policy_rate: float = option(2e-3, "Adam learning rate of the policy", low=0.0, high=1.0)
    gae_lambda: float = option(0.95, _LAMBDA, low=0.0, high=1.0)
    ent_coef: float = option(0.02, _ENTROPY, low=0.0)
    obs_coef: float = option(10.0, "weight of the observation's reconstruction loss", low=0.0)
    return_coef: float = option(0.5, "weight of the return's prediction loss", low=0.0)
    clip_norm: float = option(
        1.0, "norm above which the gradient of either network is clipped", low=0.0
    )
    latent: int = option(16, "Z, size of the latent code", low=1)
    slots: int = option(64, "N, slots of the memory", low=1)
    heads: int = option(1, "read heads of the predictor", low=1)
    retroactive: float = option(
        0.9, "decay per step of the retroactive writes to a slot", low=0.0, high=1.0
    )
    size: int = option(32, "units of the predictor's LSTM", low=1)
    hidden: int = option(64, "units of each hidden layer", low=1)

    def check(self, run: Mapping[str, Any]) -> None:
        """See Config."""
        require(
            run["training"] == "end-to-end",
            f"training={run['training']!r}: agent 'merlin' trains a memory of its own; "
            "expected 'end-to-end'",
        )


@dataclass(frozen=True)
class GreedyConfig(Config):
    """The agent that learns nothing (agents/greedy.py)."""

    tie: float = option(
        0.0,
        "margin below the best within which an action is drawn at random; 0: ties only",
        low=0.0,
    )

    def check(self, run: Mapping[str, Any]) -> None:
        """See Config."""
        require(
            run["training"] == "two-phase",
            f"training={run['training']!r}: agent 'greedy' learns nothing; expected 'two-phase'",
        )
        require(
            run["method.target"] in ("reward", "return"),
            f"method.target={run['method.target']!r}: agent 'greedy' needs 'reward' or 'return'",
        )
        require(
            run["method.query_length"] == 1,
            f"method.query_length={run['method.query_length']}: agent 'greedy' sees one step; "
            "expected 1",
        )


def _check_minibatches(minibatches: int, environments: int) -> None:
    require(
        environments % minibatches == 0,
        f"agent.minibatches={minibatches}: expected a divisor of agent.environments={environments}",
    )
