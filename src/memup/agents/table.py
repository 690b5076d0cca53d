"""The agents that exist, by name. Importing this never loads jax."""

from memup.core.registry import Entry, Option

_GAMMA = Option(0.99, "discount of rewards", low=0.0, high=1.0)
_RATE = Option(1e-3, "of Adam", low=0.0, high=1.0)
# Where a rollout is learned from once, steps must be larger.
_FAST = Option(3e-3, "of Adam", low=0.0, high=1.0)
_ENTROPY = Option(0.001, "weight of the entropy bonus", low=0.0)
_VALUE = Option(0.5, "weight of the value loss", low=0.0)
_CLIP_NORM = Option(0.5, "largest norm of the gradient", low=0.0)
_HIDDEN = Option(64, "units of the two hidden layers of actor and critic", low=1)
_TRACE = Option(0.95, "lambda of advantage estimation", low=0.0, high=1.0)
_IMPALA = {
    "learning_rate": Option(3e-3, "of the optimiser", low=0.0, high=1.0),
    "optimiser": Option("rmsprop", "how gradients become steps", choices=("rmsprop", "adam")),
    "gamma": _GAMMA,
    "gae_lambda": Option(1.0, "lambda of V-trace", low=0.0, high=1.0),
    "rho_bar": Option(1.0, "highest weight of a correction", low=0.0),
    "c_bar": Option(1.0, "highest weight of a trace", low=0.0),
    "ent_coef": Option(0.01, "weight of the entropy bonus", low=0.0),
    "vf_coef": _VALUE,
    "minibatches": Option(16, "parts of a rollout, by environment, each learned from once", low=1),
    "policy_lag": Option(16, "learner updates that the acting policy may be old", low=0),
    "clip_norm": _CLIP_NORM,
    "hidden": _HIDDEN,
}

AGENTS: dict[str, Entry] = {
    "ppo": Entry(
        "memup.agents.ppo:PPO",
        "proximal policy optimisation on the memory's state",
        {
            "learning_rate": _RATE,
            "gamma": _GAMMA,
            "gae_lambda": _TRACE,
            "clip_eps": Option(0.2, "how far the probability ratio may move", low=0.0),
            "ent_coef": _ENTROPY,
            "vf_coef": _VALUE,
            "epochs": Option(4, "passes over a rollout", low=1),
            "minibatches": Option(4, "parts of a rollout, by environment", low=1),
            "clip_norm": _CLIP_NORM,
            "hidden": _HIDDEN,
        },
        "Schulman et al. 2017, arXiv 1707.06347",
    ),
    "a2c": Entry(
        "memup.agents.ppo:PPO",
        "advantage actor-critic: one step up the plain policy gradient for each rollout",
        {
            "learning_rate": _FAST,
            "gamma": _GAMMA,
            "gae_lambda": _TRACE,
            "ent_coef": _ENTROPY,
            "vf_coef": _VALUE,
            "clip_norm": _CLIP_NORM,
            "hidden": _HIDDEN,
        },
        "Mnih et al. 2016, arXiv 1602.01783",
        fields={"agent.rollout": 32},
    ),
    "impala": Entry(
        "memup.agents.impala:IMPALA",
        "actors with an older copy of the policy, corrected by V-trace",
        _IMPALA,
        "Espeholt et al. 2018, arXiv 1802.01561",
    ),
    "impala-st": Entry(
        "memup.agents.impala:IMPALA",
        "IMPALA whose default memory is gtrxl, a Stable Transformer (our reading of the name)",
        _IMPALA,
        "Espeholt et al. 2018; Parisotto et al. 2020, arXiv 1910.06764",
        fields={"memory": "gtrxl"},
    ),
    "r2d2": Entry(
        "memup.agents.r2d2:R2D2",
        "Q-learning from replayed sequences, with burn-in; needs the extra `replay`",
        {
            "learning_rate": _RATE,
            "gamma": _GAMMA,
            "n_step": Option(5, "steps of a return before a value is bootstrapped", low=1),
            "sequence": Option(40, "steps of a replayed sequence", low=1),
            "burn_in": Option(8, "of these, steps that only warm the memory up", low=0),
            "replay": Option(131_072, "steps that the replay holds", low=1),
            "batch_size": Option(64, "sequences in an update", low=1),
            "updates": Option(32, "updates after each rollout", low=1),
            "target_period": Option(100, "updates between two copies to the target network", low=1),
            "priority": Option(0.9, "exponent of priorities; 0: even", low=0.0, high=1.0),
            "importance": Option(0.6, "exponent of what undoes them", low=0.0, high=1.0),
            "eta": Option(0.9, "weight of the largest error in a priority", low=0.0, high=1.0),
            "epsilon": Option(0.4, "random actions of the most random actor", low=0.0, high=1.0),
            "clip_norm": _CLIP_NORM,
            "hidden": Option(64, "units of the two hidden layers", low=1),
        },
        "Kapturowski et al. 2019, openreview r1lyTjAqYX",
    ),
    "merlin": Entry(
        "memup.agents.merlin.agent:Merlin",
        "a predictor with an external memory, and a policy that reads it",
        {
            "learning_rate": Option(2e-3, "of the predictor's Adam", low=0.0, high=1.0),
            "policy_rate": Option(2e-3, "of the policy's Adam", low=0.0, high=1.0),
            "gamma": _GAMMA,
            "gae_lambda": _TRACE,
            "ent_coef": Option(0.02, "weight of the entropy bonus", low=0.0),
            "obs_coef": Option(10.0, "weight of saying the observation", low=0.0),
            "return_coef": Option(0.5, "weight of foretelling the return", low=0.0),
            "clip_norm": Option(1.0, "largest norm of either gradient", low=0.0),
            "latent": Option(16, "Z, numbers of a code", low=1),
            "slots": Option(64, "N, rows of the memory", low=1),
            "heads": Option(1, "keys with which the predictor reads", low=1),
            "retroactive": Option(
                0.9, "decay, a step, of writing to a row what came after it", low=0.0, high=1.0
            ),
            "size": Option(32, "units of the predictor's LSTM", low=1),
            "hidden": Option(64, "units of every hidden layer", low=1),
        },
        "Wayne et al. 2018, arXiv 1803.10760",
        fields={"agent.rollout": 32, "agent.environments": 32},
    ),
    "greedy": Entry(
        "memup.agents.greedy:Greedy",
        "no training: takes the action whose outcome the predictor expects to be best",
        {
            "tie": Option(
                0.0, "draw among actions so near to the best; 0: among equal ones", low=0.0
            )
        },
        "Sutton and Barto 2018, section 4.2",
    ),
}
