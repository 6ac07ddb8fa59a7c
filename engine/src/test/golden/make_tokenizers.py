#!/usr/bin/python3
"""Writes the three tiny tokenizers of the engine.text tests under src/test/resources/tokenizers.

byte-level: GPT-2's alphabet, as of Qwen and Llama 3. byte-fallback: a sentencepiece BPE as of Llama 2, whose special
tokens strip blanks beside them. unigram: pieces with scores and a Metaspace decoder; its special tokens are pieces too.
"""
import json
import pathlib

OUT = pathlib.Path(__file__).resolve().parent.parent / "resources" / "tokenizers"
CHATML = ("{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
          "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
TURNS = ("{{ bos_token }}{% for message in messages %}{{ '<|user|>\n' + message.content + '<|end|>' }}{% endfor %}"
         "{{ '<|user|>' }}")


def alphabet():
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table, extra = {}, 0x100
    for b in range(256):
        table[b] = chr(b) if b in plain else chr(extra)
        extra += b not in plain
    return table


def added(id_, content, special=True, **flags):
    base = {"id": id_, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": special}
    return base | flags


def write(name, tokenizer, config):
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    base = {"version": "1.0", "truncation": {"direction": "Right", "max_length": 16, "strategy": "LongestFirst", "stride": 0},
            "padding": None}
    (folder / "tokenizer.json").write_text(json.dumps(base | tokenizer, ensure_ascii=True, indent=1) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, ensure_ascii=True, indent=1) + "\n")


def byte_level():
    letters = alphabet()
    words = [" the", " a", "ing", "er", " in", " user", "system", "hello", "\n\n", "def", "42", "日本", "🙂", "é", "ни"]
    merges, vocab = [], sorted(letters.values())
    for word in words:
        units = [letters[b] for b in word.encode("utf-8")]
        while len(units) > 1:
            pair = (units[0], units[1])
            if "".join(pair) not in vocab:
                merges.append(list(pair))
                vocab.append("".join(pair))
            units = ["".join(pair), *units[2:]]
    ids = {token: i for i, token in enumerate(vocab)}
    n = len(ids)
    write("byte-level", {
        "added_tokens": [added(n, "<|endoftext|>"), added(n + 1, "<|im_start|>"), added(n + 2, "<|im_end|>"),
                         added(n + 3, "<think>", special=False), added(n + 4, "    ", special=False, normalized=True),
                         added(n + 5, "<|word|>", single_word=True)],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "ignore_merges": True,
                  "vocab": ids, "merges": merges},
    }, {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "chat_template": [
        {"name": "tool_use", "template": "{{ raise_exception('no tools') }}"},
        {"name": "default", "template": CHATML}]})


def byte_fallback():
    vocab = ["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256)), "\u2581"]
    vocab += [chr(c) for c in range(ord("!"), ord("~") + 1)] + list("éàü日本語人")
    merges = []
    for word in ["\u2581the", "\u2581a", "\u2581\u2581", "ing", "user", "\u2581hello", "日本", "</", "</s"]:
        left = word[0]
        for c in word[1:]:
            if left + c not in vocab:
                merges.append(f"{left} {c}")
                vocab.append(left + c)
            left += c
    # A merge that would spell a special token from plain text.
    merges.append("</s >")
    ids = {token: i for i, token in enumerate(vocab)}
    n = len(ids)
    special = {"id": "<s>", "type_id": 0}
    write("byte-fallback", {
        "added_tokens": [added(0, "<unk>"), added(1, "<s>"), added(2, "</s>", special=False, rstrip=True),
                         added(n, "<|user|>", rstrip=True), added(n + 1, "<|end|>", lstrip=True),
                         added(n + 2, "<|story|>", normalized=True)],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "\u2581"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
        "pre_tokenizer": None,
        "post_processor": {"type": "TemplateProcessing",
                           "single": [{"SpecialToken": special}, {"Sequence": {"id": "A", "type_id": 0}}],
                           "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                           "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"},
            {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
                  "vocab": ids, "merges": merges},
    }, {"bos_token": {"content": "<s>", "lstrip": False}, "eos_token": "</s>", "unk_token": "<unk>", "chat_template": TURNS})


def unigram():
    pieces = [["<unk>", 0.0], ["<s>", 0.0], ["</s>", 0.0], ["\u2581", -2.0]]
    pieces += [[chr(c), -4.0] for c in range(ord("!"), ord("~") + 1)]
    pieces += [[p, -3.0] for p in ["\u2581the", "\u2581he", "ing", "ll", "o", "日", "🙂"] if p != "o"]
    meta = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": True}
    write("unigram", {
        "added_tokens": [added(0, "<unk>"), added(1, "<s>"), added(2, "</s>")],
        "normalizer": None, "pre_tokenizer": meta, "post_processor": None, "decoder": meta,
        "model": {"type": "Unigram", "unk_id": 0, "vocab": pieces, "byte_fallback": False},
    }, {"bos_token": "<s>", "eos_token": "</s>"})


if __name__ == "__main__":
    byte_level()
    byte_fallback()
    unigram()
