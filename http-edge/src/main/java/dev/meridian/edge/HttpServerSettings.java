package dev.meridian.edge;

import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.settings.ServerSettings;

/** Pekko HTTP's own settings: what its configuration says, with the edge's bounds and what our protocol needs. */
final class HttpServerSettings {
    private static final Map<String, Object> PARSING = Map.of(
            "pekko.http.server.parsing.error-handler",
            MalformedRequests.class.getName(),
            // Clients' headers need not please a strict parser, and must not land in the log.
            "pekko.http.server.parsing.modeled-header-parsing",
            false,
            "pekko.http.server.parsing.illegal-header-warnings",
            false,
            // What clients send and get stays off the log, and HTTP/2 off the wire, whatever a user's file says.
            "pekko.http.server.log-unencrypted-network-bytes",
            "off",
            "pekko.http.server.enable-http2",
            false);

    private HttpServerSettings() {}

    static ServerSettings of(ActorSystem<?> system, EdgeSettings settings) {
        ServerSettings server = ServerSettings.create(ConfigFactory.parseMap(PARSING)
                .withValue(
                        "pekko.http.server.socket-options.so-send-buffer-size",
                        ConfigValueFactory.fromAnyRef(settings.sendBufferBytes()))
                .withFallback(system.settings().config()));
        return server.withServerHeader(Optional.empty())
                .withMaxConnections(settings.maxConnections())
                .withTransparentHeadRequests(true)
                // Two, so that the socket is read, and a client's FIN seen, while a request is being answered.
                .withPipeliningLimit(2)
                .withParserSettings(server.getParserSettings().withMaxContentLength(settings.maxBodyBytes()))
                // Deadlines and idleness are the connection stage's: it knows whether a request is in flight.
                .withTimeouts(server.getTimeouts()
                        .withRequestTimeout(scala.concurrent.duration.Duration.Zero())
                        .withIdleTimeout(scala.concurrent.duration.Duration.Inf()));
    }
}
