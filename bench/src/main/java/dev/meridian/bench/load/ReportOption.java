package dev.meridian.bench.load;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.PrintWriter;
import java.util.function.Consumer;
import picocli.CommandLine.Option;

/** How a measurement's report is printed. */
public final class ReportOption {
    @Option(names = "--json", description = "Print one JSON object; docs/benchmarks.md says what is in it.")
    private boolean json;

    public boolean isJson() {
        return json;
    }

    /** A report as one JSON object or as its table. */
    public void print(PrintWriter out, Object report, Consumer<PrintWriter> table) throws JsonProcessingException {
        if (json) {
            out.println(JsonMapper.builder()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .build()
                    .writeValueAsString(report));
        } else {
            table.accept(out);
        }
        out.flush();
    }
}
