package dev.meridian.engine.text;

import java.util.List;

/** Finds stop texts in a growing text. Holds back what may become one; never gives out a stop text or what follows it. */
public final class StopMatcher {
    private final List<String> stops;
    private String held = "";
    private boolean stopped;

    public StopMatcher(List<String> stops) {
        this.stops = List.copyOf(stops);
    }

    public String append(String delta) {
        if (stopped) {
            return "";
        }
        String text = held + delta;
        int first = -1;
        for (String stop : stops) {
            int at = text.indexOf(stop);
            if (at >= 0 && (first < 0 || at < first)) {
                first = at;
            }
        }
        if (first >= 0) {
            stopped = true;
            held = "";
            return text.substring(0, first);
        }
        int keep = 0;
        for (String stop : stops) {
            for (int n = Math.min(stop.length() - 1, text.length()); n > keep; n--) {
                if (text.endsWith(stop.substring(0, n))) {
                    keep = n;
                    break;
                }
            }
        }
        held = text.substring(text.length() - keep);
        return text.substring(0, text.length() - keep);
    }

    public boolean stopped() {
        return stopped;
    }

    public String flush() {
        String rest = held;
        held = "";
        return rest;
    }
}
