package dev.meridian.protocol.cluster;

/**
 * What is asked of a model at an edge, or at all edges of a region together. Averages decay with half-lives of the
 * configuration: requests with {@code meridian.placement.demand-half-life}, tokens and streams with {@code load-half-life}.
 *
 * @param requestsPerSecond that came, on average
 * @param tokensPerSecond that went to clients, on average
 * @param streams that ran or waited at a time, on average
 * @param waiting requests that wait now, because nothing is loaded that may serve them
 * @param waitingMillis for how long the first of them waits
 * @param idleMillis since the last request, or the last token of one
 */
public record ModelDemand(
        String model,
        double requestsPerSecond,
        double tokensPerSecond,
        double streams,
        int waiting,
        long waitingMillis,
        long idleMillis) {
    /** Nobody has ever asked. */
    public static ModelDemand none(String model) {
        return new ModelDemand(model, 0, 0, 0, 0, 0, Long.MAX_VALUE);
    }

    /** Of both together. */
    public ModelDemand plus(ModelDemand other) {
        return new ModelDemand(
                model,
                requestsPerSecond + other.requestsPerSecond,
                tokensPerSecond + other.tokensPerSecond,
                streams + other.streams,
                waiting + other.waiting,
                Math.max(waitingMillis, other.waitingMillis),
                Math.min(idleMillis, other.idleMillis));
    }
}
