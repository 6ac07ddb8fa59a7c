package dev.meridian.edge.violation;

import com.typesafe.config.Config;

/** Reads configuration, and may. */
public interface HarmlessSettings {
    Config config();
}
