package dev.meridian.engine.kernels;

import dev.meridian.engine.kernels.KernelLibrary.Available;
import dev.meridian.engine.kernels.KernelLibrary.Reason;
import dev.meridian.engine.kernels.KernelLibrary.Unavailable;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Loads a library for the rest of the process and asks it what it is ({@code exports.h}). */
@SuppressWarnings("restricted") // Meridian is started with --enable-native-access.
final class KernelFunctions {
    /** Longest text that the library gives. */
    private static final int TEXT_BYTES = 256;

    private final SymbolLookup library;

    private KernelFunctions(SymbolLookup library) {
        this.library = library;
    }

    static KernelLibrary open(Path file) {
        try {
            KernelFunctions functions = new KernelFunctions(SymbolLookup.libraryLookup(file, Arena.global()));
            List<String> paths =
                    List.of(functions.text("meridian_paths").orElseThrow().split(",", -1));
            Optional<String> refused = functions.text("meridian_refused_choice");
            return refused.isPresent()
                    ? new Unavailable(
                            Reason.REFUSED_CHOICE,
                            "MERIDIAN_KERNELS=" + refused.get() + ", but this processor has " + paths)
                    : new Available(file, functions.text("meridian_path_name").orElseThrow(), paths);
        } catch (RuntimeException e) {
            return new Unavailable(Reason.NOT_LOADED, "the library cannot be loaded: " + e);
        }
    }

    /** What a function without arguments says; empty for NULL. */
    private Optional<String> text(String function) {
        MemorySegment said;
        try {
            said = (MemorySegment) Linker.nativeLinker()
                    .downcallHandle(library.find(function).orElseThrow(), FunctionDescriptor.of(ValueLayout.ADDRESS))
                    .invokeExact();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(function + " failed", e);
        }
        return said.address() == 0
                ? Optional.empty()
                : Optional.of(said.reinterpret(TEXT_BYTES).getString(0));
    }
}
