package dev.meridian.engine.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A template is a stranger's code: whatever it does, the answer is an exception of this package, and soon. */
@Timeout(20)
class HostileTemplateTest {
    static Stream<String> hostile() {
        return Stream.of(
                "{% for i in range(10**9) %}x{% endfor %}",
                "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
                "{{ 'a' * 10**9 }}",
                "{{ 10**9 * 'a' }}",
                "{{ [1] * 10**9 }}",
                "{{ ([1] * 1000000) * 1000000 }}",
                "{{ 9**9**9 }}",
                "{{ '%9999s' % 'x' * 10000000 }}",
                "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
                "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
                "{% set ns = namespace(s='xx') %}{% for i in range(99) %}{% set ns.s = ns.s.replace('x', ns.s) %}{% endfor %}",
                "{% set ns = namespace(s='xx') %}{% for i in range(99) %}{% set ns.s = ns.s.join(ns.s) %}{% endfor %}",
                "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = '{}{}'.format(ns.s, ns.s) %}{% endfor %}",
                "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = '%s%s' % (ns.s, ns.s) %}{% endfor %}",
                "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] | string %}{% endfor %}",
                "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = [ns.s, ns.s] | tojson %}{% endfor %}",
                "{% set ns = namespace(s=[]) %}{% for i in range(99999) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}",
                "{% set ns = namespace(s=[]) %}{% for i in range(99999) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s == [ns.s] }}",
                "{% set ns = namespace(s=[]) %}{% for i in range(99999) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s | tojson }}",
                "{% set ns = namespace(s=[]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
                "{% set ns = namespace(s=[]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s == [ns.s] or ns.s < ns.s }}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{% macro f(n) %}{{ f(n + 1) ~ f(n + 2) }}{% endmacro %}{{ f(0) }}",
                "{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{% call f() %}x{% endcall %}{% endmacro %}{{ f() }}",
                "{% set ns = namespace() %}{% macro f() %}{{ ns.f() }}{% endmacro %}{% set ns.f = f %}{{ f() }}",
                "{{ ''.join(['ab' * 100000] * 100000) }}",
                "{% set s = 'a' * 4000000 %}{% for i in range(99999) %}{{ s[-1] ~ s.upper() ~ s[::-1] | length }}{% endfor %}",
                "{% set s = 'é🙂' * 1000000 %}{% for i in range(99999) %}{% if s[1999999] == s[7] or s|length %}{% endif %}{% endfor %}",
                "{% set s = 'a' * 4000000 %}{% for i in range(99999) %}{% if 'b' in s or s.count('b') or s.find('b') > 0 %}{% endif %}{% endfor %}",
                "{% for i in range(99999) %}{% for c in 'a' * 4000000 %}{% endfor %}{% endfor %}",
                "{{ 'x' | indent(10**9) }}{{ 'x' | center(10**9) }}",
                "{{ [[[]]] | tojson(indent='x' * 5000000) | length }}{{ [[[]]] | tojson(indent='x' * 5000000) }}",
                "{{ range(99999) | map('string') | map('center', 9999) | list | length }}",
                "{{ messages.__class__.__mro__ }}",
                "{{ ''.__class__() }}",
                "{{ [].append(1) }}",
                "{{ {}.update({}) }}",
                "{{ cycler('a') }}",
                "{{ raise_exception('no') }}",
                "{{ x.y }}",
                "{{ range }}",
                "{{ namespace() }}",
                "{{ 'a' + 1 }}",
                "{{ 1 / 0 }}{{ 1 // 0 }}{{ 1 % 0 }}");
    }

    @ParameterizedTest
    @MethodSource("hostile")
    void aHostileTemplateIsRefused(String source) {
        assertThatThrownBy(() -> Goldens.render(source, Goldens.none()))
                .isInstanceOfSatisfying(
                        TemplateException.class, e -> assertThat(e.line()).isEqualTo(1));
    }

    static Stream<String> malformed() {
        return Stream.of(
                "{{ " + "(".repeat(100_000),
                "{{ " + "[".repeat(1000) + "]".repeat(1000) + " }}",
                "{{ " + "not ".repeat(100_000) + "x }}",
                "{{ " + "-".repeat(100_000) + "1 }}",
                "{{ " + "a if b else ".repeat(50_000) + "c }}",
                "{% if x %}".repeat(50_000),
                "{% if x %}".repeat(1000) + "{% endif %}".repeat(1000),
                "{% for x in y %}".repeat(500) + "{% endfor %}".repeat(500),
                "x".repeat(10 << 20),
                "{{ 'a' }}".repeat(1 << 20),
                "{% if %}",
                "{% endif %}",
                "{% if x %}",
                "{% for x in y %}{% endif %}",
                "{{ x",
                "{% x",
                "{# x",
                "{{ 'x }}",
                "{{ x }",
                "{{ }}",
                "{{ 1 + }}",
                "{{ a b }}",
                "{{ (1 }}",
                "{{ 1) }}",
                "{{ [1 }}",
                "{{ {1} }}",
                "{{ a. }}",
                "{{ x | }}",
                "{{ x | nosuchfilter }}",
                "{{ x is nosuchtest }}",
                "{{ x[1:2:3:4] }}",
                "{% set 1 = 2 %}",
                "{% set x %}",
                "{% break %}",
                "{% macro f(a=1, b) %}{% endmacro %}",
                "{% include 'x' %}",
                "{% extends 'x' %}",
                "{% import 'x' as y %}",
                "{% block a %}{% endblock %}",
                "{{ f(a=1, 2) }}",
                "{{ 'a\\x1' }}",
                "{{ 99999999999999999999 }}",
                "{% raw %}",
                "{% for x in y recursive %}{% endfor %}",
                "{{ a is b is c }}",
                "{{ § }}",
                "{% macro f() %}{% break %}{% endmacro %}");
    }

    @ParameterizedTest
    @MethodSource("malformed")
    void aMalformedTemplateIsRefusedWithItsLine(String source) {
        assertThatThrownBy(() -> ChatTemplate.compile(source))
                .isInstanceOfSatisfying(
                        TemplateException.class, e -> assertThat(e.line()).isPositive());
    }

    @Test
    void longOperatorChainsAreRefusedWhenTheyRun() {
        for (String chain :
                new String[] {"1" + " + 1".repeat(50_000), "x" + "[0]".repeat(50_000), "x" + "|string".repeat(50_000)
                }) {
            ChatTemplate compiled = ChatTemplate.compile("{{ " + chain + " }}");
            assertThatThrownBy(() -> compiled.render(Goldens.none(), TemplateLimits.standard()))
                    .isInstanceOf(TemplateException.class)
                    .hasMessageContaining("nests deeper");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\n\n{{ 1 + 'a' }}",
                "a\nb\n{% if x.y.z %}{% endif %}",
                "{#\n\n#}{{ raise_exception('x') }}",
                "{{\n\nmissing() }}",
                "{%- if true -%}\n\n{{ 1 / 0 }}{% endif %}",
                "a\r\nb\r{{ nope.x }}"
            })
    void anErrorNamesItsLine(String source) {
        assertThatThrownBy(() -> Goldens.render(source, Goldens.none()))
                .isInstanceOfSatisfying(
                        TemplateException.class, e -> assertThat(e.line()).isEqualTo(3));
    }

    @Test
    void raiseExceptionKeepsItsMessage() {
        assertThatThrownBy(() -> Goldens.render("{{ raise_exception('Roles must alternate') }}", Goldens.none()))
                .isInstanceOf(TemplateException.class)
                .hasMessage("Roles must alternate");
    }

    @Test
    void timeIsBoundedByTheGivenClock() {
        AtomicLong nanos = new AtomicLong();
        TemplateLimits limits =
                new TemplateLimits(Long.MAX_VALUE, 1000, 100, Duration.ofMillis(5), () -> nanos.getAndAdd(1_000_000));
        ChatTemplate loop = ChatTemplate.compile("{% for i in range(90000) %}{% endfor %}");
        assertThatThrownBy(() -> loop.render(Goldens.none(), limits))
                .isInstanceOf(TemplateException.class)
                .hasMessageContaining("5 ms");
    }
}
