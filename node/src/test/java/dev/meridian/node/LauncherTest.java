package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.node.Checkout.Result;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The launcher at the root, under every POSIX shell of this machine, in a checkout whose path has spaces. */
@ParameterizedClass
@MethodSource("shells")
@Timeout(60)
final class LauncherTest {
    private static final String FIRST_USE = "Building Meridian (first use) ...";
    private static final String SOURCES_CHANGED = "Building Meridian (sources changed) ...";

    private final List<String> shell;

    @TempDir
    private Path machine;

    private Checkout checkout;

    LauncherTest(List<String> shell) {
        this.shell = shell;
    }

    /** Each of them once: {@code sh} is often a link to one of the others. */
    static Stream<List<String>> shells() throws IOException {
        Map<Path, List<String>> byProgram = new LinkedHashMap<>();
        for (List<String> words :
                List.of(List.of("sh"), List.of("dash"), List.of("bash", "--posix"), List.of("busybox", "sh"))) {
            for (Path program : Checkout.onPath(words.getFirst()).limit(1).toList()) {
                List<String> command = new ArrayList<>(words);
                command.set(0, program.toString());
                byProgram.putIfAbsent(program.toRealPath(), command);
            }
        }
        return byProgram.values().stream();
    }

    @BeforeEach
    void layOut() throws IOException {
        checkout = new Checkout(shell, machine);
    }

    @Test
    void javaHomeComesFirst() throws Exception {
        Path home = checkout.addJdk("from-home", "25.0.1");
        checkout.linkOnPath(checkout.addJdk("from-path", "25.0.2"));
        checkout.addMaven().with("JAVA_HOME", home);

        assertThat(checkout.run()).isEqualTo(new Result(0, List.of(FIRST_USE)));
        assertThat(javaHome()).isEqualTo(home);
        assertThat(checkout.recorded("maven")).singleElement().asString().startsWith(home + " ");
    }

    @Test
    void javaOnPathComesNext() throws Exception {
        checkout.addJdk("elsewhere", "25");
        checkout.linkOnPath(checkout.addJdk("from-path", "26"));
        checkout.addMaven().with("JAVA_HOME", checkout.addJdk("old", "17.0.15"));

        assertThat(checkout.run().exitCode()).isZero();
        assertThat(javaHome()).isEqualTo(checkout.jvms().resolve("from-path"));
    }

    @Test
    void theOldestSufficientOfTheFoldersComesLast() throws Exception {
        checkout.addJdk("a", "27-ea");
        checkout.addJdk("b", "25.0.1");
        checkout.addJdk("c", "26.0.1");
        checkout.addJdk("d", "1.8.0_402");
        checkout.linkOnPath(checkout.addJdk("e", "21.0.2"));
        checkout.addMaven();

        assertThat(checkout.run().exitCode()).isZero();
        assertThat(javaHome()).isEqualTo(checkout.jvms().resolve("b"));
    }

    @Test
    void aJdkWithoutReleaseFileIsAsked() throws Exception {
        Path home = checkout.addJdk("bare", "25.0.2");
        Files.delete(home.resolve("release"));
        Files.createSymbolicLink(machine.resolve("bin/java"), home.resolve("bin/java"));
        checkout.addMaven();

        assertThat(checkout.run().exitCode()).isZero();
        assertThat(javaHome()).isEqualTo(home);
    }

    @Test
    void macOsBundlesAreFound() throws Exception {
        checkout.addJdk("temurin-25.jdk/Contents/Home", "25.0.1");
        checkout.addMaven();

        assertThat(checkout.run().exitCode()).isZero();
        assertThat(javaHome()).isEqualTo(checkout.jvms().resolve("temurin-25.jdk/Contents/Home"));
    }

    @Test
    void withoutJdkItSaysWhatToInstall() throws Exception {
        checkout.linkOnPath(checkout.addJdk("old", "21.0.2"));
        checkout.addJre("runtime-only", "25.0.1");
        checkout.addMaven();

        Result result = checkout.run("--help");

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(String.join("\n", result.errors()))
                .startsWith("meridian: no JDK 25 or newer found")
                .contains("apt install openjdk-25-jdk", "brew install openjdk@25", "Eclipse Temurin 25", "JAVA_HOME");
        assertThat(checkout.recorded("maven")).isEmpty();
    }

    @Test
    void withoutMavenItSaysWhatToInstall() throws Exception {
        checkout.addJdk("jdk", "25");

        Result result = checkout.run();

        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(String.join("\n", result.errors()))
                .startsWith("meridian: building needs Maven")
                .contains("apt install maven", "brew install maven");
    }

    @Test
    void nothingIsBuiltOrSaidTwice() throws Exception {
        machineWithAll();

        assertThat(checkout.run().errors()).containsExactly(FIRST_USE);
        Files.delete(machine.resolve("bin/mvn"));
        assertThat(checkout.run()).isEqualTo(new Result(0, List.of()));
        assertThat(checkout.recorded("maven")).hasSize(1);
    }

    @Test
    void changedAddedAndDeletedSourcesAreBuilt() throws Exception {
        machineWithAll();
        checkout.run();

        checkout.write("node/src/main/java/A.java", "class A { }");
        assertThat(checkout.run().errors()).containsExactly(SOURCES_CHANGED);
        Path added = checkout.write("node/src/main/java/B.java", "class B {}");
        assertThat(checkout.run().errors()).containsExactly(SOURCES_CHANGED);
        checkout.write("node/pom.xml", "<project></project>");
        assertThat(checkout.run().errors()).containsExactly(SOURCES_CHANGED);
        Files.move(added, added.resolveSibling("C.java"));
        assertThat(checkout.run().errors()).containsExactly(SOURCES_CHANGED);
        Files.delete(added.resolveSibling("C.java"));
        assertThat(checkout.run().errors()).containsExactly(SOURCES_CHANGED);

        checkout.write("node/src/test/java/ATest.java", "class ATest {}");
        assertThat(checkout.run().errors()).isEmpty();
        assertThat(checkout.recorded("maven")).hasSize(6);
    }

    @Test
    void aBuildHoldsExactlyItsClassPathAndThreeStay() throws Exception {
        machineWithAll();
        for (int build = 0; build < 5; build++) {
            checkout.write("node/src/main/java/A.java", "class A { int build = " + build + "; }");
            checkout.run();
        }

        try (Stream<Path> builds = Files.list(checkout.root().resolve("node/target/launch"))) {
            assertThat(builds)
                    .hasSize(3)
                    .allSatisfy(build -> assertThat(build)
                            .isDirectoryNotContaining("glob:**stale*")
                            .isDirectoryContaining("glob:**/third.jar")
                            .isDirectoryContaining("glob:**/meridian-engine.jar")
                            .isDirectoryContaining("glob:**/meridian-node.jar"));
        }
    }

    @Test
    void aBuildThatLooksOldIsNotPrunedAtOnce() throws Exception {
        machineWithAll();
        Path builds = checkout.root().resolve("node/target/launch");
        FileTime later = FileTime.from(Instant.parse("2100-01-01T00:00:00Z"));
        for (String other : List.of("1-1", "2-2", "3-3")) {
            Files.setLastModifiedTime(Files.createDirectories(builds.resolve(other)), later);
        }

        assertThat(checkout.run()).isEqualTo(new Result(0, List.of(SOURCES_CHANGED)));
        assertThat(checkout.run()).isEqualTo(new Result(0, List.of()));
    }

    @Test
    void aFailedBuildShowsWhatMavenSaidAndIsTriedAgain() throws Exception {
        machineWithAll();
        checkout.with("FAKE_MAVEN_EXIT", 3);

        for (int attempt = 0; attempt < 2; attempt++) {
            Result result = checkout.run();
            assertThat(result.exitCode()).isEqualTo(1);
            assertThat(result.errors())
                    .hasSize(3)
                    .startsWith(FIRST_USE, "[ERROR] A.java: what Maven said")
                    .last()
                    .asString()
                    .startsWith("meridian: the build failed");
        }
        assertThat(checkout.recorded("maven")).hasSize(2);
        assertThat(checkout.recorded("java.arguments")).isEmpty();
    }

    @Test
    void argumentsAndTheExitCodePassThrough() throws Exception {
        machineWithAll();
        checkout.with("FAKE_JAVA_EXIT", 7);

        Result result = checkout.run("verify", "a b", "", "*", "$HOME", "--x=\"y\"");

        assertThat(result.exitCode()).isEqualTo(7);
        List<String> arguments = checkout.recorded("java.arguments");
        int main = arguments.indexOf("dev.meridian.node.Main");
        assertThat(arguments.subList(main + 1, arguments.size()))
                .containsExactly("verify", "a b", "", "*", "$HOME", "--x=\"y\"");
        assertThat(arguments.subList(0, main))
                .contains(
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-Dmeridian.home=" + checkout.root())
                .last()
                .asString()
                .matches(Pattern.quote(checkout.root() + "/node/target/launch/") + "[0-9]+-[0-9]+/\\*");
    }

    @Test
    void aCacheOfClassesIsMadeWithTheBuildAndUsed() throws Exception {
        machineWithAll();
        checkout.with("FAKE_JAVA_TRAINS", 1);

        assertThat(checkout.run()).isEqualTo(new Result(0, List.of(FIRST_USE)));
        List<String> arguments = checkout.recorded("java.arguments");
        String cache = arguments.stream()
                .filter(argument -> argument.startsWith("-XX:AOTCache="))
                .map(argument -> argument.substring(argument.indexOf('=') + 1))
                .findFirst()
                .orElseThrow();
        assertThat(Path.of(cache)).hasContent("cache");
        assertThat(checkout.run()).isEqualTo(new Result(0, List.of()));
        assertThat(checkout.recorded("java.arguments")).isEqualTo(arguments);
    }

    @Test
    void withoutACacheItStartsAllTheSame() throws Exception {
        machineWithAll();

        assertThat(checkout.run()).isEqualTo(new Result(0, List.of(FIRST_USE)));
        assertThat(checkout.recorded("java.arguments")).noneMatch(argument -> argument.startsWith("-XX:AOTCache="));
    }

    @Test
    void ownFlagsComeLastAndReplaceTheCollector() throws Exception {
        machineWithAll();

        checkout.run();
        assertThat(checkout.recorded("java.arguments")).contains("-XX:+UseG1GC");
        checkout.with("MERIDIAN_JAVA_OPTS", "-Xmx1g -XX:+UseZGC -Da=*").run();
        assertThat(checkout.recorded("java.arguments"))
                .doesNotContain("-XX:+UseG1GC")
                .containsSubsequence("-Dmeridian.home=" + checkout.root(), "-Xmx1g", "-XX:+UseZGC", "-Da=*", "-cp");
    }

    @Test
    void itWorksThroughLinksFromAnywhere() throws Exception {
        machineWithAll();
        Path folder = Files.createDirectories(machine.resolve("some where/below"));
        Files.createSymbolicLink(machine.resolve("first link"), Path.of("check out/meridian"));
        Path link = Files.createSymbolicLink(machine.resolve("some where/second"), Path.of("../first link"));

        Result result = Checkout.finish(checkout.start(folder, folder.relativize(link), "up"));

        assertThat(result).isEqualTo(new Result(0, List.of(FIRST_USE)));
        assertThat(checkout.recorded("java.arguments")).contains("-Dmeridian.home=" + checkout.root());
        assertThat(checkout.recorded("java.place")).last().isEqualTo(folder.toString());
    }

    @Test
    void aNameWithoutFolderIsTheCurrentOne() throws Exception {
        machineWithAll();

        Result result = Checkout.finish(checkout.start(checkout.root(), Path.of("meridian")));

        assertThat(result).isEqualTo(new Result(0, List.of(FIRST_USE)));
    }

    @Test
    void testRunsVerifyAndPassesMavensExitCode() throws Exception {
        machineWithAll();

        assertThat(checkout.run("test").exitCode()).isZero();
        assertThat(checkout.run("--help").errors())
                .as("what was tested is launched")
                .isEmpty();
        checkout.with("FAKE_MAVEN_EXIT", 3);
        assertThat(checkout.run("test", "-pl", "engine", "-Dtest=A b").exitCode())
                .isEqualTo(3);
        assertThat(checkout.recorded("maven"))
                .extracting(line -> line.replaceFirst("^.* -B ", ""))
                .containsExactly("verify", "verify -pl engine -Dtest=A b");
    }

    @Test
    void twoLaunchesAtOnceBuildOnce() throws Exception {
        machineWithAll();
        checkout.with("FAKE_MAVEN_WAITS", "yes");

        Process first = checkout.start(machine, checkout.launcher());
        BufferedReader firstErrors = first.errorReader(StandardCharsets.UTF_8);
        assertThat(firstErrors.readLine()).isEqualTo(FIRST_USE);
        Process second = checkout.start(machine, checkout.launcher());
        BufferedReader secondErrors = second.errorReader(StandardCharsets.UTF_8);
        assertThat(secondErrors.readLine()).isEqualTo("Waiting for another build (process " + first.pid() + ") ...");
        Files.createFile(checkout.record("go"));

        assertThat(first.waitFor()).isZero();
        assertThat(second.waitFor()).isZero();
        assertThat(secondErrors.readLine()).isNull();
        assertThat(checkout.recorded("maven")).hasSize(1);
    }

    @Test
    void theLockOfADeadProcessIsBroken() throws Exception {
        machineWithAll();
        Process dead = new ProcessBuilder("true").start();
        dead.waitFor();
        checkout.write(".meridian/build.lock", dead.pid() + "\n");

        assertThat(checkout.run()).isEqualTo(new Result(0, List.of(FIRST_USE)));
        assertThat(checkout.root().resolve(".meridian/build.lock")).doesNotExist();
    }

    @Test
    void theBuildCannotWaitForItself() throws Exception {
        machineWithAll();
        long build = ProcessHandle.current().pid();
        checkout.write(".meridian/build.lock", build + "\n");

        Result result = checkout.with("MERIDIAN_BUILD", build).run();

        assertThat(result).isEqualTo(new Result(1, List.of("meridian: called by the build it would wait for")));
    }

    private void machineWithAll() throws IOException {
        checkout.addJdk("jdk", "25.0.1");
        checkout.addMaven();
    }

    private Path javaHome() throws IOException {
        return Path.of(Objects.requireNonNull(checkout.recorded("java.place").getFirst()));
    }
}
