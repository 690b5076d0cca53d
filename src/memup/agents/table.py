"""The agents that exist, by name. Importing this never loads jax."""

from memup.tables import Entry, Option

AGENTS: dict[str, Entry] = {
    "ppo": Entry(
        "memup.agents.ppo:PPO",
        "proximal policy optimisation on the memory's state",
        {
            "learning_rate": Option(1e-3, "of Adam", low=0.0, high=1.0),
            "gamma": Option(0.99, "discount of rewards", low=0.0, high=1.0),
            "trace": Option(0.95, "lambda of advantage estimation", low=0.0, high=1.0),
            "clip": Option(0.2, "how far the probability ratio may move", low=0.0),
            "entropy": Option(0.001, "weight of the entropy bonus", low=0.0),
            "value": Option(0.5, "weight of the value loss", low=0.0),
            "epochs": Option(4, "passes over a rollout", low=1),
            "minibatches": Option(4, "parts of a rollout, by environment", low=1),
            "clip_norm": Option(0.5, "largest norm of the gradient", low=0.0),
            "hidden": Option(64, "units of the two hidden layers of actor and critic", low=1),
        },
        "Schulman et al. 2017, arXiv 1707.06347",
    ),
    "greedy": Entry(
        "memup.agents.greedy:Greedy",
        "no training: takes the action whose outcome the predictor expects to be best",
        {"tie": Option(0.0, "draw among actions so near to the best; 0: the first best", low=0.0)},
        "Sutton and Barto 2018, section 4.2",
    ),
}
