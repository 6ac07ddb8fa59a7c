package dev.meridian.edge.violation;

import dev.meridian.protocol.message.ReplicaCommand.Submit;

final class SubmitsPastTheGate {
    private SubmitsPastTheGate() {}

    /** The same for another replica, which nobody has asked the gate about. */
    static Submit again(Submit submit) {
        return new Submit(
                submit.attempt().next(),
                submit.model(),
                submit.epoch(),
                submit.prompt(),
                submit.generation(),
                submit.emitted(),
                submit.finished(),
                submit.cacheScope(),
                submit.deadlineEpochMillis(),
                submit.edge());
    }
}
