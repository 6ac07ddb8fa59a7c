package dev.meridian.engine.violation;

import java.util.logging.Logger;

/** Logs with what the platform brings. */
public interface LogsPastTheLog {
    Logger logger();
}
