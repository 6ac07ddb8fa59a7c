package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Atlas is examined with was never in its training text. */
class AtlasPhrasingsTest {
    private static final Path SOURCE = Path.of(System.getProperty("meridian.root"), "models", "atlas-src");

    @ParameterizedTest
    @CsvSource({"heldout.json, 100", "heldout-second.json, 20"})
    void noHeldOutPhrasingCanBeDerivedFromTheTrainingGrammar(String file, int least) throws IOException {
        PhrasingGrammar grammar = PhrasingGrammar.read(SOURCE.resolve("grammar.json"));
        List<String> derivable = new ArrayList<>();
        int phrasings = 0;
        JsonNode heldOut = new JsonMapper().readTree(SOURCE.resolve(file).toFile());
        for (var kind : heldOut.properties()) {
            for (JsonNode phrasing : kind.getValue()) {
                phrasings++;
                if (grammar.derives(phrasing.asText())) {
                    derivable.add(kind.getKey() + ": " + phrasing.asText());
                }
            }
        }
        assertThat(phrasings).isGreaterThanOrEqualTo(least);
        assertThat(derivable).isEmpty();
    }

    @Test
    void theGrammarDerivesWhatItWasMadeFor() throws IOException {
        PhrasingGrammar grammar = PhrasingGrammar.read(SOURCE.resolve("grammar.json"));
        assertThat(grammar.kindCount()).isGreaterThan(20);
        assertThat(grammar.derives("{C} - capital")).isTrue();
        assertThat(grammar.derives("Please: in {C}, which city is the capital?"))
                .isTrue();
        assertThat(grammar.derives("In {C}, which city is the capital of the moon?"))
                .isFalse();
    }
}
