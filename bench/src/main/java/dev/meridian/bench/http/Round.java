package dev.meridian.bench.http;

import dev.meridian.bench.load.Percentiles;
import java.util.List;

/**
 * One round of all streams. Times in milliseconds, CPU in microseconds for each token.
 *
 * @param firstTokenP50 what HTTP and actors add to the first token: sent to received, less the engine's own part
 * @param tokenP50 what they add to a token: made by the engine's thread to received by the client
 * @param jitterP50 how much a gap between tokens at the client differs from the gap at the engine
 * @param serverCpu of the server while all streams ran
 * @param generatorCpu of the load generator meanwhile
 * @param clockFaults streams whose first token was not made between request and receipt: clocks that cannot be compared
 */
record Round(
        long tokens,
        long lost,
        long doubled,
        long changed,
        long clockFaults,
        double firstTokenP50,
        double firstTokenP99,
        double tokenP50,
        double tokenP99,
        double tokenMax,
        double jitterP50,
        double jitterP99,
        double serverCpu,
        double generatorCpu) {

    static Round of(HttpPlan plan, List<StreamClients.Client> clients, CpuWindow cpu) {
        int most = plan.streams() * plan.tokens();
        Series firsts = new Series(plan.streams());
        Series tokens = new Series(most);
        Series jitters = new Series(most);
        long lost = 0;
        long doubled = 0;
        long changed = 0;
        long clockFaults = 0;
        for (StreamClients.Client client : clients) {
            TokenStream stream = client.stream();
            lost += stream.lost();
            doubled += stream.doubled();
            changed += stream.changed();
            if (stream.received() > 0 && stream.made(0) > 0 && !Double.isNaN(stream.engineNanos())) {
                firsts.add((long) (stream.came(0) - client.sentNanos() - stream.engineNanos()));
                boolean between = stream.made(0) > client.sentNanos() && stream.made(0) < stream.came(0);
                clockFaults += between ? 0 : 1;
            }
            gather(stream, tokens, jitters);
        }
        return new Round(
                tokens.count,
                lost,
                doubled,
                changed,
                clockFaults,
                firsts.millis(0.5),
                firsts.millis(0.99),
                tokens.millis(0.5),
                tokens.millis(0.99),
                tokens.millis(1),
                jitters.millis(0.5),
                jitters.millis(0.99),
                cpu.serverNanosPerToken() / 1e3,
                cpu.generatorNanosPerToken() / 1e3);
    }

    private static void gather(TokenStream stream, Series tokens, Series jitters) {
        for (int i = 0; i < stream.received(); i++) {
            if (stream.made(i) == 0) {
                continue;
            }
            long added = stream.came(i) - stream.made(i);
            tokens.add(added);
            if (i > 0 && stream.made(i - 1) > 0) {
                jitters.add(Math.abs(added - (stream.came(i - 1) - stream.made(i - 1))));
            }
        }
    }

    private static final class Series {
        private final long[] values;
        private int count;

        Series(int most) {
            values = new long[most];
        }

        void add(long nanos) {
            values[count++] = nanos;
        }

        double millis(double share) {
            return count == 0 ? Double.NaN : new Percentiles(values, count).at(share) / 1e6;
        }
    }
}
