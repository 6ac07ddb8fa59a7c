/*
 * Memory for what kernels compute on the way. They run one after the other on a session's thread, so one piece of memory
 * serves all of them; several sessions at once, and the threads of one in attention, need several. A few pieces are
 * therefore kept for the whole process, in slots that
 * a thread empties by an atomic exchange. Not per thread: threads come and go, and nobody would free what they leave.
 * ONNX Runtime's own scratch buffers are not used: without a device stream nothing frees them.
 */
#include "kernels.h"
#include <stdatomic.h>
#include <stdlib.h>

#define ALIGNMENT 64
#define SLOTS 16
/* What is larger is freed after its use. */
#define KEPT_BYTES ((size_t)8 << 20)

/* Stands in front of the memory that is handed out. */
struct piece {
    size_t bytes;
};

static _Atomic(struct piece *) slots[SLOTS];
static atomic_long users;

static struct piece *allocate(size_t bytes) {
    if (bytes > SIZE_MAX - 2 * ALIGNMENT) {
        return NULL;
    }
    void *memory = NULL;
    if (posix_memalign(&memory, ALIGNMENT, bytes + ALIGNMENT) != 0) {
        return NULL;
    }
    struct piece *piece = memory;
    piece->bytes = bytes;
    return piece;
}

static void keep(struct piece *piece) {
    if (piece != NULL && piece->bytes <= KEPT_BYTES && atomic_load(&users) > 0) {
        for (int i = 0; i < SLOTS; i++) {
            struct piece *empty = NULL;
            if (atomic_compare_exchange_strong(&slots[i], &empty, piece)) {
                return;
            }
        }
    }
    free(piece);
}

void *take_scratch(size_t bytes) {
    struct piece *small = NULL;
    for (int i = 0; i < SLOTS; i++) {
        struct piece *piece = atomic_exchange(&slots[i], NULL);
        if (piece != NULL && piece->bytes >= bytes) {
            keep(small);
            return (char *)piece + ALIGNMENT;
        }
        if (small == NULL) {
            small = piece;
        } else {
            keep(piece);
        }
    }
    /* In place of one that is too small, so that small ones do not fill all slots. */
    free(small);
    struct piece *made = allocate(bytes);
    return made == NULL ? NULL : (char *)made + ALIGNMENT;
}

void give_scratch(void *memory) {
    keep((struct piece *)(void *)((char *)memory - ALIGNMENT));
}

void scratch_user_added(void) {
    atomic_fetch_add(&users, 1);
}

void scratch_user_removed(void) {
    if (atomic_fetch_sub(&users, 1) == 1) {
        for (int i = 0; i < SLOTS; i++) {
            free(atomic_exchange(&slots[i], NULL));
        }
    }
}
