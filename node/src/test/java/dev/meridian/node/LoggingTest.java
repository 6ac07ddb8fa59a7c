package dev.meridian.node;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.joran.spi.JoranException;
import java.util.Objects;
import org.junit.jupiter.api.Test;

final class LoggingTest {
    private final LoggerContext context = new LoggerContext();

    @Test
    void librariesAreQuietByDefault() throws JoranException {
        configure();

        assertThat(level("dev.meridian.engine")).isEqualTo(Level.INFO);
        assertThat(level("org.apache.pekko.actor")).isEqualTo(Level.WARN);
    }

    @Test
    void levelsFollowTheirProperties() throws JoranException {
        context.putProperty("meridian.log.level", "TRACE");
        context.putProperty("meridian.log.others", "DEBUG");
        configure();

        assertThat(level("dev.meridian.engine")).isEqualTo(Level.TRACE);
        assertThat(level("org.apache.pekko.actor")).isEqualTo(Level.DEBUG);
    }

    @Test
    void theLogGoesToStandardError() throws JoranException {
        configure();

        assertThat(context.getLogger("ROOT").getAppender("STDERR"))
                .isInstanceOfSatisfying(
                        ConsoleAppender.class,
                        appender -> assertThat(appender.getTarget()).isEqualTo("System.err"));
    }

    private void configure() throws JoranException {
        JoranConfigurator configurator = new JoranConfigurator();
        configurator.setContext(context);
        configurator.doConfigure(Objects.requireNonNull(LoggingTest.class.getResource("/logback.xml")));
    }

    private Level level(String logger) {
        return context.getLogger(logger).getEffectiveLevel();
    }
}
