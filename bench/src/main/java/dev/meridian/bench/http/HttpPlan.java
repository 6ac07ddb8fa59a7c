package dev.meridian.bench.http;

/**
 * What {@code bench http} is asked to do.
 *
 * @param streams that run at a time
 * @param rate tokens a second of each
 * @param seconds how long each stream lasts
 * @param spreadSeconds over which the streams of a round start
 * @param rounds that count
 * @param warmUps rounds before them
 */
record HttpPlan(int streams, int rate, int seconds, int spreadSeconds, int rounds, int warmUps) {
    HttpPlan {
        require(streams, "--streams", 1, Script.VOCABULARY);
        require(rate, "--rate", 1, 1000);
        require(seconds, "--seconds", 2, 600);
        require(rounds, "--rounds", 1, 100);
        require(warmUps, "--warm-ups", 0, 100);
        require(spreadSeconds, "--spread", 1, seconds - 1);
    }

    int tokens() {
        return rate * seconds;
    }

    private static void require(int value, String name, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + " " + value + ": expected " + least + " to " + most);
        }
    }
}
