package dev.meridian.engine.kernels;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.meridian.engine.kernels.KernelLibrary.Available;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/** The library's entry points for tests ({@code exports.h}), over Java arrays. */
@SuppressWarnings("restricted") // Tests run with --enable-native-access.
final class NativeKernels {
    private final Available library;
    private final MethodHandle gemm;
    private final MethodHandle gateUp;
    private final MethodHandle embed;
    private final MethodHandle quantize;
    private final MethodHandle select;
    private final MethodHandle attention;

    private NativeKernels(Available library) {
        this.library = library;
        SymbolLookup symbols = SymbolLookup.libraryLookup(library.file(), Arena.global());
        gemm = handle(
                symbols,
                "meridian_gemm",
                ADDRESS,
                JAVA_INT,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG,
                ADDRESS,
                ADDRESS,
                ADDRESS,
                ADDRESS);
        gateUp = handle(
                symbols,
                "meridian_gate_up",
                ADDRESS,
                JAVA_INT,
                JAVA_LONG,
                JAVA_LONG,
                JAVA_LONG,
                ADDRESS,
                ADDRESS,
                ADDRESS);
        embed = handle(symbols, "meridian_embed", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS);
        quantize = handle(
                symbols, "meridian_quantize_rows", ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, ADDRESS);
        select = handle(symbols, "meridian_select_path", ADDRESS);
        MemoryLayout[] pointers = new MemoryLayout[12];
        Arrays.fill(pointers, ADDRESS);
        attention = handle(symbols, "meridian_attention", pointers);
    }

    /** Skips the test where this build has no library. */
    static NativeKernels required() {
        KernelLibrary found = KernelLibrary.ofProcess();
        Assumptions.assumeTrue(found instanceof Available, () -> "no kernels: " + found);
        return new NativeKernels((Available) found);
    }

    private static MethodHandle handle(SymbolLookup symbols, String name, MemoryLayout... arguments) {
        return Linker.nativeLinker()
                .downcallHandle(symbols.find(name).orElseThrow(), FunctionDescriptor.of(JAVA_INT, arguments));
    }

    Available library() {
        return library;
    }

    List<String> paths() {
        return library.paths();
    }

    int select(String path) {
        try (Arena arena = Arena.ofConfined()) {
            return (int) select.invokeExact(arena.allocateFrom(path));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    float[] gemm(String path, Panels w, float[] x, float @Nullable [] bias) {
        int rows = x.length / w.k();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment y = arena.allocate(JAVA_FLOAT, (long) rows * w.n());
            MemorySegment given = bias == null ? MemorySegment.NULL : arena.allocateFrom(JAVA_FLOAT, bias);
            int status = (int) gemm.invokeExact(
                    arena.allocateFrom(path),
                    w.bits(),
                    (long) rows,
                    (long) w.n(),
                    (long) w.k(),
                    arena.allocateFrom(JAVA_FLOAT, x),
                    arena.allocateFrom(JAVA_BYTE, w.bytes()),
                    given,
                    y);
            return checked(status, y.toArray(JAVA_FLOAT));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    float[] gateUp(String path, Panels gate, Panels up, float[] x) {
        int rows = x.length / gate.k();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment y = arena.allocate(JAVA_FLOAT, (long) rows * gate.n());
            int status = (int) gateUp.invokeExact(
                    arena.allocateFrom(path),
                    gate.bits(),
                    (long) rows,
                    (long) gate.n(),
                    (long) gate.k(),
                    arena.allocateFrom(JAVA_FLOAT, x),
                    arena.allocateFrom(JAVA_BYTE, gate.alternatingWith(up)),
                    y);
            return checked(status, y.toArray(JAVA_FLOAT));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    float[] embed(Panels w, long[] ids) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment y = arena.allocate(JAVA_FLOAT, (long) ids.length * w.k());
            int status = (int) embed.invokeExact(
                    w.bits(),
                    (long) ids.length,
                    (long) w.n(),
                    (long) w.k(),
                    arena.allocateFrom(JAVA_LONG, ids),
                    arena.allocateFrom(JAVA_BYTE, w.bytes()),
                    y);
            return checked(status, y.toArray(JAVA_FLOAT));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    Reference.Quantized quantize(String path, float[] x, int k) {
        int rows = x.length / k;
        long blocks = (long) rows * ((k + 31) / 32);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment codes = arena.allocate(blocks * 32);
            MemorySegment scales = arena.allocate(JAVA_FLOAT, blocks);
            MemorySegment sums = arena.allocate(JAVA_INT, blocks);
            int status = (int) quantize.invokeExact(
                    arena.allocateFrom(path),
                    (long) rows,
                    (long) k,
                    arena.allocateFrom(JAVA_FLOAT, x),
                    codes,
                    scales,
                    sums);
            return checked(
                    status,
                    new Reference.Quantized(
                            codes.toArray(JAVA_BYTE), scales.toArray(JAVA_FLOAT), sums.toArray(JAVA_INT)));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Writes to the case's cache. With `packed` keys and values are read from the query's rows. */
    float[] attention(String path, AttentionCase c, AttentionCase.Rows rows, boolean packed) {
        float[] out = new float[rows.count() * c.heads() * c.dim()];
        return checked(attend(path, c, rows, packed, out), out);
    }

    int attentionStatus(String path, AttentionCase c, AttentionCase.Rows rows, boolean packed) {
        return attend(path, c, rows, packed, new float[rows.count() * c.heads() * c.dim()]);
    }

    private int attend(String path, AttentionCase c, AttentionCase.Rows rows, boolean packed, float[] out) {
        int own = c.heads() * c.dim();
        int cached = c.kvHeads() * c.dim();
        float[] query = packed ? rows.packed() : rows.part(c.width(), 0, own);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment keys = arena.allocateFrom(JAVA_SHORT, c.keys());
            MemorySegment values = arena.allocateFrom(JAVA_SHORT, c.values());
            MemorySegment y = arena.allocate(JAVA_FLOAT, out.length);
            MemorySegment key = MemorySegment.NULL;
            MemorySegment value = MemorySegment.NULL;
            if (!packed) {
                key = arena.allocateFrom(JAVA_FLOAT, rows.part(c.width(), own, cached));
                value = arena.allocateFrom(JAVA_FLOAT, rows.part(c.width(), own + cached, cached));
            }
            int status = (int) attention.invokeExact(
                    arena.allocateFrom(path),
                    arena.allocateFrom(
                            JAVA_LONG,
                            c.heads(),
                            c.kvHeads(),
                            c.dim(),
                            c.slots(),
                            c.capacity(),
                            c.turns(),
                            rows.count()),
                    arena.allocateFrom(JAVA_FLOAT, query),
                    key,
                    value,
                    keys,
                    values,
                    arena.allocateFrom(JAVA_INT, rows.slots()),
                    arena.allocateFrom(JAVA_INT, rows.positions()),
                    arena.allocateFrom(JAVA_FLOAT, c.cos()),
                    arena.allocateFrom(JAVA_FLOAT, c.sin()),
                    y);
            MemorySegment.copy(keys, JAVA_SHORT, 0, c.keys(), 0, c.keys().length);
            MemorySegment.copy(values, JAVA_SHORT, 0, c.values(), 0, c.values().length);
            MemorySegment.copy(y, JAVA_FLOAT, 0, out, 0, out.length);
            return status;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static <T> T checked(int status, T result) {
        if (status != 0) {
            throw new AssertionError("status " + status);
        }
        return result;
    }
}
