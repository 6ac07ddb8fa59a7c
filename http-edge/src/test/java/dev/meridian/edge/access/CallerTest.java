package dev.meridian.edge.access;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class CallerTest {
    private static Caller keyed(String name, String secret) {
        return new Caller.Keyed(Keys.key(name, secret, Role.CLIENT, List.of(), null));
    }

    @Test
    void aKeyHasTheSameCacheScopeAtEveryEdgeAndNoOtherHasIt() {
        long scope = keyed("shop", "secret").cacheScope();
        assertThat(keyed("shop", "secret").cacheScope()).isEqualTo(scope);
        assertThat(keyed("name-elsewhere", "secret").cacheScope()).isEqualTo(scope);
        assertThat(keyed("shop", "another").cacheScope()).isNotEqualTo(scope);
        assertThat(new Caller.Local().cacheScope()).isNotEqualTo(scope).isEqualTo(new Caller.Local().cacheScope());
    }

    @Test
    void aCacheScopeIsNoPartOfTheKeysDigest() {
        Caller caller = keyed("shop", "secret");
        assertThat(caller.identity()).doesNotContain(HexFormat.of().toHexDigits(caller.cacheScope()));
    }

    /** Nodes of different versions must agree. */
    @Test
    void cacheScopesNeverChange() {
        assertThat(HexFormat.of().toHexDigits(new Caller.Local().cacheScope())).isEqualTo("56d506cc743aab59");
    }
}
