"""Exact matches of checkpoint/ on questions.jsonl, greedy, with bf16 weights and simulated int8 and int4 weights.

  evaluate.py [--generate N] [--show N] [--second]   also decodes N questions token by token / prints N wrong replies
"""
import argparse, json, os, random, struct
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from train import accuracy                 # first: it sets the threads of the matrix products
import torch

from export import from_halves
from generate import HERE, all_facts, fill, upper_first
from model import Llama, quantise
from tokenizer_train import Tokenizer


def read_safetensors(path):
    with open(path, "rb") as f:
        n, = struct.unpack("<Q", f.read(8))
        header, data = json.loads(f.read(n)), f.read()
    out = {}
    for k, v in header.items():
        if k != "__metadata__":
            a, b = v["data_offsets"]
            out[k] = torch.frombuffer(bytearray(data[a:b]), dtype=torch.bfloat16).view(v["shape"]).float()
    return out


def load(folder=os.path.join(HERE, "checkpoint"), bits=None):
    """The model in float32 as the files say it; bits: each matrix goes through block quantisation first."""
    with open(os.path.join(folder, "config.json")) as f:
        c = json.load(f)
    t = read_safetensors(os.path.join(folder, "model.safetensors"))
    if bits:
        t = {k: quantise(v, bits, 20 if bits == 4 else 1)[0] if v.dim() == 2 else v for k, v in t.items()}
    model, state = Llama(c), {"embed_tokens.weight": t["model.embed_tokens.weight"], "norm": t["model.norm.weight"]}
    for k, v in t.items():
        p = k.split(".")
        if p[1] == "layers" and p[-2].endswith("_proj"):
            if p[-2] in ("q_proj", "k_proj"):
                v = from_halves(v, c["num_attention_heads"] if p[-2] == "q_proj" else c["num_key_value_heads"])
            state["layers.%s.%s.weight" % (p[2], p[-2])] = v
        elif p[1] == "layers":
            assert bool((v == 1).all())                    # the norms in the layers have no gain
    model.load_state_dict(state)
    return model


def reply(model, tok, messages, limit=48):
    ids, _ = tok.chat(messages, generate=True)
    start = len(ids)
    with torch.no_grad():
        while len(ids) - start < limit:
            n = int(model(torch.tensor([ids]), torch.tensor([len(ids) - 1])).argmax())
            if n in (0, 2):
                break
            ids.append(n)
    return tok.decode(ids[start:])


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--generate", type=int, default=0)
    a.add_argument("--show", type=int, default=0)
    a.add_argument("--second", action="store_true")
    a = a.parse_args()
    torch.set_num_threads(1)
    tok = Tokenizer()
    with open(os.path.join(HERE, "questions.jsonl"), encoding="utf-8") as f:
        questions = [json.loads(l) for l in f]
    if a.second:                                            # 40 facts with each phrasing of heldout-second.json
        rng, facts = random.Random(3), all_facts()
        with open(os.path.join(HERE, "heldout-second.json")) as f:
            questions = [{"kind": k, "messages": [{"role": "user", "content": upper_first(fill(p, x.slots))}], "answer": x.answer}
                         for k, forms in json.load(f).items() for p in forms
                         for x in rng.sample([x for x in facts if x.kind == k], 40)]
    kinds = Counter(q["kind"] for q in questions)
    with ThreadPoolExecutor(2) as pool:
        right = dict(zip(("bf16", "int8", "int4"), pool.map(lambda b: accuracy(load(bits=b), tok, questions), (None, 8, 4))))
    print("%-18s %6s %7s %7s %7s" % ("kind", "count", *right))
    for k in kinds:
        print("%-18s %6d" % (k, kinds[k]), *("%6.1f%%" % (100 * sum(r for r, q in zip(v, questions) if q["kind"] == k) / kinds[k]) for v in right.values()))
    print("%-18s %6d" % ("all", len(questions)), *("%6.2f%%" % (100 * v.mean()) for v in right.values()))
    model = load()
    if a.generate:                                          # the real thing, to confirm the one-pass measure
        step = max(1, len(questions) // a.generate)
        same = [(reply(model, tok, q["messages"]) == q["answer"]) == r for q, r in list(zip(questions, right["bf16"]))[::step]]
        print("decoded token by token: %d of %d agree with the one-pass measure" % (sum(same), len(same)))
    wrong = [q for q, r in zip(questions, right["bf16"]) if not r]
    for q in wrong[::max(1, len(wrong) // a.show)] if a.show else []:
        print(q["kind"], "|", q["messages"][-1]["content"], "|", reply(model, tok, q["messages"]), "|", q["answer"])


if __name__ == "__main__":
    main()
