package dev.meridian.builder;

import dev.meridian.builder.quant.Weights;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** An import that stands still once its first weights are written, for the test that ends its JVM. */
final class HangingImport {
    private HangingImport() {}

    @SuppressWarnings("SystemOut") // the parent process reads it
    public static void main(String[] arguments) throws Exception {
        var request = new ImportRequest(Path.of(arguments[0]), Path.of(arguments[1]), Weights.F32, KvType.F32);
        CountDownLatch never = new CountDownLatch(1);
        new Importer().run(request, (_, _, _) -> {
            System.out.println("hanging");
            try {
                never.await();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        });
    }
}
