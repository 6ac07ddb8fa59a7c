// llama.cpp behind npm's node-llama-cpp: node llama.mjs <gguf> <threads> <longest context>
// Reads a task from each line of standard input and writes "= <milliseconds>" or "! <reason>"; ends with its input.
import { createInterface } from "node:readline";
import { getLlama } from "node-llama-cpp";

const [file, threadsText, longestText] = process.argv.slice(2);
const threads = Number(threadsText);
const SEQUENCES = 16;
const SHORT = 576;
const BATCH = 512;

const llama = await getLlama({ gpu: false, build: "never", maxThreads: threads, progressLogs: false, logLevel: "error" });
const load = () => llama.loadModel({ modelPath: file, gpuLayers: 0 });
const model = await load();
const context = (contextSize, sequences) =>
  model.createContext({ contextSize, sequences, batchSize: BATCH, threads: { ideal: threads, min: threads }, flashAttention: true });
const many = await context(SHORT, SEQUENCES);
many._ctx.setThreads(threads);

const token = () => 1000 + Math.floor(Math.random() * 150000);
const tokens = (count) => Uint32Array.from({ length: count }, token);

// One batch of [sequence, position, tokens], with the logits of each one's last token.
async function pass(ctx, items) {
  ctx.initBatch(items.reduce((sum, item) => sum + item[2].length, 0));
  for (const [sequence, position, ids] of items) {
    ctx.addToBatch(sequence, position, ids, Uint32Array.from([ids.length - 1]));
  }
  await ctx.decodeBatch();
}

async function prefill(ctx, sequence, count) {
  for (let at = 0; at < count; at += BATCH) {
    await pass(ctx, [[sequence, at, tokens(Math.min(BATCH, count - at))]]);
  }
}

async function decode(ctx, sequences, filled, steps) {
  for (let s = 0; s < sequences; s++) {
    await prefill(ctx, s, filled);
  }
  const start = performance.now();
  for (let step = 0; step < steps; step++) {
    const items = [];
    for (let s = 0; s < sequences; s++) {
      items.push([s, filled + step, tokens(1)]);
    }
    await pass(ctx, items);
  }
  const millis = performance.now() - start;
  for (let s = 0; s < sequences; s++) {
    ctx.disposeSequence(s);
  }
  return millis;
}

async function within(positions, work) {
  if (positions <= SHORT) {
    return work(many._ctx);
  }
  const long = await context(Number(longestText), 1);
  try {
    long._ctx.setThreads(threads);
    return await work(long._ctx);
  } finally {
    await long.dispose();
  }
}

const tasks = {
  prefill: (count) =>
    within(count, async (ctx) => {
      const start = performance.now();
      await prefill(ctx, 0, count);
      const millis = performance.now() - start;
      ctx.disposeSequence(0);
      return millis;
    }),
  decode: (sequences, filled, steps) => within(filled + steps, (ctx) => decode(ctx, sequences, filled, steps)),
  load: async () => {
    const start = performance.now();
    const again = await load();
    const millis = performance.now() - start;
    await again.dispose();
    return millis;
  },
  // Positions for which the cache is allocated now.
  positions: async () => SHORT * SEQUENCES,
};

console.log("= 0");
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...numbers] = line.split(" ");
  try {
    console.log(`= ${await tasks[name](...numbers.map(Number))}`);
  } catch (e) {
    console.log(`! ${String(e.message ?? e).replaceAll("\n", " ")}`);
  }
}
process.exit(0);
