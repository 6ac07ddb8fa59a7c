package dev.meridian.edge.violation;

import com.typesafe.config.Config;

/** Reads configuration without being called settings. */
public interface ReadsConfiguration {
    Config config();
}
