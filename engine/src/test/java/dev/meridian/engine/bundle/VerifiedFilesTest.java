package dev.meridian.engine.bundle;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class VerifiedFilesTest {
    private static final String OTHER = "0".repeat(64);

    @TempDir
    private Path folder;

    private Path record() {
        return folder.resolve("state/verified");
    }

    private VerifiedFiles later() {
        return VerifiedFiles.at(record(), Clock.fixed(Instant.now().plus(Duration.ofHours(1)), ZoneOffset.UTC));
    }

    private String digest(VerifiedFiles files, Path file) throws IOException {
        String digest = files.sha256(file, FileStamp.of(file));
        files.save();
        return digest;
    }

    /** Makes the record lie: what still comes from it is not read. */
    private void forge(Path file) throws IOException {
        List<String> lines = Files.readAllLines(record());
        assertThat(lines).hasSize(2);
        String line = lines.get(1).substring(16).replace(Bundle.sha256(file), OTHER);
        String check = java.util.HexFormat.of()
                .formatHex(Bundle.newSha256().digest(line.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1)))
                .substring(0, 16);
        Files.writeString(record(), lines.getFirst() + "\n" + check + line + "\n");
    }

    @Test
    void whatIsUnchangedIsNotReadAgain() throws IOException {
        Path file = Files.writeString(folder.resolve("a"), "one");
        assertThat(digest(later(), file)).isEqualTo(Bundle.sha256(file));
        forge(file);
        assertThat(digest(later(), file)).isEqualTo(OTHER);
    }

    @Test
    void contentThatChangedIsReadAlthoughItsTimeWasSetBack() throws IOException {
        Path file = Files.writeString(folder.resolve("a"), "one");
        FileTime before = Files.getLastModifiedTime(file);
        digest(later(), file);
        forge(file);
        Files.writeString(file, "two");
        Files.setLastModifiedTime(file, before);
        assertThat(digest(later(), file)).isEqualTo(Bundle.sha256(file));
    }

    @Test
    void aDamagedLineIsNotBelieved() throws IOException {
        Path file = Files.writeString(folder.resolve("a"), "one");
        digest(later(), file);
        Files.writeString(record(), Files.readString(record()).replace(Bundle.sha256(file), OTHER));
        assertThat(digest(later(), file)).isEqualTo(Bundle.sha256(file));
    }

    @Test
    void aFileThatJustChangedIsNotRemembered() throws IOException {
        Path file = Files.writeString(folder.resolve("a"), "one");
        digest(VerifiedFiles.at(record(), Clock.systemUTC()), file);
        assertThat(record()).doesNotExist();
    }

    @Test
    void theRecordStaysBounded() throws IOException {
        Path file = folder.resolve("a");
        VerifiedFiles files = later();
        for (int i = 0; i < 4200; i++) {
            Files.writeString(file, "x".repeat(i % 7));
            Files.setLastModifiedTime(file, FileTime.fromMillis(1_000L * i));
            files.sha256(file, FileStamp.of(file));
        }
        files.save();
        assertThat(Files.readAllLines(record())).hasSize(4097);
    }
}
