package dev.meridian.bench.http;

import dev.meridian.bench.load.Percentiles;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

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

    /** Each figure's median over the rounds that count; counts are sums, over the warm-up rounds, too. */
    static Round median(List<Round> all, int warmUps) {
        List<Round> counted = all.subList(warmUps, all.size());
        return new Round(
                sum(all, Round::tokens),
                sum(all, Round::lost),
                sum(all, Round::doubled),
                sum(all, Round::changed),
                sum(all, Round::clockFaults),
                median(counted, Round::firstTokenP50),
                median(counted, Round::firstTokenP99),
                median(counted, Round::tokenP50),
                median(counted, Round::tokenP99),
                median(counted, Round::tokenMax),
                median(counted, Round::jitterP50),
                median(counted, Round::jitterP99),
                median(counted, Round::serverCpu),
                median(counted, Round::generatorCpu));
    }

    private static long sum(List<Round> rounds, ToLongFunction<Round> value) {
        return rounds.stream().mapToLong(value).sum();
    }

    private static double median(List<Round> rounds, ToDoubleFunction<Round> value) {
        return Percentiles.median(rounds.stream().mapToDouble(value).toArray());
    }

    /** Every token came once, in order, as it was made, and the clocks can be compared. */
    boolean whole() {
        return lost + doubled + changed + clockFaults == 0;
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
