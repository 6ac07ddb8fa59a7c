package dev.meridian.node;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/**
 * Files that a scenario names.
 *
 * @param folder of the scenario, which relative names start from
 */
record ScenarioFileSettings(Path folder) {
    /** What a parser makes of the lines of the file that a key names; its complaints get the key's place. */
    <T> T read(BlockSettings block, String key, Function<List<String>, T> parser) {
        Path file = folder.resolve(block.text(key));
        try {
            return parser.apply(Files.readAllLines(file));
        } catch (NoSuchFileException _) {
            throw block.refuse(key, file + ": no such file");
        } catch (AccessDeniedException _) {
            throw block.refuse(key, file + ": permission denied");
        } catch (MalformedInputException _) {
            throw block.refuse(key, file + ": not UTF-8");
        } catch (IOException e) {
            throw block.refuse(key, file + ": " + e.getMessage());
        } catch (IllegalArgumentException e) {
            throw block.refuse(key, file + ", " + e.getMessage());
        }
    }
}
