package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

final class KeysCommandTest {
    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CommandLine commandLine =
            Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));

    @BeforeEach
    void configure() throws IOException {
        Files.writeString(config(), "meridian.edge.keys-file = \"" + folder.resolve("keys.json") + "\"");
    }

    private Path config() {
        return folder.resolve("my.conf");
    }

    private int run(String line) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        List<String> arguments = new ArrayList<>(List.of(line.split(" ", -1)));
        arguments.add("--config=" + config());
        return commandLine.execute(arguments.toArray(String[]::new));
    }

    @Test
    void aKeyIsShownOnceListedWithoutItAndRevoked() throws IOException {
        assertThat(
                        run(
                                "keys add --name shop --models atlas,tiny --regions us,eu --tokens-per-minute 500 --concurrent 2"))
                .isZero();
        String secret = out.toString().strip();
        assertThat(secret).matches("mk-[A-Za-z0-9_-]{43}");
        assertThat(Files.readString(folder.resolve("keys.json"))).doesNotContain(secret);
        assertThat(run("keys add --name ops --role admin --expires 90d")).isZero();
        assertThat(run("keys list")).isZero();
        assertThat(out.toString().lines())
                .hasSize(3)
                .anyMatch(line -> line.matches("shop +client +atlas,tiny +eu,us +- +500 +2 +never"))
                .anyMatch(line -> line.matches("ops +admin +all +all +- +- +- +20\\d\\d-.*Z"));
        assertThat(run("keys list --json")).isZero();
        assertThat(out.toString()).contains("\"tokensPerMinute\" : 500").doesNotContain("sha256", secret);
        assertThat(run("keys revoke shop")).isZero();
        assertThat(run("keys list")).isZero();
        assertThat(out.toString()).doesNotContain("shop");
    }

    @ParameterizedTest
    @CsvSource({
        "keys, 2, Missing command",
        "keys add, 2, --name",
        "keys add --name a/b, 2, A-Za-z0-9._-",
        "keys add --name a --role root, 2, --role",
        "keys add --name a --concurrent -1, 2, negative",
        "keys add --name a --regions EU, 2, can be no region",
        "keys add --name a --expires soon, 2, --expires soon",
        "keys add --name a --expires 2001-01-01, 2, is over already",
        "keys revoke nobody, 1, there is no key nobody in"
    })
    void whatCannotBeIsNamed(String line, int exitCode, String message) {
        assertThat(line.equals("keys") ? commandLine.execute("keys") : run(line))
                .isEqualTo(exitCode);
        assertThat(err.toString()).contains(message).doesNotContain("internal error");
        assertThat(Files.exists(folder.resolve("keys.json")) && exitCode == 2).isFalse();
    }

    @Test
    void aNameIsGivenOnce() {
        run("keys add --name shop");
        assertThat(run("keys add --name shop")).isEqualTo(1);
        assertThat(err.toString()).contains("there is a key shop already");
    }
}
