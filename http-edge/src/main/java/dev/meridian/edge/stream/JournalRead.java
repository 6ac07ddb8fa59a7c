package dev.meridian.edge.stream;

import dev.meridian.protocol.Entry;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What had arrived since the last read, in order.
 *
 * @param end null while more may come
 */
public record JournalRead(List<Entry> entries, @Nullable StreamEnd end) {}
