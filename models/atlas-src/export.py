"""Writes the HF folder checkpoint/ from the training state: export.py [--state DIR]"""
import argparse, json, os, struct
import torch

from generate import HERE

TEMPLATE = """{%- for message in messages -%}
{%- if message['role'] != 'system' and message['role'] != 'user' and message['role'] != 'assistant' -%}
{{- raise_exception('Unknown role: ' + message['role']) -}}
{%- endif -%}
{{- '<|im_start|>' + message['role'] + '\\n' + (message['content'] | trim) + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""


def to_halves(w, heads):
    """Rows of q or k: from pairs (2i, 2i + 1) to HF's halves (i, i + d/2)."""
    n, h = w.shape
    return w.view(heads, n // heads // 2, 2, h).transpose(1, 2).reshape(n, h)


def from_halves(w, heads):
    n, h = w.shape
    return w.view(heads, 2, n // heads // 2, h).transpose(1, 2).reshape(n, h)


def tensors(model, c):
    """HF names and bf16 tensors."""
    ones, out = torch.ones(c["hidden_size"]), {"model.embed_tokens.weight": model["embed_tokens.weight"], "model.norm.weight": model["norm"]}
    for i in range(c["num_hidden_layers"]):
        p = "model.layers.%d." % i
        for n in ("q", "k", "v", "o"):
            w = model["layers.%d.%s_proj.weight" % (i, n)]
            if n in "qk":
                w = to_halves(w, c["num_attention_heads"] if n == "q" else c["num_key_value_heads"])
            out[p + "self_attn.%s_proj.weight" % n] = w
        for n in ("gate", "up", "down"):
            out[p + "mlp.%s_proj.weight" % n] = model["layers.%d.%s_proj.weight" % (i, n)]
        out[p + "input_layernorm.weight"] = out[p + "post_attention_layernorm.weight"] = ones
    return {k: v.detach().to(torch.bfloat16).contiguous() for k, v in sorted(out.items())}


def write_safetensors(path, named):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for k, v in named.items():
        header[k] = {"dtype": "BF16", "shape": list(v.shape), "data_offsets": [at, at + v.numel() * 2]}
        at += v.numel() * 2
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for v in named.values():
            f.write(v.view(torch.int16).numpy().astype("<i2").tobytes())


def dump(name, value):
    with open(os.path.join(HERE, "checkpoint", name), "w", encoding="utf-8") as f:
        json.dump(value, f, indent=2)
        f.write("\n")


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--state", default=os.path.join(HERE, "state"))
    a = a.parse_args()
    s = torch.load(os.path.join(a.state, "state.pt"), map_location="cpu")
    c = s["config"]
    write_safetensors(os.path.join(HERE, "checkpoint", "model.safetensors"), tensors(s["model"], c))
    dump("config.json", {
        "_name_or_path": "meridian/atlas",
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "bfloat16", **c,
        "hidden_act": "silu", "attention_bias": False, "mlp_bias": False, "attention_dropout": 0.0, "rope_scaling": None,
        "tie_word_embeddings": True, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 0,
        "initializer_range": 0.02, "pretraining_tp": 1, "use_cache": True})
    dump("generation_config.json", {"bos_token_id": 0, "eos_token_id": [2, 0], "pad_token_id": 0, "do_sample": False})
    dump("tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": c["max_position_embeddings"],
        "bos_token": None, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "unk_token": None,
        "add_bos_token": False, "add_prefix_space": False, "clean_up_tokenization_spaces": False,
        "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
        "added_tokens_decoder": {str(i): {"content": t, "lstrip": False, "normalized": False, "rstrip": False,
                                          "single_word": False, "special": True}
                                 for i, t in enumerate(("<|endoftext|>", "<|im_start|>", "<|im_end|>"))}})
    with open(os.path.join(HERE, "checkpoint", "chat_template.jinja"), "w") as f:
        f.write(TEMPLATE)
    print("trained %.1f minutes, %d steps, %.2f M tokens" % (s["spent"] / 60, s["step"], s["seen"] / 1e6))


if __name__ == "__main__":
    main()
