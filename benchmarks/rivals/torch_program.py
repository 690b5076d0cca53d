"""MemUP's memory training as a good PyTorch user would write it, for comparison.

Encoder, LSTM and predictor; 64 rows, windows of 20 steps, 2 targets a query; the state is carried
and detached. Needs requirements/bench.txt. Prints one JSON object: sequence-steps a second (rows
times window over the time of an update), by program and by form (eager, compiled).

    python benchmarks/rivals/torch_program.py [--threads 2] [--seconds 5] [--only lstm64-every]
"""

import argparse
import itertools
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._pytree import tree_map_only

ROWS, WINDOW, TARGETS, INPUT, QUESTION, ENCODED = 64, 20, 2, 6, 4, 64
SIZES = {"lstm64": (64, 128), "lstm256": (256, 512)}


class Program(nn.Module):
    """Encoder, memory, and a perceptron on [memory, question]."""

    def __init__(self, memory: nn.Module, size: int, width: int):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(INPUT, ENCODED), nn.ReLU())
        self.memory = memory
        self.question = nn.Sequential(nn.Linear(QUESTION, ENCODED), nn.ReLU())
        self.head = nn.Sequential(
            nn.Linear(size + ENCODED, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, 1),
        )

    def forward(self, x, question, state):
        """Predict for the last `question.shape[1]` steps; return the new state too."""
        m, state = self.memory(self.encoder(x), state)
        m = m[:, -question.shape[1] :, None].expand(-1, -1, TARGETS, -1)
        return self.head(torch.cat([m, self.question(question)], -1)).squeeze(-1), state


def detached(state):
    """Cut the gradient of a nested state."""
    return tree_map_only(torch.Tensor, torch.Tensor.detach, state)


class Training:
    """Updates of one program; the memory's state goes from each to the next."""

    def __init__(self, memory: nn.Module, state, size: int, width: int, queries: int):
        self.model, self.state = Program(memory, size, width), state
        self.forward = self.model
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=5e-4, fused=True)
        self.x = torch.randn(ROWS, WINDOW, INPUT)
        self.question = torch.randn(ROWS, queries, TARGETS, QUESTION)
        self.target = torch.randn(ROWS, queries, TARGETS)

    def update(self) -> torch.Tensor:
        """Make one update. Return the loss."""
        self.optimizer.zero_grad(set_to_none=True)
        prediction, after = self.forward(self.x, self.question, self.state)
        loss = F.mse_loss(prediction, self.target)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0, foreach=True)
        self.optimizer.step()
        self.state = detached(after)
        return loss.detach()


def make_update(size: int, width: int, queries: int, compiled: bool):
    memory = nn.LSTM(ENCODED, size, batch_first=True)
    state = (torch.zeros(1, ROWS, size), torch.zeros(1, ROWS, size))
    training = Training(memory, state, size, width, queries)
    if compiled:
        training.forward = torch.compile(training.model)
    return training.update


def speed(update, seconds: float) -> float:
    """Return sequence-steps a second, from the median time of an update."""
    for _ in range(3):
        update()
    # A GPU works behind the program: there, several updates are timed as one.
    wait = torch.cuda.synchronize if torch.cuda.is_initialized() else lambda: None
    each = 20 if torch.cuda.is_initialized() else 1
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        wait()
        start = time.perf_counter()
        for _ in range(each):
            update()
        wait()
        times.append((time.perf_counter() - start) / each)
    return ROWS * WINDOW / statistics.median(times)


def sgemm_gflops(m: int = 1280, k: int = 512, n: int = 512, seconds: float = 1.0) -> float:
    a, b = torch.randn(m, k), torch.randn(k, n)
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - start)
    return 2e-9 * m * k * n / best


def run(name: str, mode: str, seconds: float) -> dict:
    result = {}
    for form in ("eager", "compiled"):
        try:
            update = make_update(*SIZES[name], WINDOW if mode == "every" else 1, form == "compiled")
            result[form] = round(speed(update, seconds))
        except Exception as error:  # torch.compile needs a C++ compiler
            result[form] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--only", default="", help="such as lstm64-every")
    parser.add_argument("--device", default="cpu", help="or cuda")
    args = parser.parse_args()
    torch.set_default_device(args.device)
    # As XLA does by default.
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    programs = {}
    for name, mode in itertools.product(SIZES, ("every", "last")):
        if args.only in f"{name}-{mode}":
            programs[f"{name}-{mode}"] = run(name, mode, args.seconds)
    shapes = {"1280x512x512": (1280, 512, 512), "2048x2048x2048": (2048, 2048, 2048)}
    gemm = {shape: round(sgemm_gflops(*size), 1) for shape, size in shapes.items()}
    print(json.dumps({"torch": torch.__version__, "sgemm_gflops": gemm, "programs": programs}))


if __name__ == "__main__":
    main()
