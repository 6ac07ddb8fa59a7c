/*
 * Causal attention over cached keys and values. First every row's key and value go into the cache, then threads take
 * pieces of the result from a counter: some rows of one sequence at consecutive positions by some heads that share a
 * key-value head, so that what is read of the cache serves all of them. A piece goes over its positions chunk by chunk.
 * Where pieces are few and long they are divided by chunks as well; the chunks' results are then kept, and who ends the
 * last of them merges all in order. Neither changes a bit of the result.
 */
#include "tile.h"
#include <math.h>
#include <stdatomic.h>

/* Queries of a piece: enough to read the cache seldom, few enough that their scores stay in a second-level cache. */
#define MOST_QUERIES 64
/* Rows whose pieces are listed at once: what bounds the list. */
#define ROWS_AT_ONCE 512
/* Rows that are written to the cache by one thread at a time, and from which on it is worth several. */
#define WRITTEN_AT_ONCE 8
#define WRITTEN_BY_MANY 16
/* A piece that is more than this part of the whole is divided. */
#define PIECES_WANTED 32
/* For results of chunks; pieces for which nothing is left are not divided. */
#define KEPT_FLOATS ((size_t)1 << 20)
/* Multiplications below which other threads cost more than they bring. */
#define WORTH_THREADS ((size_t)256 << 10)
#define CALLS 64

/* Rows first..first+rows-1: one slot, each a position further than the row before. */
struct tile {
    size_t first;
    size_t rows;
    size_t chunks;
    size_t span;         /* chunks of a piece */
    size_t spans;        /* pieces that share heads */
    size_t first_piece;  /* all pieces before */
    float *kept;         /* results of chunks where there are several spans */
};

/* Results of some queries over some chunks, before the division by the sum. */
struct part {
    float *greatest;
    float *sum;
    float *values;
};

struct job {
    const struct kernel_path *path;
    const struct attention *a;
    size_t group;      /* query heads of a key-value head */
    size_t slice;      /* of those, in a piece; the last slice of a group may be smaller */
    size_t slices;     /* of all key-value heads */
    size_t tile_rows;
    struct tile *tiles;
    size_t tile_count;
    size_t pieces;
    atomic_size_t next;
    atomic_bool failed;
};

/* What a thread works in. */
struct work {
    float *queries;
    float *scores;
    struct part all;
    struct part one;
};

/* --- Rows to the cache --- */

static void write_pieces(void *argument, size_t index) {
    (void)index;
    struct job *job = argument;
    for (;;) {
        size_t first = atomic_fetch_add(&job->next, WRITTEN_AT_ONCE);
        if (first >= job->a->rows) {
            return;
        }
        size_t last = first + WRITTEN_AT_ONCE < job->a->rows ? first + WRITTEN_AT_ONCE : job->a->rows;
        for (size_t row = first; row < last; row++) {
            write_to_cache(job->a, row);
        }
    }
}

/* --- A piece --- */

/* The sums stand before the vectors, which begin at a multiple of 16 floats. */
static size_t part_floats(size_t queries, size_t dim) {
    return (2 * queries + LANES - 1) / LANES * LANES + queries * dim;
}

static struct part part_at(float *memory, size_t queries, size_t dim) {
    return (struct part){memory, memory + queries, memory + part_floats(queries, dim) - queries * dim};
}

static struct part from_query(struct part part, size_t query, size_t dim) {
    return (struct part){part.greatest + query, part.sum + query, part.values + query * dim};
}

static size_t work_floats(size_t dim) {
    return MOST_QUERIES * (dim + CHUNK) + 2 * part_floats(MOST_QUERIES, dim);
}

static struct work work_at(float *memory, size_t dim) {
    float *scores = memory + MOST_QUERIES * dim;
    float *parts = scores + MOST_QUERIES * CHUNK;
    return (struct work){memory, scores, part_at(parts, MOST_QUERIES, dim),
                         part_at(parts + part_floats(MOST_QUERIES, dim), MOST_QUERIES, dim)};
}

/* A tile by a slice of heads. Its queries stand row by row. */
struct piece {
    const struct tile *tile;
    size_t kv_head;
    size_t head;
    size_t heads;
};

static void load_queries(const struct job *job, const struct piece *piece, float *queries) {
    const struct attention *a = job->a;
    const float scale = (float)(1.0 / sqrt((double)a->dim));
    for (size_t row = piece->tile->first; row < piece->tile->first + piece->tile->rows; row++) {
        const size_t turn = (size_t)a->position[row] * (a->dim / 2);
        for (size_t head = piece->head; head < piece->head + piece->heads; head++, queries += a->dim) {
            rotate(a->query + row * a->query_stride + head * a->dim, a->cos + turn, a->sin + turn, a->dim / 2, queries);
            for (size_t d = 0; d < a->dim; d++) {
                queries[d] *= scale;
            }
        }
    }
}

/* The first row of a tile, counted from its own first, that sees a chunk. */
static size_t first_to_see(const struct job *job, const struct tile *tile, size_t chunk) {
    const size_t position = (size_t)job->a->position[tile->first];
    return chunk * CHUNK > position ? chunk * CHUNK - position : 0;
}

/* Fills in the results of all queries that see the chunk, and leaves the others. */
static void attend_chunk(const struct job *job, const struct piece *piece, size_t chunk, const struct work *work,
                         struct part out) {
    const struct attention *a = job->a;
    const size_t begin = chunk * CHUNK;
    const size_t at = head_of_cache(a, (size_t)a->slot[piece->tile->first], piece->kv_head) + begin * a->dim;
    const size_t first_row = first_to_see(job, piece->tile, chunk);
    const size_t first = first_row * piece->heads;
    size_t lengths[MOST_QUERIES];
    size_t count = 0;
    for (size_t row = first_row; row < piece->tile->rows; row++) {
        const size_t seen = (size_t)a->position[piece->tile->first + row] + 1 - begin;
        for (size_t head = 0; head < piece->heads; head++) {
            lengths[count++] = seen < CHUNK ? seen : CHUNK;
        }
    }
    const size_t blocks = (lengths[count - 1] + LANES - 1) / LANES;
    const struct attend_path *attend = job->path->attend;
    struct part part = from_query(out, first, a->dim);
    attend->score(a->cached_keys + at, a->dim, blocks, work->queries + first * a->dim, count, work->scores);
    for (size_t q = 0; q < count; q++) {
        attend->soften(work->scores + q * CHUNK, lengths[q], part.greatest + q, part.sum + q);
    }
    attend->weigh(a->cached_values + at, a->dim, work->scores, lengths, count, part.values);
}

static void merge_chunk(const struct job *job, const struct piece *piece, size_t chunk, struct part all,
                        struct part one) {
    const size_t dim = job->a->dim;
    const size_t queries = piece->tile->rows * piece->heads;
    for (size_t q = first_to_see(job, piece->tile, chunk) * piece->heads; q < queries; q++) {
        job->path->attend->merge(all.greatest + q, all.sum + q, all.values + q * dim, one.greatest[q], one.sum[q],
                                 one.values + q * dim, dim);
    }
}

static void divide_by(const float *restrict values, float sum, size_t dim, float *restrict out) {
    for (size_t d = 0; d < dim; d++) {
        out[d] = values[d] / sum;
    }
}

static void write_out(const struct job *job, const struct piece *piece, struct part all) {
    const struct attention *a = job->a;
    size_t q = 0;
    for (size_t row = 0; row < piece->tile->rows; row++) {
        float *out = a->out + ((piece->tile->first + row) * a->heads + piece->head) * a->dim;
        for (size_t head = 0; head < piece->heads; head++, q++, out += a->dim) {
            divide_by(all.values + q * a->dim, all.sum[q], a->dim, out);
        }
    }
}

/* What is kept of a divided tile and a slice: the spans that are left in front, then the chunks' results. */
static size_t kept_floats(const struct job *job, const struct tile *tile) {
    return LANES + tile->chunks * part_floats(tile->rows * job->slice, job->a->dim);
}

static void divided_piece(const struct job *job, const struct piece *piece, float *kept, size_t span,
                          const struct work *work) {
    const struct tile *tile = piece->tile;
    const size_t dim = job->a->dim;
    const size_t queries = tile->rows * job->slice;
    const size_t floats = part_floats(queries, dim);
    const size_t end = (span + 1) * tile->span < tile->chunks ? (span + 1) * tile->span : tile->chunks;
    for (size_t chunk = span * tile->span; chunk < end; chunk++) {
        attend_chunk(job, piece, chunk, work, part_at(kept + LANES + chunk * floats, queries, dim));
    }
    atomic_size_t *left = (atomic_size_t *)(void *)kept;
    if (atomic_fetch_sub(left, 1) > 1) {
        return;
    }
    struct part all = part_at(kept + LANES, queries, dim);
    for (size_t chunk = 1; chunk < tile->chunks; chunk++) {
        merge_chunk(job, piece, chunk, all, part_at(kept + LANES + chunk * floats, queries, dim));
    }
    write_out(job, piece, all);
}

static void attend_piece(const struct job *job, size_t index, const struct work *work) {
    size_t low = 0;
    for (size_t high = job->tile_count; high - low > 1;) {
        size_t middle = low + (high - low) / 2;
        if (job->tiles[middle].first_piece <= index) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const struct tile *tile = job->tiles + low;
    const size_t slice = (index - tile->first_piece) / tile->spans;
    const size_t span = (index - tile->first_piece) % tile->spans;
    const size_t slices_of_head = job->slices / job->a->kv_heads;
    const size_t first = slice % slices_of_head * job->slice;
    const struct piece piece = {
        .tile = tile,
        .kv_head = slice / slices_of_head,
        .head = slice / slices_of_head * job->group + first,
        .heads = job->group - first < job->slice ? job->group - first : job->slice,
    };
    load_queries(job, &piece, work->queries);
    if (tile->spans > 1) {
        divided_piece(job, &piece, tile->kept + slice * kept_floats(job, tile), span, work);
        return;
    }
    attend_chunk(job, &piece, 0, work, work->all);
    for (size_t chunk = 1; chunk < tile->chunks; chunk++) {
        attend_chunk(job, &piece, chunk, work, work->one);
        merge_chunk(job, &piece, chunk, work->all, work->one);
    }
    write_out(job, &piece, work->all);
}

/* The last pieces first: those of a long prompt are the longest, and what is left for the end should be short. */
static void attend_pieces(void *argument, size_t index) {
    (void)index;
    struct job *job = argument;
    float *memory = NULL;
    struct work work;
    for (;;) {
        size_t piece = atomic_fetch_add(&job->next, 1);
        if (piece >= job->pieces) {
            break;
        }
        if (memory == NULL) {
            memory = take_scratch(work_floats(job->a->dim) * sizeof(float));
            if (memory == NULL) {
                atomic_store(&job->failed, true);
                return;
            }
            work = work_at(memory, job->a->dim);
        }
        attend_piece(job, job->pieces - 1 - piece, &work);
    }
    if (memory != NULL) {
        give_scratch(memory);
    }
}

/* --- All of it --- */

/* Lists tiles of rows first..last-1. */
static void find_tiles(struct job *job, size_t first, size_t last) {
    const struct attention *a = job->a;
    job->tile_count = 0;
    for (size_t row = first; row < last;) {
        size_t rows = 1;
        while (row + rows < last && rows < job->tile_rows && a->slot[row + rows] == a->slot[row]
               && a->position[row + rows] - 1 == a->position[row + rows - 1]) {
            rows++;
        }
        const size_t chunks = (size_t)a->position[row + rows - 1] / CHUNK + 1;
        job->tiles[job->tile_count++] = (struct tile){.first = row, .rows = rows, .chunks = chunks};
        row += rows;
    }
}

/* Chunks by queries; a few queries take as long as one does, for it is the cache that they wait for. */
static size_t cost_of_chunk(const struct job *job, const struct tile *tile) {
    const size_t queries = tile->rows * job->slice;
    return queries < 8 ? 8 : queries;
}

/* Divides tiles to pieces, and returns the multiplications of all. */
static size_t divide(struct job *job, float *kept) {
    size_t all = 0;
    for (size_t t = 0; t < job->tile_count; t++) {
        all += job->tiles[t].chunks * cost_of_chunk(job, &job->tiles[t]) * job->slices;
    }
    size_t left = KEPT_FLOATS;
    job->pieces = 0;
    for (size_t t = 0; t < job->tile_count; t++) {
        struct tile *tile = &job->tiles[t];
        const size_t span = all / PIECES_WANTED / cost_of_chunk(job, tile);
        const size_t floats = kept_floats(job, tile);
        tile->span = span > 0 ? span : 1;
        tile->spans = (tile->chunks + tile->span - 1) / tile->span;
        if (tile->spans > 1 && left / job->slices < floats) {
            tile->span = tile->chunks;
            tile->spans = 1;
        } else if (tile->spans > 1) {
            tile->kept = kept;
            for (size_t slice = 0; slice < job->slices; slice++) {
                atomic_init((atomic_size_t *)(void *)(kept + slice * floats), tile->spans);
            }
            kept += job->slices * floats;
            left -= job->slices * floats;
        }
        tile->first_piece = job->pieces;
        job->pieces += tile->spans * job->slices;
    }
    return all * CHUNK * 2 * job->a->dim;
}

static bool run(const struct parallel *parallel, bool many, void (*call)(void *, size_t), struct job *job) {
    atomic_store(&job->next, 0);
    if (!many) {
        call(job, 0);
        return true;
    }
    return parallel->run(parallel->context, call, CALLS, job);
}

bool possible_attention(int64_t heads, int64_t kv_heads, int64_t dim) {
    return kv_heads >= 1 && heads >= kv_heads && heads <= (int64_t)MOST_HEADS && heads % kv_heads == 0 && dim >= LANES
           && dim <= MOST_DIM && dim % LANES == 0;
}

size_t row_outside(const struct attention *a) {
    size_t row = 0;
    while (row < a->rows && a->slot[row] >= 0 && (size_t)a->slot[row] < a->slots && a->position[row] >= 0
           && (size_t)a->position[row] < a->capacity && (size_t)a->position[row] < a->turns) {
        row++;
    }
    return row;
}

enum compute_result compute_attention(const struct kernel_path *path, const struct attention *a,
                                      const struct parallel *parallel) {
    if (a->rows == 0) {
        return COMPUTED;
    }
    struct job job = {.path = path, .a = a, .group = a->heads / a->kv_heads};
    job.slice = job.group < MOST_QUERIES ? job.group : MOST_QUERIES;
    job.slices = a->kv_heads * ((job.group + job.slice - 1) / job.slice);
    job.tile_rows = MOST_QUERIES / job.slice;
    char *scratch = take_scratch(ROWS_AT_ONCE * sizeof(struct tile) + KEPT_FLOATS * sizeof(float));
    if (scratch == NULL) {
        return OUT_OF_MEMORY;
    }
    job.tiles = (struct tile *)(void *)scratch;
    float *kept = (float *)(void *)(scratch + ROWS_AT_ONCE * sizeof(struct tile));
    bool ran = run(parallel, a->rows >= WRITTEN_BY_MANY, write_pieces, &job);
    for (size_t first = 0; ran && !atomic_load(&job.failed) && first < a->rows; first += ROWS_AT_ONCE) {
        find_tiles(&job, first, a->rows - first < ROWS_AT_ONCE ? a->rows : first + ROWS_AT_ONCE);
        bool many = divide(&job, kept) >= WORTH_THREADS;
        ran = run(parallel, many, attend_pieces, &job);
    }
    give_scratch(scratch);
    return atomic_load(&job.failed) ? OUT_OF_MEMORY : ran ? COMPUTED : PARALLEL_FAILED;
}
