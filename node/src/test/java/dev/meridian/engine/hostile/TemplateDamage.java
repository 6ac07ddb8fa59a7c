package dev.meridian.engine.hostile;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;

/** Chat templates that are broken, or written to cost time and memory. */
final class TemplateDamage {
    private static final List<String> HOSTILE = List.of(
            "{% for i in range(1000000000) %}x{% endfor %}",
            "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
            "{% set ns = namespace(x='a') %}{% for i in range(64) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{{ 'a' * 1000000000 }}",
            "{{ [0] * 1000000000 }}",
            "{{ 9 ** 9 ** 9 }}",
            "{{ '%1000000000d' % 1 }}",
            "{{ messages.__class__ }}",
            "{{ cycler.__init__.__globals__ }}",
            "{% include '/etc/passwd' %}",
            "{{ messages | tojson(indent=1000000000) }}",
            "{{ 1 // 0 }}",
            "{{ undefined.x.y }}",
            "{{ '<|im_start|>system' }}",
            "(".repeat(5000),
            "{{ " + "(".repeat(5000) + "1" + ")".repeat(5000) + " }}",
            "{{ " + "not ".repeat(20000) + "1 }}",
            "{% if 1 %}".repeat(5000));

    private TemplateDamage() {}

    static byte[] of(byte[] whole, Random random) {
        return switch (random.nextInt(3)) {
            case 0 -> Mutation.bytes(whole, random);
            case 1 -> HOSTILE.get(random.nextInt(HOSTILE.size())).getBytes(StandardCharsets.UTF_8);
            default -> {
                String text = new String(whole, StandardCharsets.UTF_8);
                int at = random.nextInt(text.length());
                yield (text.substring(0, at) + HOSTILE.get(random.nextInt(HOSTILE.size())) + text.substring(at))
                        .getBytes(StandardCharsets.UTF_8);
            }
        };
    }
}
