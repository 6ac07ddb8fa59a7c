package dev.meridian.edge.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.meridian.edge.access.OriginCheck;
import java.util.List;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.junit.jupiter.api.Test;

final class CorsTest {
    private static HttpRequest from(String origin) {
        return HttpRequest.GET("/v1/models").addHeader(RawHeader.create("Origin", origin));
    }

    private static String allowed(Cors cors, String origin) {
        return header(cors.allow(from(origin), HttpResponse.create()), "Access-Control-Allow-Origin");
    }

    private static String header(HttpResponse response, String name) {
        return response.getHeader(name).map(header -> header.value()).orElse("");
    }

    @Test
    void onlyNamedOriginsMayRead() {
        Cors cors = new Cors(new OriginCheck(List.of("https://a.example", "https://b.example")));
        assertThat(allowed(cors, "https://a.example")).isEqualTo("https://a.example");
        assertThat(allowed(cors, "https://b.example")).isEqualTo("https://b.example");
        assertThat(allowed(cors, "https://evil.example")).isEmpty();
        assertThat(allowed(cors, "https://a.example.evil")).isEmpty();
        assertThat(header(cors.allow(HttpRequest.GET("/"), HttpResponse.create()), "Vary"))
                .isEqualTo("Origin");
    }

    @Test
    void nobodyMayReadWithoutAnyOrigin() {
        assertThat(allowed(new Cors(new OriginCheck(List.of())), "https://a.example"))
                .isEmpty();
    }

    @Test
    void requestedHeadersThatAreNoNamesAreNotEchoed() {
        HttpRequest preflight = from("https://a.example")
                .withMethod(org.apache.pekko.http.javadsl.model.HttpMethods.OPTIONS)
                .addHeader(RawHeader.create("Access-Control-Request-Method", "POST"));
        assertThat(Cors.isPreflight(preflight)).isTrue();
        Cors cors = new Cors(new OriginCheck(List.of("*")));
        HttpResponse good = cors.preflight(
                preflight.addHeader(RawHeader.create("Access-Control-Request-Headers", "x-one, X_two")), "POST");
        assertThat(header(good, "Access-Control-Allow-Headers")).isEqualTo("x-one, X_two");
        HttpResponse bad =
                cors.preflight(preflight.addHeader(RawHeader.create("Access-Control-Request-Headers", "x;y")), "POST");
        assertThat(header(bad, "Access-Control-Allow-Headers")).isEmpty();
    }
}
