package dev.meridian.actors.violation;

import org.apache.pekko.http.javadsl.model.HttpRequest;

/** Pekko HTTP beside the edge. */
public interface HttpOutsideTheEdge {
    HttpRequest request();
}
