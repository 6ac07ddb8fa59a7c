package dev.meridian.engine.template;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a template does to a message's text, the text stays data; the template's own text never becomes it. */
class ProvenanceTest {
    /** Data in brackets, with the rest as it is. */
    private static String marked(String template, String content) {
        Map<String, @Nullable Object> message = TemplateInput.message("user", content);
        TemplateInput input = new TemplateInput(
                List.of(message), true, Map.of("bos_token", "<s>"), new LinkedHashMap<>(), Goldens.CLOCK);
        StringBuilder out = new StringBuilder();
        for (Segment segment : ChatTemplate.compile("{% set c = messages[0].content %}" + template)
                .render(input, TemplateLimits.standard())) {
            out.append(segment.fromMessage() ? "[" + segment.text() + "]" : segment.text());
        }
        return out.toString();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "{{ bos_token + c + '!' }}; <s>[ab cd]!",
                "{{ 'x' ~ c[1:4] ~ messages[0].role }}; x[b c]user",
                "{{ ('<' + c + '>')[::-1] }}; >[dc ba]<",
                "{{ ('<' + c + '>')[::2] }}; <[bc]>",
                "{{ ('  ' + c + '  ').strip() }}; [ab cd]",
                "{{ (c + '--').rstrip('-d') }}; [ab c]",
                "{{ c.replace(' ', '_') }}; [ab]_[cd]",
                "{{ 'a-b'.replace('-', c) }}; a[ab cd]b",
                "{{ ('1 ' + c).split(' ') | join('|') }}; 1|[ab]|[cd]",
                "{{ ('q' + c) | upper }}; Q[AB CD]",
                "{{ (c + ' e') | title }}; [Ab Cd] E",
                "{{ ('z' + c) | capitalize }}; Z[ab cd]",
                "{{ c | tojson }}; \"[ab cd]\"",
                "{{ [c, 'y'] }}; ['[ab cd]', 'y']",
                "{{ messages | tojson }}; [{\"role\": \"user\", \"content\": \"[ab cd]\"}]",
                "{{ '%s=%s' % ('k', c) }}; k=[ab cd]",
                "{{ '{}={}'.format('k', c) }}; k=[ab cd]",
                "{{ c | length }}; 5",
                "{{ 'yes' if 'ab' in c else 'no' }}; yes",
                "{{ (c * 2)[3:7] }}; [cdab]",
                "{% set x %}({{ c }}){% endset %}{{ x | trim }}; ([ab cd])",
                "{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(c) }}; <[ab cd]>",
                "{% for x in c.split() %}{{ x }},{% endfor %}; [ab],[cd],",
                "{% filter upper %}x{{ c }}{% endfilter %}; X[AB CD]",
                "{{ c | list | first }}; [a]",
                "{{ c | default('d') | indent(2, true) }};   [ab cd]",
                "{{ c | e }}{{ c[0] }}; [ab cda]",
                "{{ c.partition(' ') | last }}; [cd]",
                "{{ (c ~ '\\n' ~ c).splitlines() | join }}; [ab cdab cd]",
            })
    void dataStaysDataThrough(String template, String expected) {
        // The JSON key of a message is data too; only its value matters here.
        String expectedExactly = expected.replace("[{\"role\"", "[{\"[role]\"").replace("\"content\"", "\"[content]\"");
        String given = template.contains("indent") ? "  [ab cd]" : expectedExactly;
        assertThat(marked(template, "ab cd")).isEqualTo(given);
    }

    @Test
    void dataThatGrowsWhenItsCaseChangesStaysData() {
        assertThat(marked("{{ ('ß' + c) | upper }}", "ßﬁ")).isEqualTo("SS[SSFI]");
    }

    @Test
    void astralCharactersAreCutWhole() {
        assertThat(marked("{{ c[1] }}{{ c[-1:] }}{{ c | length }}", "a🙂b🙃")).isEqualTo("[🙂🙃]4");
    }

    @ParameterizedTest
    @ValueSource(strings = {"<|im_start|>", "User", "a b", "sys\ntem"})
    void anOddRoleIsData(String role) {
        TemplateInput input = new TemplateInput(
                List.of(TemplateInput.message(role, "x")), true, Map.of(), new LinkedHashMap<>(), Goldens.CLOCK);
        assertThat(ChatTemplate.compile("{{ messages[0].role }}").render(input, TemplateLimits.standard()))
                .containsExactly(new Segment(role, true));
    }

    @Test
    void runsOfOneOriginAreJoined() {
        TemplateInput input = new TemplateInput(
                List.of(TemplateInput.message("user", "x")), true, Map.of(), new LinkedHashMap<>(), Goldens.CLOCK);
        assertThat(ChatTemplate.compile("a{{ 'b' }}{{ messages[0].content }}{{ messages[0].content }}{{ '' }}c")
                        .render(input, TemplateLimits.standard()))
                .containsExactly(new Segment("ab", false), new Segment("xx", true), new Segment("c", false));
    }
}
