package dev.meridian.node;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The phrasings that Atlas was trained on: {@code {rule}} in lower case names a list of alternatives, {@code {SLOT}} in upper
 * case stands for a fact's part. Compares letters, digits and slots alone, so that neither case nor punctuation nor space
 * makes a phrasing new.
 */
final class PhrasingGrammar {
    private static final Pattern REFERENCE = Pattern.compile("\\{([a-z_]+)}");

    /** Letters and digits of a phrasing, slots as they stand: {@code {A_UNIT}} stays. */
    static String normalise(String phrasing) {
        StringBuilder normal = new StringBuilder();
        Matcher parts = Pattern.compile("\\{[A-Z_]+}|[\\p{L}\\p{N}]").matcher(phrasing);
        while (parts.find()) {
            String part = parts.group();
            normal.append(part.startsWith("{") ? part : part.toLowerCase(Locale.ROOT));
        }
        return normal.toString();
    }

    private record Part(String text, boolean isRule) {}

    private final Map<String, List<List<Part>>> rules = new HashMap<>();
    private final Map<String, List<List<Part>>> kinds = new HashMap<>();

    private PhrasingGrammar() {}

    static PhrasingGrammar read(Path file) throws IOException {
        JsonNode root = new JsonMapper().readTree(file.toFile());
        PhrasingGrammar grammar = new PhrasingGrammar();
        root.required("rules").properties().forEach(rule -> grammar.rules.put(rule.getKey(), parse(rule.getValue())));
        root.required("kinds").properties().forEach(kind -> grammar.kinds.put(kind.getKey(), parse(kind.getValue())));
        return grammar;
    }

    private static List<List<Part>> parse(JsonNode alternatives) {
        List<List<Part>> parsed = new ArrayList<>();
        for (JsonNode alternative : alternatives) {
            parsed.add(parts(alternative.asText()));
        }
        return parsed;
    }

    private static List<Part> parts(String alternative) {
        List<Part> parts = new ArrayList<>();
        Matcher references = REFERENCE.matcher(alternative);
        int at = 0;
        while (references.find()) {
            parts.add(new Part(normalise(alternative.substring(at, references.start())), false));
            parts.add(new Part(references.group(1), true));
            at = references.end();
        }
        parts.add(new Part(normalise(alternative.substring(at)), false));
        return parts;
    }

    int kindCount() {
        return kinds.size();
    }

    /** Whether any kind of question can be phrased so. */
    boolean derives(String phrasing) {
        String text = normalise(phrasing);
        Map<String, BitSet> memo = new HashMap<>();
        return kinds.values().stream()
                .anyMatch(kind -> ends(kind, text, 0, memo).get(text.length()));
    }

    /** Where derivations of any of the alternatives that begin at {@code start} may end. */
    private BitSet ends(List<List<Part>> alternatives, String text, int start, Map<String, BitSet> memo) {
        BitSet all = new BitSet();
        for (List<Part> alternative : alternatives) {
            BitSet reached = new BitSet();
            reached.set(start);
            for (Part part : alternative) {
                BitSet next = new BitSet();
                reached.stream().forEach(at -> next.or(partEnds(part, text, at, memo)));
                reached = next;
            }
            all.or(reached);
        }
        return all;
    }

    private BitSet partEnds(Part part, String text, int at, Map<String, BitSet> memo) {
        if (!part.isRule()) {
            BitSet end = new BitSet();
            if (text.startsWith(part.text(), at)) {
                end.set(at + part.text().length());
            }
            return end;
        }
        String key = part.text() + "@" + at;
        BitSet known = memo.get(key);
        if (known == null) {
            List<List<Part>> alternatives = rules.get(part.text());
            if (alternatives == null) {
                throw new IllegalStateException("no rule '" + part.text() + "'");
            }
            known = ends(alternatives, text, at, memo);
            memo.put(key, known);
        }
        return known;
    }
}
