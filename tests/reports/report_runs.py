"""What the synthetic runs of these tests hold."""

SPEC = {
    "env": "tmaze-10",
    "seed": 1,
    "training": "two-phase",
    "memory": {"name": "gru", "size": 8},
    "agent": {"name": "ppo"},
}
EXPLAIN = {
    "env": "tmaze-10",
    "length": 12,
    "t": list(range(12)),
    "uncertainty": [0.01] * 10 + [None, 0.69],
    "targets": [{"step": 11, "count": 9}, {"step": 3, "count": 1}],
    "query": [0, 5, 10],
    "loss_with_memory": [0.6, 0.1, 0.05],
    "loss_without_memory": [0.7, 0.69, 0.68],
    "target_step": 11,
    "unit": "nats",
    "events": [{"step": 0, "label": "<hint>"}],
}


def result(name, share, **more):
    return {
        "name": name,
        "env": "tmaze-10",
        "episodes": 256,
        "seed": 1,
        "return_mean": 4 * share,
        "return_ci95": [4 * share - 0.1, 4 * share + 0.1],
        "success_rate": share,
        "success_ci95": [share - 0.02, min(1.0, share + 0.02)],
        "length_mean": 11.0,
        "steps_per_second": 12345.6,
        **more,
    }
