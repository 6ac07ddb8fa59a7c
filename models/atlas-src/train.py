"""Trains Atlas on dialogues generated on the fly. Resumable: train.py continues from state.pt if it is there.

  train.py --minutes 75 --state DIR [--lr 2e-3] [--stop-after MINUTES]

The schedule follows the training clock (the minutes spent in training so far, kept in the state), so the
run takes the given minutes on any machine and an interruption costs nothing but the steps since the last save.
"""
import argparse, json, os, time
from concurrent.futures import ThreadPoolExecutor

# Two threads take half a batch each, with single-threaded matrix products: on a shared machine this loses far
# less than products split over the cores, which wait for each other. Must be set before numpy and torch load.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy as np
import torch
import torch.nn.functional as F

from generate import Generator, HERE
from model import CONFIG, Llama, quantise
from tokenizer_train import Tokenizer

TOKENS = 2048            # of a batch, padding included
CHUNK = 8000            # dialogues generated at a time and cut into batches of like length
SEED = 1000


def batches(tok, rows_ids):
    """Sorts (ids, target) rows by length and cuts them into padded batches of about TOKENS tokens."""
    rows_ids = sorted(rows_ids, key=lambda r: len(r[0]))
    out, at = [], 0
    while at < len(rows_ids):
        n = max(1, TOKENS // len(rows_ids[at][0]))
        while n > 1 and n * len(rows_ids[min(at + n, len(rows_ids)) - 1][0]) > TOKENS:
            n -= 1
        part = rows_ids[at:at + n]
        at += n
        width = max(len(r[0]) for r in part)
        ids, target = np.zeros((len(part), width), np.int64), np.zeros((len(part), width), np.int64)
        for i, (a, b) in enumerate(part):
            ids[i, :len(a)] = a
            target[i, :len(b)] = b
        out.append((ids, target))
    return out


def stream(tok, chunk):
    """Endless batches; chunk k is generated from its own seed."""
    while True:
        g = Generator(SEED + chunk)
        rows = [tok.chat(g.dialogue()) for _ in range(CHUNK)]
        rows = [(i[:512], t[:512]) for i, t in rows]
        out = batches(tok, rows)
        np.random.RandomState(SEED + chunk).shuffle(out)
        chunk += 1
        for b in out:
            yield chunk, b


def select(batch):
    """Flat positions which predict a reply token, and those tokens."""
    ids, target = batch
    rows = np.flatnonzero(np.concatenate([target[:, 1:], np.zeros((len(ids), 1), np.int64)], 1))
    return torch.from_numpy(ids), torch.from_numpy(rows), torch.from_numpy(ids.reshape(-1)[rows + 1])


def accuracy(model, tok, questions, w=lambda m: m.weight):
    """Exact matches under greedy decoding. Greedy decoding gives the reply iff each of its tokens is the
    argmax after the ones before, so one forward pass over question and reply decides."""
    rows = []
    for n, q in enumerate(questions):
        ids, target = tok.chat(q["messages"] + [{"role": "assistant", "content": q["answer"]}])
        last = max(i for i, x in enumerate(target) if x)
        first = last
        while target[first - 1]:
            first -= 1
        rows.append((ids[:last + 1], [0] * first + [n + 1] * (last + 1 - first)))
    right = np.ones(len(questions), bool)
    with torch.no_grad():
        for ids, target in batches(tok, rows):
            x, at, gold = select((ids, target))
            wrong = (model(x, at, w).argmax(-1) != gold).numpy()
            right[target.reshape(-1)[at.numpy() + 1][wrong] - 1] = False
    return right


class FakeQuant:
    """int4 weights with straight-through gradients. The block scales are searched anew every few steps."""

    def __init__(self):
        self.scale, self.age = {}, {}

    def __call__(self, m):
        p = m.weight
        with torch.no_grad():
            n = self.age.get(m, 0)
            if n % 40 == 0:
                self.scale[m] = quantise(p, 4, 10)[1]
            self.age[m] = n + 1
            s = self.scale[m]
            q = (p.reshape(-1, 32) / s).round_().clamp_(-8, 7).mul_(s).view_as(p)
            q -= p
        return p + q


class Muon(torch.optim.Optimizer):
    """Momentum whose update is orthogonalised by five Newton-Schulz steps: for the matrices inside the layers."""

    def __init__(self, params, lr, pool, momentum=0.95, weight_decay=0.0):
        self.pool = pool
        super().__init__(list(params), {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    def step(self):
        for g in self.param_groups:
            list(self.pool.map(lambda p: self.update(p, g), g["params"]))

    @torch.no_grad()
    def update(self, p, g):
        m = self.state[p].setdefault("m", torch.zeros_like(p))
        m.lerp_(p.grad, 1 - g["momentum"])
        x = p.grad.lerp(m, g["momentum"])
        tall = x.shape[0] > x.shape[1]
        x = x.T if tall else x
        x = x / (x.norm() + 1e-7)
        for _ in range(5):
            a = x @ x.T
            x = torch.addmm(x, torch.addmm(a, a, a, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
        x = x.T if tall else x
        p.mul_(1 - g["lr"] * g["weight_decay"])
        p.add_(x, alpha=-g["lr"] * 0.2 * max(p.shape) ** 0.5)   # about the size of an Adam update


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--minutes", type=float, default=75)
    a.add_argument("--stop-after", type=float, default=1e9)
    a.add_argument("--lr", type=float, default=2e-3)
    a.add_argument("--embed-lr", type=float, default=3e-3)
    a.add_argument("--optimizer", default="muon", choices=["muon", "adamw"])
    a.add_argument("--qat-from", type=float, default=0.8)
    a.add_argument("--state", default=os.path.join(HERE, "state"))
    a.add_argument("--tokens", type=int, default=TOKENS)
    a = a.parse_args()
    globals()["TOKENS"] = a.tokens
    torch.set_num_threads(1)
    pool = ThreadPoolExecutor(2)
    torch.manual_seed(1)
    os.makedirs(a.state, exist_ok=True)
    path, tok = os.path.join(a.state, "state.pt"), Tokenizer()
    c = dict(CONFIG, vocab_size=len(tok.vocab))
    model = Llama(c)
    matrices = [p for p in model.layers.parameters() if p.dim() == 2]
    params, quantised = list(model.parameters()), [m for m in model.modules() if isinstance(m, (torch.nn.Linear, torch.nn.Embedding))]
    others = [p for p in model.parameters() if not any(p is q for q in matrices)]
    if a.optimizer == "muon":
        opts = [Muon(matrices, a.lr, pool, weight_decay=0.05), torch.optim.AdamW(others, a.embed_lr, (0.9, 0.98), weight_decay=0.01)]
    else:
        opts = [torch.optim.AdamW(matrices + others, a.lr, (0.9, 0.98), weight_decay=0.05)]
    for o in opts:
        for g in o.param_groups:
            g["base"] = g["lr"]
    step = chunk = seen = 0
    spent = 0.0
    if os.path.exists(path):
        s = torch.load(path)
        model.load_state_dict(s["model"])
        for o, d in zip(opts, s["opts"]):
            o.load_state_dict(d)
        step, chunk, seen, spent = s["step"], s["chunk"], s["seen"], s["spent"]
    with open(os.path.join(HERE, "questions.jsonl"), encoding="utf-8") as f:
        questions = [json.loads(l) for l in f][::8]
    print("parameters", sum(p.numel() for p in model.parameters()), "from step", step, flush=True)

    def save():
        torch.save({"model": model.state_dict(), "opts": [o.state_dict() for o in opts], "config": c, "step": step,
                    "chunk": chunk, "seen": seen, "spent": spent}, path + ".new")
        os.replace(path + ".new", path)

    fake, total, losses = FakeQuant(), a.minutes * 60, []
    saved = shown = evaluated = spent
    for chunk, batch in stream(tok, chunk):
        t0 = time.time()
        part = spent / total
        # warm-up, then constant, then linear decay to zero over the last half
        f = min(1, (step + 1) / 100) * min(1, 2 * (1 - min(part, 1)) + 0.005)
        for o in opts:
            for g in o.param_groups:
                g["lr"] = g["base"] * f
        # every other step of the last part sees int4 weights, so that both precisions work
        qat = part > a.qat_from and step % 2
        weights = {m: fake(m) for m in quantised} if qat else None
        count = int(batch[1][:, 1:].sum())

        def half(k):
            ids, rows, gold = select((batch[0][k::2], batch[1][k::2]))
            if not len(rows):
                return 0.0, None
            logits = model(ids, rows, weights.get) if qat else model(ids, rows)
            loss = F.cross_entropy(logits, gold, reduction="sum") / count
            return loss.item(), torch.autograd.grad(loss, params)

        results = list(pool.map(half, range(2)))
        grads = [r[1] for r in results if r[1] is not None]
        for i, p in enumerate(params):
            p.grad = grads[0][i] if len(grads) == 1 else grads[0][i] + grads[1][i]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for o in opts:
            o.step()
        step += 1
        seen += int((batch[1] >= 0).sum())
        losses.append(sum(r[0] for r in results))
        spent += time.time() - t0
        if spent - shown > 20:
            print("min %.1f step %d tokens %.2fM loss %.4f lr %.5f tok/s %.0f" % (
                spent / 60, step, seen / 1e6, np.mean(losses), opts[0].param_groups[0]["lr"], seen / spent), flush=True)
            losses, shown = [], spent
        done = spent >= total or spent >= a.stop_after * 60
        if spent - evaluated > 240 or done:
            t0 = time.time()
            r = accuracy(model, tok, questions)
            wrong = {}
            for q, ok in zip(questions, r):
                wrong[q["kind"]] = wrong.get(q["kind"], 0) + (not ok)
            spent += time.time() - t0
            print("held-out sample %.1f %% of %d; wrong: %s" % (100 * r.mean(), len(r), {k: v for k, v in wrong.items() if v}), flush=True)
            evaluated = spent
        if spent - saved > 180 or done:
            save()
            saved = spent
        if done:
            break


if __name__ == "__main__":
    main()
