package dev.meridian.edge.admin;

import dev.meridian.edge.openai.ApiException;
import dev.meridian.protocol.cluster.PinTable;
import dev.meridian.protocol.cluster.PlacementEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The events of all regions, each once, those of a region in their order. What was read last stands in an event's name: its own
 * {@code region:generation:index}, then those of the other regions' last ones, so that a reader who comes back, to whichever
 * node, misses nothing that is still kept. One thread.
 */
final class EventFeed {
    private static final Pattern PLACE = Pattern.compile("([a-z0-9-]{1,32}):([0-9]{1,18}):([0-9]{1,9})");

    private final Map<String, Place> last = new TreeMap<>();

    private record Place(long generation, int index) {}

    /**
     * An event.
     *
     * @param id {@code region:generation:index}
     * @param name to continue behind it
     */
    record Item(String id, String name, String region, PlacementEvent event) {}

    /** From the first event that is kept. */
    EventFeed() {}

    /** Behind the event of that name; throws ApiException where that can be none. */
    EventFeed(String name) {
        for (String part : name.split(",", -1)) {
            Matcher place = PLACE.matcher(part);
            if (!place.matches()) {
                throw ApiException.invalid(
                        "invalid_value",
                        "Last-Event-ID",
                        "Invalid value for 'Last-Event-ID': expected one that an event had.");
            }
            last.put(place.group(1), new Place(Long.parseLong(place.group(2)), Integer.parseInt(place.group(3))));
        }
    }

    /** Those that have come since the last call; of two regions' the earlier one first. */
    List<Item> next(List<PinTable> tables) {
        Map<String, Queue<PlacementEvent>> fresh = new TreeMap<>();
        for (PinTable table : tables) {
            Place place = last.get(table.region());
            Queue<PlacementEvent> events = new ArrayDeque<>(table.events().stream()
                    .filter(event -> place == null || event.isAfter(place.generation(), place.index()))
                    .toList());
            if (!events.isEmpty()) {
                fresh.put(table.region(), events);
            }
        }
        List<Item> items = new ArrayList<>();
        for (var head = earliest(fresh); head.isPresent(); head = earliest(fresh)) {
            items.add(item(head.get().getKey(), head.get().getValue().remove()));
        }
        return items;
    }

    private static Optional<Map.Entry<String, Queue<PlacementEvent>>> earliest(
            Map<String, Queue<PlacementEvent>> fresh) {
        return fresh.entrySet().stream()
                .filter(entry -> !entry.getValue().isEmpty())
                .min(Comparator.comparingLong(
                        entry -> entry.getValue().element().atEpochMillis()));
    }

    private Item item(String region, PlacementEvent event) {
        last.put(region, new Place(event.generation(), event.index()));
        StringBuilder name = new StringBuilder(place(region));
        last.keySet().stream()
                .filter(other -> !other.equals(region))
                .forEach(other -> name.append(',').append(place(other)));
        return new Item(place(region), name.toString(), region, event);
    }

    private String place(String region) {
        Place place = last.get(region);
        return place == null ? region : region + ":" + place.generation() + ":" + place.index();
    }
}
