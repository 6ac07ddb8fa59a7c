"""The Llama architecture in plain torch (float32), small enough to read at once."""
import math
import torch
import torch.nn as nn
import torch.nn.functional as F

CONFIG = {
    "vocab_size": 3072, "hidden_size": 192, "intermediate_size": 512, "num_hidden_layers": 4,
    "num_attention_heads": 6, "num_key_value_heads": 3, "head_dim": 32,
    "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
}


class RmsNorm(torch.autograd.Function):
    """x / rms(x), with few passes over memory: on a CPU the elementwise work costs as much as the matrices."""

    @staticmethod
    def forward(ctx, x, eps):
        inv = torch.linalg.vector_norm(x, dim=-1, keepdim=True).pow_(2).div_(x.shape[-1]).add_(eps).rsqrt_()
        y = x * inv
        ctx.save_for_backward(y, inv)
        return y

    @staticmethod
    def backward(ctx, g):
        y, inv = ctx.saved_tensors
        dot = (g * y).mean(-1, keepdim=True)
        return torch.addcmul(g, y, dot, value=-1).mul_(inv), None


class Layer(nn.Module):
    """One block. The two norms have no gain of their own (exported as ones): the matrices after them absorb it.

    RoPE turns neighbouring pairs here, as complex numbers; export.py permutes the rows of q and k to the halves of HF.
    """

    def __init__(self, c):
        super().__init__()
        h, f, d = c["hidden_size"], c["intermediate_size"], c["head_dim"]
        self.heads, self.kv, self.d, self.eps = c["num_attention_heads"], c["num_key_value_heads"], d, c["rms_norm_eps"]
        self.q_proj = nn.Linear(h, self.heads * d, bias=False)
        self.k_proj = nn.Linear(h, self.kv * d, bias=False)
        self.v_proj = nn.Linear(h, self.kv * d, bias=False)
        self.o_proj = nn.Linear(self.heads * d, h, bias=False)
        self.gate_proj = nn.Linear(h, f, bias=False)
        self.up_proj = nn.Linear(h, f, bias=False)
        self.down_proj = nn.Linear(f, h, bias=False)

    def forward(self, x, shape, turn, mask, w, rows=None):
        """x: (batch * time, hidden); w(linear) gives the weight to use; rows: only these positions go on."""
        b, t = shape
        n = RmsNorm.apply(x, self.eps)
        qkv = F.linear(n, torch.cat((w(self.q_proj), w(self.k_proj), w(self.v_proj))))
        both = self.heads + self.kv
        qk = qkv[:, :both * self.d].reshape(b, t, both, self.d // 2, 2)
        qk = torch.view_as_real(torch.view_as_complex(qk) * turn).view(b, t, both, self.d).transpose(1, 2)
        v = qkv[:, both * self.d:].view(b, t, self.kv, self.d).transpose(1, 2).reshape(b * self.kv, t, self.d)
        # the query heads which share a key head are laid one after the other along the time axis
        q = qk[:, :self.heads].reshape(b * self.kv, -1, self.d)
        k = qk[:, self.heads:].reshape(b * self.kv, t, self.d)
        s = torch.baddbmm(mask, q, k.transpose(1, 2), alpha=1 / math.sqrt(self.d))
        y = torch.bmm(s.softmax(-1), v).view(b, self.heads, t, self.d).transpose(1, 2).reshape(b * t, -1)
        if rows is not None:
            x, y = x[rows], y[rows]
        x = x + F.linear(y, w(self.o_proj))
        n = F.linear(RmsNorm.apply(x, self.eps), torch.cat((w(self.gate_proj), w(self.up_proj))))
        gate, up = n.chunk(2, -1)
        return x + F.linear(F.silu(gate) * up, w(self.down_proj))


class Llama(nn.Module):
    def __init__(self, c=CONFIG):
        super().__init__()
        self.c = c
        self.embed_tokens = nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.layers = nn.ModuleList(Layer(c) for _ in range(c["num_hidden_layers"]))
        self.norm = nn.Parameter(torch.ones(c["hidden_size"]))
        for p in self.parameters():
            if p.dim() == 2:
                nn.init.normal_(p, std=0.02)
        for l in self.layers:                      # residual branches start small
            for m in (l.o_proj, l.down_proj):
                nn.init.normal_(m.weight, std=0.02 / math.sqrt(2 * c["num_hidden_layers"]))
        t = torch.arange(c["max_position_embeddings"]).float()
        freq = c["rope_theta"] ** (-torch.arange(0, c["head_dim"], 2).float() / c["head_dim"])
        angle = torch.outer(t, freq)
        self.turn = torch.polar(torch.ones_like(angle), angle).unsqueeze(1)      # (time, 1, head_dim / 2)

    def forward(self, ids, rows, w=lambda m: m.weight):
        """Logits at the flat positions rows of the batch ids (right padded, so the causal mask suffices)."""
        b, t = ids.shape
        mask = torch.full((t, t), -1e9).triu(1).repeat(self.layers[0].heads // self.layers[0].kv, 1)
        emb = w(self.embed_tokens)
        x = F.embedding(ids.reshape(-1), emb)
        for l in self.layers:
            x = l(x, (b, t), self.turn[:t], mask, w, rows if l is self.layers[-1] else None)
        return F.linear(RmsNorm.apply(x, self.c["rms_norm_eps"]) * self.norm, emb)


def quantise(x, bits, steps=1, block=32):
    """Symmetric weight quantisation by blocks along the input dimension; returns the values it stands for.

    The scale of a block is searched among `steps` candidates for the least squared error.
    """
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    b = x.reshape(-1, block)
    at = b.abs().argmax(-1, keepdim=True)
    top = b.gather(1, at)                          # signed: the largest value may lie on the longer, negative side
    best, error = None, None
    for i in range(steps):
        for base in (top / low, top.abs() / high):
            s = base * (1 - 0.4 * i / max(steps, 1) if bits == 4 else 1)
            s = torch.where(s == 0, torch.ones_like(s), s)
            y = (b / s).round().clamp(low, high) * s
            e = (y - b).pow(2).sum(-1, keepdim=True)
            if best is None:
                best, error = s, e
            else:
                best, error = torch.where(e < error, s, best), torch.minimum(e, error)
    return (b / best).round().clamp(low, high).mul(best).view_as(x), best
