import pytest
from report_runs import EXPLAIN, SPEC, result

from memup.runs.rundir import RunDir


@pytest.fixture
def run(tmp_path):
    """A run as it is half a second after `create`: nothing but its spec."""
    with RunDir.create(tmp_path / "first", SPEC) as made:
        yield made


@pytest.fixture
def full(run):
    """A two-phase run that has everything."""
    for i in range(3):
        more = {"compile_s": 2.0} if i == 0 else {}
        loss = {"loss": 0.7 - 0.1 * i, "held_out_loss": 0.71 if i else float("nan")}
        run.append(
            "metrics",
            {"step": i, "phase": "memory", "wall_s": 3.0 + i, "updates": 10 * i} | loss | more,
        )
    for i in range(3):
        row = {"success_rate": 0.5, "return": 2.0, "env_steps": 100 * i, "steps_per_second": 99.0}
        run.append("metrics", {"step": 3 + i, "phase": "policy", "wall_s": 6.0 + i} | row)
    run.append("eval", result("MemUP", 0.97))
    run.append("eval", result("memory-less", 0.5))
    run.write_json("explain.json", EXPLAIN)
    run.set_status("done", "policy")
    return run
