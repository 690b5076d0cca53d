"""The agents that exist, by name. Importing this never loads jax."""

from memup.agents.configs import (
    A2CConfig,
    GreedyConfig,
    IMPALAConfig,
    MerlinConfig,
    PPOConfig,
    R2D2Config,
)
from memup.core.registry import Entry

AGENTS: dict[str, Entry] = {
    "ppo": Entry(
        "memup.agents.ppo:PPO",
        "proximal policy optimisation on the memory's state",
        PPOConfig,
        "Schulman et al. 2017, arXiv 1707.06347",
    ),
    "a2c": Entry(
        "memup.agents.ppo:PPO",
        "advantage actor-critic: one step up the plain policy gradient for each rollout",
        A2CConfig,
        "Mnih et al. 2016, arXiv 1602.01783",
    ),
    "impala": Entry(
        "memup.agents.impala:IMPALA",
        "actors with an older copy of the policy, corrected by V-trace",
        IMPALAConfig,
        "Espeholt et al. 2018, arXiv 1802.01561",
    ),
    "impala-st": Entry(
        "memup.agents.impala:IMPALA",
        "IMPALA whose default memory is gtrxl, a Stable Transformer (our reading of the name)",
        IMPALAConfig,
        "Espeholt et al. 2018; Parisotto et al. 2020, arXiv 1910.06764",
        fields={"memory": "gtrxl"},
    ),
    "r2d2": Entry(
        "memup.agents.r2d2:R2D2",
        "Q-learning from replayed sequences, with burn-in; needs the extra `replay`",
        R2D2Config,
        "Kapturowski et al. 2019, openreview r1lyTjAqYX",
    ),
    "merlin": Entry(
        "memup.agents.merlin.agent:Merlin",
        "a predictor with an external memory, and a policy that reads it",
        MerlinConfig,
        "Wayne et al. 2018, arXiv 1803.10760",
    ),
    "greedy": Entry(
        "memup.agents.greedy:Greedy",
        "no training: takes the action whose outcome the predictor expects to be best",
        GreedyConfig,
        "Sutton and Barto 2018, section 4.2",
    ),
}
