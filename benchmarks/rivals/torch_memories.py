"""Memories as PyTorch users write them, for comparison with memup's; see measures/memories.py.

LSTM and GRU are PyTorch's own and the DNC is the `dnc` package's. Window Transformer, NTM and RIM
are written from the equations of their papers, over a batch of rows: products over all steps where
the equations allow it, a loop over time for the rest. Sizes are memup's defaults.
"""

import argparse
import json
import statistics
import sys
import time

import torch
import torch_program
from torch import Tensor, nn
from torch.nn import functional as F

Pair = tuple[Tensor, Tensor]


class WindowBlock(nn.Module):
    """x + A(LN(x)), then x + F(LN(x)), with a learned key for each age."""

    def __init__(self, size: int, window: int, heads: int):
        super().__init__()
        self.heads, self.window = heads, window
        self.norm_attention, self.norm_forward = nn.LayerNorm(size), nn.LayerNorm(size)
        self.q = nn.Linear(size, size, bias=False)
        self.kv = nn.Linear(size, 2 * size, bias=False)
        self.out = nn.Linear(size, size, bias=False)
        self.ages = nn.Parameter(torch.randn(heads, window, size // heads) * size**-0.5)
        self.forward_part = nn.Sequential(
            nn.Linear(size, 2 * size), nn.ReLU(), nn.Linear(2 * size, size)
        )

    def forward(self, rows: Tensor, forbidden: Tensor) -> Tensor:
        """Attend from the last T of rows [B, W - 1 + T, D]; forbidden is 0 or -inf."""
        steps, normed = rows.shape[1] - self.window + 1, self.norm_attention(rows)
        q = self.q(normed[:, -steps:]).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        kv = self.kv(normed).unflatten(-1, (2, self.heads, -1))
        k, v = kv[:, :, 0].transpose(1, 2), kv[:, :, 1].transpose(1, 2)
        by_age = (q * q.shape[-1] ** -0.5) @ self.ages.transpose(1, 2)
        read = F.scaled_dot_product_attention(q, k, v, attn_mask=self.by_key(by_age) + forbidden)
        h = rows[:, -steps:] + self.out(read.transpose(1, 2).flatten(2))
        return h + self.forward_part(self.norm_forward(h))

    def by_key(self, by_age: Tensor) -> Tensor:
        """Move scores of ages to the keys that have them: rows one longer, cut anew."""
        batch, heads, steps, window = by_age.shape
        keys = window - 1 + steps
        padded = F.pad(by_age.flip(-1), (0, steps)).flatten(2)
        return padded[:, :, : steps * keys].view(batch, heads, steps, keys)


class WindowTransformer(nn.Module):
    """Blocks over the last W steps; what each read is carried (Vaswani et al. 2017)."""

    def __init__(self, inputs: int, size: int, window: int = 32, layers: int = 2, heads: int = 4):
        super().__init__()
        self.window = window
        self.embed, self.norm = nn.Linear(inputs, size), nn.LayerNorm(size)
        self.blocks = nn.ModuleList(WindowBlock(size, window, heads) for _ in range(layers))

    def initial(self, rows: int) -> tuple[list[Tensor], Tensor]:
        """Return what the layers read before, and which of those steps there were."""
        size = self.embed.out_features
        old = [torch.zeros(rows, self.window - 1, size) for _ in self.blocks]
        return old, torch.zeros(rows, self.window - 1, dtype=torch.bool)

    def forward(self, xs: Tensor, state: tuple[list[Tensor], Tensor]):
        """Read [B, T, I]; return [B, T, D] and the state."""
        old, valid = state
        steps, kept = xs.shape[1], self.window - 1
        valid = torch.cat([valid, valid.new_ones(xs.shape[:2])], 1)
        age = torch.arange(steps)[:, None] + kept - torch.arange(kept + steps)
        allowed = (age >= 0) & (age < self.window) & valid[:, None, None]
        forbidden = torch.zeros(allowed.shape).masked_fill(~allowed, -torch.inf)
        h, new = self.embed(xs), []
        for block, before in zip(self.blocks, old, strict=True):
            rows = torch.cat([before, h], 1)
            new.append(rows[:, -kept:])
            h = block(rows, forbidden)
        return self.norm(h), (new, valid[:, -kept:])


class NTM(nn.Module):
    """Neural Turing Machine, LSTM controller, one head that reads and one that writes."""

    def __init__(self, inputs: int, size: int, slots: int = 32, width: int = 16):
        super().__init__()
        self.width = width
        self.controller = nn.LSTMCell(inputs + width, size)
        self.parts = [2 * width, 2, 2, 6, 2, width, width]
        self.heads = nn.Linear(size, sum(self.parts))
        self.output = nn.Linear(size + width, size)
        self.begin = nn.Parameter(torch.randn(2, slots))

    def initial(self, rows: int) -> tuple[Pair, Tensor, Tensor, Tensor]:
        """Return the controller's state, the reads, the memory and the heads' weights."""
        zero = torch.zeros(rows, self.controller.hidden_size)
        memory = torch.full((rows, self.begin.shape[1], self.width), 1e-6)
        weights = self.begin.detach().softmax(1).expand(rows, -1, -1)
        return (zero, zero), memory[:, 0], memory, weights

    def forward(self, xs: Tensor, state: tuple[Pair, Tensor, Tensor, Tensor]):
        """Read [B, T, I]; return [B, T, D] and the state."""
        outputs = []
        for x in xs.unbind(1):
            state, both = self.step(x, state)
            outputs.append(both)
        return self.output(torch.stack(outputs, 1)).clamp(-20, 20), state

    def step(self, x: Tensor, state: tuple[Pair, Tensor, Tensor, Tensor]):
        """Address both heads, read, then write."""
        controller, read, memory, weights = state
        controller = self.controller(torch.cat([x, read], 1), controller)
        given = self.heads(controller[0]).clamp(-20, 20)
        keys, strength, gate, shift, power, erase, add = given.split(self.parts, 1)
        keys = keys.tanh().view(-1, 2, self.width)
        cosine = F.normalize(keys, dim=2) @ F.normalize(memory, dim=2).transpose(1, 2)
        found = (F.softplus(strength)[:, :, None] * cosine).softmax(2)
        weights = torch.lerp(weights, found, gate.sigmoid()[:, :, None])
        shift = shift.view(-1, 2, 3).softmax(2)[:, :, None]
        moved = torch.stack([weights.roll(-1, 2), weights, weights.roll(1, 2)], 3)
        weights = (moved * shift).sum(3).clamp_min(1e-12) ** (1 + F.softplus(power))[:, :, None]
        weights = weights / weights.sum(2, keepdim=True)
        read = (weights[:, :1] @ memory)[:, 0]
        write = weights[:, 1, :, None]
        memory = memory * (1 - write * erase.sigmoid()[:, None]) + write * add.tanh()[:, None]
        return (controller, read, memory, weights), torch.cat([controller[0], read], 1)


class RIM(nn.Module):
    """Recurrent independent mechanisms: N LSTMs, of which A advance (Goyal et al. 2021)."""

    def __init__(self, inputs: int, size: int, mechanisms: int = 4, active: int = 3):
        super().__init__()
        self.active, units, keys, values, heads, wide = active, size // mechanisms, 16, 32, 2, 32
        self.heads, self.scale = heads, keys**-0.5
        self.key = nn.Linear(inputs, keys, bias=False)
        self.value = nn.Linear(inputs, values, bias=False)

        def weight(*shape: int) -> nn.Parameter:
            return nn.Parameter((2 * torch.rand(mechanisms, *shape) - 1) * shape[0] ** -0.5)

        self.query = weight(units, keys)
        self.cell, self.bias = weight(values + units, 4 * units), weight(1, 4 * units)
        self.comm_in, self.comm_out = weight(units, 3 * wide), weight(wide, units)
        self.begin = nn.Parameter(torch.rand(mechanisms, 1, units) - 0.5)

    def initial(self, rows: int) -> Pair:
        """Return h and c, [N, B, D]."""
        h = self.begin.detach().expand(-1, rows, -1)
        return h, torch.zeros_like(h)

    def forward(self, xs: Tensor, state: Pair):
        """Read [B, T, I]; return [B, T, N * D] and the state."""
        outputs = []
        for key, value in zip(self.key(xs).unbind(1), self.value(xs).unbind(1), strict=True):
            state = self.step(key, value, state)
            outputs.append(state[0])
        return torch.stack(outputs).permute(2, 0, 1, 3).flatten(2), state

    def step(self, key: Tensor, value: Tensor, state: Pair) -> Pair:
        """Compete for the input, advance the winners, let them read all others."""
        h, c = state
        # The row of zeros has logit 0, so that the softmax over it and x is a sigmoid.
        looks = ((h @ self.query * key).sum(2, keepdim=True) * self.scale).sigmoid()
        mask = torch.zeros_like(looks).scatter(0, looks.topk(self.active, 0).indices, 1.0).bool()
        gates = torch.baddbmm(self.bias, torch.cat([looks * value, h], 2), self.cell)
        i, f, g, o = gates.chunk(4, 2)
        moved_c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        moved_h = torch.where(mask, o.sigmoid() * moved_c.tanh(), h)
        h = torch.where(mask, moved_h + self.exchange(moved_h), moved_h)
        return h, torch.where(mask, moved_c, c)

    def exchange(self, h: Tensor) -> Tensor:
        """Return what each mechanism reads from all."""
        mixed = (h @ self.comm_in).unflatten(2, (self.heads, 3, -1))
        q, k, v = mixed.permute(3, 1, 2, 0, 4)
        read = F.scaled_dot_product_attention(q, k, v)
        return read.permute(2, 0, 1, 3).flatten(2) @ self.comm_out


class PackagedDNC(nn.Module):
    """The DNC of the `dnc` package; its state goes in and comes out."""

    def __init__(self, inputs: int, size: int, slots: int = 16, width: int = 16):
        super().__init__()
        import dnc

        sizes = {"nr_cells": slots, "cell_size": width, "read_heads": 2, "num_hidden_layers": 1}
        self.dnc = dnc.DNC(inputs, size, **sizes, gpu_id=-1)

    def initial(self, rows: int) -> tuple[None, None, None]:
        """Return what the package takes for a beginning."""
        return None, None, None

    def forward(self, xs: Tensor, state: tuple):
        """Read [B, T, I]; return [B, T, D] and the state."""
        return self.dnc(xs, tuple(state))


def make(name: str, inputs: int, size: int, rows: int) -> tuple[nn.Module, object]:
    """Return a memory and its state before the first window."""
    zero = torch.zeros(1, rows, size)
    if name == "lstm":
        return nn.LSTM(inputs, size, batch_first=True), (zero, zero)
    if name == "gru":
        return nn.GRU(inputs, size, batch_first=True), zero
    kinds = {"window-transformer": WindowTransformer, "ntm": NTM, "rim": RIM, "dnc": PackagedDNC}
    memory = kinds[name](inputs, size)
    return memory, memory.initial(rows)


class Runner:
    """Trains one memory for as long as it is told; `memories_torch.py` speaks to it."""

    def __init__(self, name: str, form: str):
        hidden, width = torch_program.SIZES["lstm64"]
        rows, window = torch_program.ROWS, torch_program.WINDOW
        memory, state = make(name, torch_program.ENCODED, hidden, rows)
        self.training = torch_program.Training(memory, state, hidden, width, window)
        if form == "compiled":
            self.training.forward = torch.compile(self.training.model)
        begin = time.perf_counter()
        for _ in range(3):
            self.training.update()
        self.about = {
            "parameters": sum(p.numel() for p in memory.parameters()),
            "of_program": sum(p.numel() for p in self.training.model.parameters()),
            "start_s": round(time.perf_counter() - begin, 1),
        }

    def measure(self, seconds: float) -> dict:
        """Return sequence-steps a second and the last loss."""
        times, end = [], time.perf_counter() + seconds
        while time.perf_counter() < end:
            begin = time.perf_counter()
            loss = self.training.update()
            times.append(time.perf_counter() - begin)
        steps = torch_program.ROWS * torch_program.WINDOW
        return {"rate": steps / statistics.median(times), "loss": float(loss)}


def main() -> None:
    """Answer each number of seconds on standard input with one line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory", required=True)
    parser.add_argument("--form", choices=("eager", "compiled"), default="eager")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    runner = Runner(args.memory, args.form)
    print(json.dumps({"torch": torch.__version__, **runner.about}), flush=True)
    for line in sys.stdin:
        print(json.dumps(runner.measure(float(line))), flush=True)


if __name__ == "__main__":
    main()
