package dev.meridian.node;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A checkout with the real launcher, sources that nobody compiles, and a machine around it that holds only what is put
 * there: JDKs and a Maven that write down how they were called.
 */
final class Checkout {
    /** What the launcher may call besides Java and Maven: POSIX tools only. */
    private static final List<String> TOOLS = List.of(
            "cat",
            "cksum",
            "cp",
            "find",
            "grep",
            "ln",
            "ls",
            "mkdir",
            "mv",
            "readlink",
            "rm",
            "rmdir",
            "sed",
            "sleep",
            "sort",
            "tail");

    private final List<String> shell;
    private final Path machine;
    private final Map<String, String> environment = new HashMap<>();

    /** @param shell the command that runs scripts, its first word an absolute path */
    Checkout(List<String> shell, Path machine) throws IOException {
        this.shell = shell;
        this.machine = machine;
        Files.createDirectories(jvms());
        Files.createDirectories(root());
        Files.createDirectories(machine.resolve("bin"));
        for (String tool : TOOLS) {
            Files.createSymbolicLink(
                    machine.resolve("bin").resolve(tool),
                    onPath(tool).findFirst().orElseThrow());
        }
        Files.copy(Path.of(System.getProperty("meridian.root"), "meridian"), launcher());
        executable(launcher());
        write("pom.xml", "<project/>");
        write("node/pom.xml", "<project/>");
        write("node/src/main/java/A.java", "class A {}");
        environment.put("PATH", machine.resolve("bin").toString());
        environment.put("HOME", machine.toString());
        environment.put("MERIDIAN_JVM_DIRS", machine.resolve("nothing") + ":" + jvms());
    }

    /** Every file of this name in the folders of this process's PATH. */
    static Stream<Path> onPath(String name) {
        return Stream.of(System.getenv("PATH").split(":", -1))
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable);
    }

    Path root() {
        return machine.resolve("check out");
    }

    Path launcher() {
        return root().resolve("meridian");
    }

    /** The folder that the launcher searches for JDKs. */
    Path jvms() {
        return machine.resolve("jvm s");
    }

    Path write(String file, String content) throws IOException {
        Path path = root().resolve(file);
        Files.createDirectories(path.getParent());
        return Files.writeString(path, content);
    }

    Checkout with(String variable, Object value) {
        environment.put(variable, value.toString());
        return this;
    }

    /**
     * A JDK whose {@code java} writes its arguments, its own path and its folder to {@code java.*} files. It makes a cache of classes
     * where FAKE_JAVA_TRAINS is set, and else fails to.
     */
    Path addJdk(String name, String version) throws IOException {
        Path home = addJre(name, version);
        executable(Files.writeString(home.resolve("bin/javac"), "#!/bin/sh\n"));
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
        return home;
    }

    Path addJre(String name, String version) throws IOException {
        Path home = jvms().resolve(name);
        Files.createDirectories(home.resolve("bin"));
        String script = """
                #!/bin/sh
                case $1 in
                  -version) echo 'openjdk version "%s" 2026-01-01' >&2; exit ;;
                  -XshowSettings*) echo '    java.home = %s' >&2; exit ;;
                esac
                case $1 in
                  -XX:AOTCacheOutput=*)
                    [ -n "$FAKE_JAVA_TRAINS" ] || exit 1
                    echo cache >"${1#*=}"
                    exit ;;
                esac
                printf '%%s\\n' "$@" >'%s'
                printf '%%s\\n' '%s' "$(pwd)" >'%s'
                exit ${FAKE_JAVA_EXIT:-0}
                """.formatted(version, home, record("java.arguments"), home, record("java.place"));
        executable(Files.writeString(home.resolve("bin/java"), script));
        return home;
    }

    /** Puts the {@code java} of a home on PATH, as Debian does it. */
    void linkOnPath(Path home) throws IOException {
        Path alternative = Files.createSymbolicLink(machine.resolve("alternative"), home.resolve("bin/java"));
        Files.createSymbolicLink(machine.resolve("bin/java"), alternative);
    }

    /** A Maven that "builds", and waits for a file named {@code go} where FAKE_MAVEN_WAITS is set. */
    Checkout addMaven() throws IOException {
        String script = """
                #!/bin/sh
                printf '%%s\\n' "$JAVA_HOME $*" >>'%1$s'
                while [ -n "$FAKE_MAVEN_WAITS" ] && [ ! -e '%2$s' ]; do sleep 0.02; done
                echo '[INFO] chatter'
                echo '[ERROR] A.java: what Maven said'
                [ -z "$FAKE_MAVEN_EXIT" ] || exit $FAKE_MAVEN_EXIT
                mkdir -p node/target/lib
                echo third >node/target/lib/third.jar
                echo stale >node/target/lib/stale.jar
                echo engine >node/target/lib/meridian-engine.jar
                echo node >node/target/meridian-node.jar
                printf 'lib/third.jar:lib/meridian-engine.jar' >node/target/classpath
                """.formatted(record("maven"), record("go"));
        executable(Files.writeString(machine.resolve("bin/mvn"), script));
        return this;
    }

    /** Lines of what {@code java.arguments}, {@code java.place} or {@code maven} wrote down; none where it never ran. */
    List<String> recorded(String name) throws IOException {
        Path file = record(name);
        return Files.exists(file) ? Files.readAllLines(file) : List.of();
    }

    Path record(String name) {
        return machine.resolve("record." + name);
    }

    Result run(String... arguments) throws IOException, InterruptedException {
        return finish(start(machine, launcher(), arguments));
    }

    Process start(Path folder, Path script, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(shell);
        command.add(script.toString());
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        return builder.start();
    }

    static Result finish(Process process) throws IOException, InterruptedException {
        process.getOutputStream().close();
        List<String> lines = new ArrayList<>();
        try (BufferedReader errors = process.errorReader(StandardCharsets.UTF_8)) {
            errors.lines().forEach(lines::add);
        }
        return new Result(process.waitFor(), List.copyOf(lines));
    }

    /** The launcher's exit code and the lines on its stderr. */
    record Result(int exitCode, List<String> errors) {}

    private static void executable(Path file) throws IOException {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
