package dev.meridian.node;

import dev.meridian.builder.ImportRequest;
import dev.meridian.builder.Importer;
import dev.meridian.builder.source.ImportException;
import dev.meridian.engine.bundle.Bundle;
import dev.meridian.engine.bundle.BundleManifest;
import dev.meridian.engine.bundle.BundleManifest.BundleFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;

/** Bundles that are made to be measured. */
final class Variants {
    private Variants() {}

    /** Imports and opens one; its bars go to {@code progress}. */
    static Bundle make(ImportRequest request, PrintWriter progress) throws ImportException {
        try (ProgressBar bar = ProgressBar.on(progress)) {
            new Importer()
                    .run(request, ImportCommand.progress(bar, request.weights().label() + ": "));
        }
        return Bundle.open(request.out());
    }

    /** Bytes of all files. */
    static long bytes(Bundle bundle) throws IOException {
        return bundle.manifest().files().values().stream()
                        .mapToLong(BundleFile::bytes)
                        .sum()
                + Files.size(bundle.file(BundleManifest.FILE_NAME));
    }
}
