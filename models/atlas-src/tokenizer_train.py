"""Byte-level BPE: training on generated dialogues, the HF tokenizer.json, and an encoder.

  tokenizer_train.py            trains and writes checkpoint/tokenizer.json
  tokenizer_train.py check      self-check of the encoder against tokenizer.json
"""
import json, os, sys
from collections import Counter, defaultdict
import regex

from generate import Generator, HERE, all_facts

VOCAB = 3072
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]      # ids 0, 1, 2
# the pre-tokenisation of GPT-2, which ByteLevel(use_regex=true) applies
PIECE = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
PATH = os.path.join(HERE, "checkpoint", "tokenizer.json")


def byte_symbols():
    """The GPT-2 table byte -> printable character."""
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table, n = {}, 0
    for b in range(256):
        if b in keep:
            table[b] = chr(b)
        else:
            table[b] = chr(256 + n)
            n += 1
    return table


SYMBOL = byte_symbols()
BYTE = {c: b for b, c in SYMBOL.items()}


def pieces(text):
    return ["".join(SYMBOL[b] for b in p.encode("utf-8")) for p in PIECE.findall(text)]


def train(counts, size):
    """Plain BPE with incremental pair counts; ties go to the smaller pair, so that runs repeat."""
    words = [(list(w), n) for w, n in sorted(counts.items())]
    pair_count, where = Counter(), defaultdict(set)
    for i, (w, n) in enumerate(words):
        for p in zip(w, w[1:]):
            pair_count[p] += n
            where[p].add(i)
    merges = []
    while len(merges) < size:
        top = max(pair_count.values())
        best = min(p for p, n in pair_count.items() if n == top)
        merges.append(best)
        for i in where.pop(best):
            w, n = words[i]
            for p in zip(w, w[1:]):
                pair_count[p] -= n
            k = 0
            while k < len(w) - 1:
                if (w[k], w[k + 1]) == best:
                    w[k:k + 2] = [w[k] + w[k + 1]]
                k += 1
            for p in zip(w, w[1:]):
                pair_count[p] += n
                where[p].add(i)
        pair_count.pop(best, None)
    return merges


def write(merges):
    vocab = {s: i for i, s in enumerate(SPECIAL)}
    for b in range(256):
        vocab[SYMBOL[b]] = len(vocab)
    for a, b in merges:
        vocab.setdefault(a + b, len(vocab))
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    os.makedirs(os.path.dirname(PATH), exist_ok=True)
    with open(PATH, "w", encoding="utf-8") as f:
        json.dump({
            "version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [{"id": i, "content": s, "single_word": False, "lstrip": False, "rstrip": False,
                              "normalized": False, "special": True} for i, s in enumerate(SPECIAL)],
            "normalizer": None, "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                      "vocab": vocab, "merges": [a + " " + b for a, b in merges]},
        }, f, ensure_ascii=False, indent=0)
        f.write("\n")


class Tokenizer:
    """Encodes as a HF ByteLevel BPE tokenizer does, reading tokenizer.json."""

    def __init__(self, path=PATH):
        with open(path, encoding="utf-8") as f:
            data = json.load(f)
        self.vocab = data["model"]["vocab"]
        self.rank = {tuple(m.split(" ")): i for i, m in enumerate(data["model"]["merges"])}
        self.token = {i: t for t, i in self.vocab.items()}
        self.cache, self.text_cache = {}, {}

    def piece(self, raw):
        ids = self.cache.get(raw)
        if ids is None:
            w = [SYMBOL[b] for b in raw.encode("utf-8")]
            while len(w) > 1:
                rank, k = min((self.rank.get(p, 1 << 30), k) for k, p in enumerate(zip(w, w[1:])))
                if rank == 1 << 30:
                    break
                w[k:k + 2] = [w[k] + w[k + 1]]
            ids = [self.vocab[t] for t in w]
            if len(self.cache) < 200000:
                self.cache[raw] = ids
        return ids

    def encode(self, text):
        """Ordinary text, without special tokens."""
        out = []
        for p in PIECE.findall(text):
            out += self.piece(p)
        return out

    def decode(self, ids):
        return bytes(BYTE[c] for i in ids if i >= len(SPECIAL) for c in self.token[i]).decode("utf-8", "replace")

    def chat(self, messages, generate=False):
        """The ids of the chat template and, for each, whether the model has to predict it (1: in a reply)."""
        ids, target = [], []
        for m in messages:
            head, body = [1] + self.encode(m["role"] + "\n"), self.encode(m["content"].strip()) + [2]
            loss = 1 if m["role"] == "assistant" else 0
            tail = self.encode("\n")
            ids += head + body + tail
            target += [0] * len(head) + [loss] * len(body) + [0] * len(tail)
        if generate:
            head = [1] + self.encode("assistant\n")
            ids += head
            target += [0] * len(head)
        return ids, target


def main():
    g, counts = Generator(1), Counter()
    for _ in range(60000):
        for m in g.dialogue():
            counts.update(pieces(m["role"] + "\n"))
            counts.update(pieces(m["content"]))
    counts = Counter({w: n for w, n in counts.items() if n >= 4})     # typing errors and invented names are not learnt
    for f in all_facts():                                             # each number and name of a fact deserves tokens
        for text in (f.answer, f.answer.lower()):
            for w in pieces(text):
                counts[w] += 2
    for n in range(400):                                              # numbers are one token, with and without a space
        for w in (str(n), "\u0120" + str(n)):
            if n <= 144:
                counts[w] += 100000 // (1 + len(str(n)))
    write(train(counts, VOCAB - 256 - len(SPECIAL)))
    t = Tokenizer()
    print(len(t.vocab), "tokens;", sum(len(t.encode(str(n))) == 1 and len(t.encode(" " + str(n))) == 1 for n in range(145)), "of 145 numbers in one token")


def check():
    """Slow and literal reading of the HF algorithm (merge the lowest rank, all its occurrences) against encode()."""
    t, g, n = Tokenizer(), Generator(99), 0

    def literal(text):
        out = []
        for w in pieces(text):
            w = list(w)
            while True:
                ranks = [t.rank[p] for p in zip(w, w[1:]) if p in t.rank]
                if not ranks:
                    break
                best, k, new = min(ranks), 0, []
                while k < len(w):
                    if k + 1 < len(w) and t.rank.get((w[k], w[k + 1])) == best:
                        new.append(w[k] + w[k + 1])
                        k += 2
                    else:
                        new.append(w[k])
                        k += 1
                w = new
            out += [t.vocab[x] for x in w]
        return out

    texts = ["\u00e9t\u00e9 \u4f60\u597d \U0001f600", "  two  spaces \n\n lines\t", "1st 22nd 3,000.5", "it's we'll O'Neil", "S\u00e3o Tom\u00e9", "x=1;y=2"]
    texts += [m["content"] for _ in range(3000) for m in g.dialogue()]
    for s in texts:
        ids = t.encode(s)
        assert ids == literal(s), s
        assert t.decode(ids) == s, s
        s = s.strip()
        for before in ("user\n", "assistant\n", "system\n"):           # text around the content changes nothing
            assert t.encode(before + s) == t.encode(before) + t.encode(s), s
        n += 1
    assert all(SYMBOL[b] in t.vocab for b in range(256)) and sorted(t.vocab.values()) == list(range(len(t.vocab)))
    print("tokenizer ok,", n, "texts")


if __name__ == "__main__":
    check() if sys.argv[1:] == ["check"] else main()
