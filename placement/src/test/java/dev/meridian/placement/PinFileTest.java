package dev.meridian.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.meridian.protocol.cluster.Change;
import dev.meridian.protocol.cluster.Change.Effect;
import dev.meridian.protocol.cluster.Change.State;
import dev.meridian.protocol.cluster.Change.Undone;
import dev.meridian.protocol.cluster.Change.Verb;
import dev.meridian.protocol.cluster.ModelPlacement;
import dev.meridian.protocol.cluster.Pin;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementEvent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PinFileTest {
    @TempDir
    Path folder;

    private Path path;

    @BeforeEach
    void name() {
        path = folder.resolve("state").resolve("pins.jsonl");
    }

    /** With everything that a table can hold, and texts of more than one line and one alphabet. */
    private static PinTable table(long generation) {
        return new PinTable(
                "eu",
                generation,
                List.of(
                        new Pin(Facts.replica("m", 1), "a", 3, "b"),
                        new Pin(Facts.replica("m", 2), "c", generation, null)),
                List.of("a"),
                List.of(new ModelPlacement("m", 2, List.of("b", "c")), new ModelPlacement("n", 0, List.of())),
                List.of(
                        new Change(
                                "chg-1",
                                Verb.MOVE,
                                "Jürgen 🙂",
                                Facts.replica("m", 1),
                                "a",
                                "b",
                                List.of("one", "two\nlines"),
                                State.RUNNING,
                                "loads on b",
                                3,
                                1_700_000_000_000L,
                                1_700_000_000_250L,
                                "key",
                                Effect.loading(1L << 40, 1500)),
                        new Change(
                                "chg-2",
                                Verb.UNDRAIN,
                                "me",
                                null,
                                "a",
                                null,
                                List.of(),
                                State.DONE,
                                "",
                                2,
                                1,
                                1,
                                null,
                                new Effect(
                                        7,
                                        Effect.UNKNOWN,
                                        true,
                                        "m",
                                        new ModelPlacement("m", 2, List.of("b", "c")),
                                        new ModelPlacement("m", 1, List.of()),
                                        List.of(new Pin(Facts.replica("m", 2), "c", 3, null)),
                                        new Undone("chg-1", Verb.PLACE)))),
                List.of(new PlacementEvent(
                        generation,
                        0,
                        1_700_000_000_250L,
                        PlacementEvent.Kind.MOVING,
                        "Jürgen 🙂",
                        "m",
                        Facts.replica("m", 1),
                        "b",
                        "a",
                        "chg-1: move")));
    }

    private void write(long... generations) throws IOException {
        PinFile file = new PinFile(path);
        for (long generation : generations) {
            file.append(table(generation));
        }
    }

    private PinTable read() throws IOException {
        return new PinFile(path).read("eu");
    }

    @Test
    void aTableComesBackAsItWas() throws IOException {
        write(7);

        assertThat(read()).isEqualTo(table(7));
    }

    /** As it was written before operators could place models. */
    @Test
    void aTableOfAnEarlierVersionIsRead() throws IOException {
        Files.createDirectories(path.getParent());
        Files.writeString(path, """
                4a56a4b1 {"region":"eu","generation":7,"pins":[{"replica":{"region":"eu","model":"m",\
                "digest":"0123456789ab","number":1},"node":"a","generation":3,"next":"b"}],"draining":["c"],\
                "changes":[{"id":"chg-1","verb":"MOVE","by":"me","replica":{"region":"eu","model":"m",\
                "digest":"0123456789ab","number":1},"from":"a","to":"b","plan":["one"],"state":"RUNNING",\
                "progress":"loads on b","generation":3,"startedEpochMillis":1,"changedEpochMillis":2,\
                "idempotencyKey":null}]}
                """);
        Change move = new Change(
                "chg-1",
                Verb.MOVE,
                "me",
                Facts.replica("m", 1),
                "a",
                "b",
                List.of("one"),
                State.RUNNING,
                "loads on b",
                3,
                1,
                2,
                null,
                Effect.NONE);

        assertThat(read())
                .isEqualTo(new PinTable(
                        "eu",
                        7,
                        List.of(new Pin(Facts.replica("m", 1), "a", 3, "b")),
                        List.of("c"),
                        List.of(),
                        List.of(move),
                        List.of()));
    }

    @Test
    void theHighestGenerationIsRead() throws IOException {
        write(1, 9, 3);

        assertThat(read()).isEqualTo(table(9));
    }

    @Test
    void whereNothingWasWrittenThereIsNoTable() throws IOException {
        assertThat(read()).isEqualTo(PinTable.empty("eu"));
        Files.createDirectories(folder.resolve("state"));
        assertThat(read()).isEqualTo(PinTable.empty("eu"));
        Files.createFile(path);
        assertThat(read()).isEqualTo(PinTable.empty("eu"));
    }

    @Test
    void aLineThatWasCutAnywhereCostsThatLineAlone() throws IOException {
        write(1);
        int whole = (int) Files.size(path);
        write(2);
        byte[] both = Files.readAllBytes(path);

        for (int length = whole; length < both.length - 1; length += 7) {
            Files.write(path, Arrays.copyOf(both, length));
            assertThat(read()).as("cut at %d", length).isEqualTo(table(1));

            write(3);

            assertThat(read()).as("written behind a cut at %d", length).isEqualTo(table(3));
        }
    }

    @Test
    void aLineWhoseEndAloneIsMissingIsWhole() throws IOException {
        write(1, 2);
        byte[] both = Files.readAllBytes(path);
        Files.write(path, Arrays.copyOf(both, both.length - 1));

        assertThat(read()).isEqualTo(table(2));
        write(3);
        assertThat(read()).isEqualTo(table(3));
        assertThat(Files.readAllLines(path)).hasSize(3);
    }

    @Test
    void aDamagedByteCostsItsLineAlone() throws IOException {
        write(1, 2);
        byte[] good = Files.readAllBytes(path);
        int second = new String(good, StandardCharsets.ISO_8859_1).indexOf('\n') + 1;

        for (int at = second; at < good.length - 1; at += 5) {
            byte[] bad = good.clone();
            bad[at] ^= 0x20;
            Files.write(path, bad);

            assertThat(read()).as("byte %d", at).isEqualTo(table(1));
        }
    }

    @Test
    void whatIsNoTableIsNotRead() throws IOException {
        write(1);
        Files.writeString(path, "\nnoise\n \n00000000 {}\n", StandardOpenOption.APPEND);

        assertThat(read()).isEqualTo(table(1));
    }

    @Test
    void aFileOfAnotherRegionIsRefused() throws IOException {
        write(1);

        assertThatThrownBy(() -> new PinFile(path).read("us"))
                .isInstanceOf(IOException.class)
                .hasMessage(path + " holds the pins of region eu, and this node is in us;"
                        + " give it another meridian.node.state-dir, or move the file away");
    }

    @Test
    void aFileThatCannotBeReadIsNamed() throws IOException {
        Files.createDirectories(path);

        assertThatThrownBy(this::read)
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(path + " cannot be read: ");
    }

    @Test
    void aFileThatCannotBeWrittenKeepsItsTables() throws IOException {
        write(1);
        Path aside = folder.resolve("aside");
        PinFile file = new PinFile(path, 1);
        // A folder that is not empty stands where the new file would go.
        Files.createDirectories(path.resolveSibling("pins.jsonl.new").resolve("in the way"));

        assertThatThrownBy(() -> file.append(table(2))).isInstanceOf(IOException.class);

        assertThat(read()).isEqualTo(table(1));
        Files.move(path.resolveSibling("pins.jsonl.new"), aside);
        file.append(table(2));
        assertThat(read()).isEqualTo(table(2));
    }

    @Test
    void aLongFileIsWrittenAnewWithTheNewestTable() throws IOException {
        PinFile file = new PinFile(path, 3);
        for (int generation = 1; generation <= 7; generation++) {
            file.append(table(generation));

            assertThat(read()).isEqualTo(table(generation));
            assertThat(Files.readAllLines(path)).hasSize((generation - 1) % 3 + 1);
        }
        assertThat(path.resolveSibling("pins.jsonl.new")).doesNotExist();
    }

    @Test
    void linesOfEarlierStartsCount() throws IOException {
        write(1, 2, 3);

        new PinFile(path, 3).append(table(4));

        assertThat(Files.readAllLines(path)).hasSize(1);
        assertThat(read()).isEqualTo(table(4));
    }

    @Test
    void whatACrashLeftOfANewFileIsWrittenOver() throws IOException {
        write(1);
        Files.writeString(path.resolveSibling("pins.jsonl.new"), "half a li");

        new PinFile(path, 1).append(table(2));

        assertThat(read()).isEqualTo(table(2));
        assertThat(Files.readAllLines(path)).hasSize(1);
    }
}
