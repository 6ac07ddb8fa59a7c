/*
 * From float rows to float rows: quantises X, and lets threads take pieces of Y from a counter until none are left, so
 * that a thread which is late takes fewer. Which thread computes what changes no bit of the result.
 */
#include "kernels.h"
#include "tile.h"
#include <stdatomic.h>

/* Rows of X that are quantised at once: what bounds the scratch memory. */
#define ROWS_AT_ONCE 512
/* Rows that go over a group of panels together: they stay in the second-level cache. */
#define ROWS_OF_PIECE 64
/* Groups of panels: enough to spread over many threads, few enough that the counter costs nothing. */
#define PANEL_GROUPS 32
/* Weights of a group, half of a usual second-level cache. */
#define GROUP_MOST_BYTES ((size_t)400 << 10)
/* Rows from which on panels go in pairs. Below, memory is what counts, and one panel after the other reads it best. */
#define ROWS_FOR_PAIRS 32
/* Multiplications below which other threads cost more than they bring. */
#define WORTH_THREADS ((size_t)64 << 10)
/* Rows that are quantised by one thread at a time, and from which on it is worth several. */
#define QUANTIZED_AT_ONCE 8
#define QUANTIZED_BY_MANY 16
/*
 * Calls that the thread pool is asked for. Each takes pieces until none are left, so the pool's threads are all busy
 * however many they are, up to this number, and the calls that come late return at once.
 */
#define CALLS 64

static bool run_here(void *context, void (*call)(void *, size_t), size_t calls, void *argument) {
    (void)context;
    (void)calls;
    call(argument, 0);
    return true;
}

const struct parallel ON_THIS_THREAD = {run_here, NULL};

struct job {
    const struct kernel_path *path;
    const struct weights *w;
    bool gate_up;
    const float *x;
    const float *bias;
    float *y;
    size_t rows;
    bool pairs;
    struct activations a;
    size_t group_panels;
    size_t groups;
    size_t row_pieces;
    atomic_size_t next;
};

void quantize_rows(const struct kernel_path *path, const float *x, size_t k, int zero, size_t first, size_t last,
                   struct activations *a) {
    const size_t whole = k / BLOCK;
    for (size_t row = first; row < last; row++) {
        const float *from = x + row * k;
        const size_t at = row * a->blocks;
        path->quantize(from, whole, zero, a->codes + at * BLOCK, a->scales + at, a->offsets + at);
        if (whole < a->blocks) {
            float rest[BLOCK] = {0};
            memcpy(rest, from + whole * BLOCK, (k - whole * BLOCK) * sizeof(float));
            const size_t end = at + whole;
            path->quantize(rest, 1, zero, a->codes + end * BLOCK, a->scales + end, a->offsets + end);
        }
    }
}

static int zero_code(const struct weights *w) {
    return w->bits == 4 ? ZERO4 : ZERO8;
}

static void quantize_pieces(void *argument, size_t index) {
    (void)index;
    struct job *job = argument;
    for (;;) {
        size_t first = atomic_fetch_add(&job->next, QUANTIZED_AT_ONCE);
        if (first >= job->rows) {
            return;
        }
        size_t last = first + QUANTIZED_AT_ONCE < job->rows ? first + QUANTIZED_AT_ONCE : job->rows;
        quantize_rows(job->path, job->x, (size_t)job->w->k, zero_code(job->w), first, last, &job->a);
    }
}

static void multiply(const struct job *job, size_t packed_panel, size_t first, size_t rows, const float *initial,
                     float *out, size_t out_stride) {
    const uint8_t *bytes = job->w->bytes + packed_panel * job->w->panel_bytes;
    if (job->w->bits == 4) {
        job->path->panel4(bytes, &job->a, first, rows, initial, out, out_stride);
    } else {
        job->path->panel8(bytes, &job->a, first, rows, initial, out, out_stride);
    }
}

static void multiply_pair(const struct job *job, size_t packed_panel, size_t first, size_t rows, const float *initial,
                          float *left, float *right, size_t out_stride) {
    const size_t panel_bytes = job->w->panel_bytes;
    const uint8_t *bytes = job->w->bytes + packed_panel * panel_bytes;
    if (job->w->bits == 4) {
        job->path->pair4(bytes, panel_bytes, &job->a, first, rows, initial, left, right, out_stride);
    } else {
        job->path->pair8(bytes, panel_bytes, &job->a, first, rows, initial, left, right, out_stride);
    }
}

/* Columns 16 * panel and following 32 of Y, all of which exist, without a gate. */
static void two_panels(const struct job *job, size_t panel, size_t first, size_t rows) {
    static const float zeros[2 * LANES];
    const size_t n = (size_t)job->w->n;
    float *y = job->y + first * n + panel * LANES;
    const float *initial = job->bias != NULL ? job->bias + panel * LANES : zeros;
    multiply_pair(job, panel, first, rows, initial, y, y + LANES, n);
}

/* Columns 16 * panel and following of Y for some rows. The last panel may be wider than Y: it is computed aside. */
static void one_panel(const struct job *job, size_t panel, size_t first, size_t rows) {
    const size_t n = (size_t)job->w->n;
    const size_t columns = n - panel * LANES < LANES ? n - panel * LANES : LANES;
    float *y = job->y + first * n + panel * LANES;
    float aside[2][ROWS_OF_PIECE * LANES];
    float initial[2 * LANES] = {0};
    if (job->gate_up) {
        if (job->pairs) {
            multiply_pair(job, 2 * panel, first, rows, initial, aside[0], aside[1], LANES);
        } else {
            multiply(job, 2 * panel, first, rows, initial, aside[0], LANES);
            multiply(job, 2 * panel + 1, first, rows, initial, aside[1], LANES);
        }
        job->path->silu_times(aside[0], aside[1], rows * LANES);
    } else {
        if (job->bias != NULL) {
            memcpy(initial, job->bias + panel * LANES, columns * sizeof(float));
        }
        if (columns == LANES) {
            multiply(job, panel, first, rows, initial, y, n);
            return;
        }
        multiply(job, panel, first, rows, initial, aside[0], LANES);
    }
    for (size_t r = 0; r < rows; r++) {
        memcpy(y + r * n, aside[0] + r * LANES, columns * sizeof(float));
    }
}

static void multiply_pieces(void *argument, size_t index) {
    (void)index;
    struct job *job = argument;
    for (;;) {
        size_t piece = atomic_fetch_add(&job->next, 1);
        if (piece >= job->groups * job->row_pieces) {
            return;
        }
        /* Neighbouring pieces share weights, which are the larger half of what is read. */
        size_t first_panel = piece / job->row_pieces * job->group_panels;
        size_t end = first_panel + job->group_panels;
        size_t last_panel = end < job->w->panels ? end : job->w->panels;
        size_t first = piece % job->row_pieces * ROWS_OF_PIECE;
        size_t rows = job->rows - first < ROWS_OF_PIECE ? job->rows - first : ROWS_OF_PIECE;
        size_t panel = first_panel;
        for (; job->pairs && !job->gate_up && panel + 2 <= last_panel && (panel + 2) * LANES <= (size_t)job->w->n;
             panel += 2) {
            two_panels(job, panel, first, rows);
        }
        for (; panel < last_panel; panel++) {
            one_panel(job, panel, first, rows);
        }
    }
}

/* Groups of equal size, at most as large as fits the cache beside the activations. */
static void divide(struct job *job) {
    const size_t panel_bytes = job->w->panel_bytes * (job->gate_up ? 2 : 1);
    size_t panels = job->w->panels / PANEL_GROUPS;
    size_t most = GROUP_MOST_BYTES / panel_bytes;
    panels = panels < most ? panels : most;
    panels = panels > 0 ? panels : 1;
    /* An even number, so that no panel of a group is without its neighbour. */
    job->group_panels = job->pairs ? panels + panels % 2 : panels;
    job->groups = (job->w->panels + job->group_panels - 1) / job->group_panels;
}

static bool run(const struct parallel *parallel, bool many, void (*call)(void *, size_t), struct job *job) {
    atomic_store(&job->next, 0);
    if (!many) {
        call(job, 0);
        return true;
    }
    return parallel->run(parallel->context, call, CALLS, job);
}

static enum compute_result compute(struct job *job, size_t rows, const struct parallel *parallel) {
    const size_t at_once = rows < ROWS_AT_ONCE ? rows : ROWS_AT_ONCE;
    const size_t blocks = job->w->blocks;
    size_t all_blocks;
    size_t bytes;
    if (__builtin_mul_overflow(at_once, blocks, &all_blocks)
        || __builtin_mul_overflow(all_blocks, BLOCK + sizeof(float) + sizeof(int32_t), &bytes)) {
        return OUT_OF_MEMORY;
    }
    char *scratch = take_scratch(bytes);
    if (scratch == NULL) {
        return OUT_OF_MEMORY;
    }
    job->a.blocks = blocks;
    job->a.codes = (int8_t *)scratch;
    job->a.scales = (float *)(void *)(scratch + all_blocks * BLOCK);
    job->a.offsets = (int32_t *)(void *)(scratch + all_blocks * (BLOCK + sizeof(float)));
    job->pairs = at_once >= ROWS_FOR_PAIRS && job->path->pair4 != NULL;
    divide(job);
    bool ran = true;
    for (size_t done = 0; ran && done < rows; done += job->rows) {
        job->rows = rows - done < at_once ? rows - done : at_once;
        job->row_pieces = (job->rows + ROWS_OF_PIECE - 1) / ROWS_OF_PIECE;
        bool many = (size_t)job->w->n * (size_t)job->w->k >= WORTH_THREADS / job->rows;
        ran = run(parallel, many && job->rows >= QUANTIZED_BY_MANY, quantize_pieces, job)
              && run(parallel, many, multiply_pieces, job);
        job->x += job->rows * (size_t)job->w->k;
        job->y += job->rows * (size_t)job->w->n;
    }
    give_scratch(scratch);
    return ran ? COMPUTED : PARALLEL_FAILED;
}

enum compute_result compute_gemm(const struct kernel_path *path, const struct weights *w, const float *x, size_t rows,
                                 const float *bias, float *y, const struct parallel *parallel) {
    struct job job = {.path = path, .w = w, .x = x, .bias = bias, .y = y};
    return rows == 0 ? COMPUTED : compute(&job, rows, parallel);
}

enum compute_result compute_gate_up(const struct kernel_path *path, const struct weights *w, const float *x, size_t rows,
                                    float *y, const struct parallel *parallel) {
    struct job job = {.path = path, .w = w, .gate_up = true, .x = x, .y = y};
    return rows == 0 ? COMPUTED : compute(&job, rows, parallel);
}
