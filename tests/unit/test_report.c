/* tests/unit/test_report.c: the HTML report's parts that no eye checks twice: escaping, and the layout of random graphs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "report/inside.h"

static int set_up(void **state)
{
    *state = arena_create(NULL);
    return 0;
}

static int tear_down(void **state)
{
    arena_destroy(*state);
    return 0;
}

static void test_text_is_escaped(void **state)
{
    Arena *arena = *state;
    static const struct {
        const char *text;
        size_t most;
        const char *html;
    } CASES[] = {
        {"a<b>&\"c\"'d'", 99, "a&lt;b&gt;&amp;&quot;c&quot;&#39;d&#39;"},
        {"<<<<", 2, "&lt;&lt;..."}, /* cut by characters, never inside an entity */
        {"\x01\xff", 99, "\\x01\\xff"},
        {"", 9, ""},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        Text text = text_init(arena);
        html_put(&text, CASES[i].text, CASES[i].most);
        assert_string_equal(text.at, CASES[i].html);
    }
}

static void test_counts_are_grouped(void **state)
{
    Arena *arena = *state;
    static const struct {
        uint64_t count;
        const char *text;
    } CASES[] = {{0, "0"}, {9999, "9999"}, {12345, "12_345"}, {1234567, "1_234_567"}};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        Text text = text_init(arena), expected = text_init(arena);
        html_put_count(&text, CASES[i].count);
        for (const char *at = CASES[i].text; *at; at++)
            text_put(&expected, *at == '_' ? "\xe2\x80\xaf" : (char[]){*at, '\0'});
        assert_string_equal(text.at, expected.at);
    }
}

/* Wires that read earlier ones, on stages that never fall along the way. */
static ReportNeuron random_neuron(Arena *arena, Rng *rng)
{
    uint32_t n = 2 + rng_below(rng, 60), n_sources = 1 + rng_below(rng, n - 1);
    ReportWire *wire = arena_array(arena, ReportWire, n);
    for (uint32_t i = 0; i < n; i++) {
        wire[i] = (ReportWire){.kind = REPORT_WIRE_SOURCE, .text = "x", .type = "s8.0", .title = "x", .stage = 3 + rng_below(rng, 2)};
        if (i < n_sources) {
            wire[i].kind = rng_below(rng, 5) == 0 ? REPORT_WIRE_CONSTANT : REPORT_WIRE_SOURCE;
            continue;
        }
        wire[i].kind = REPORT_WIRE_OPERATOR;
        wire[i].n_operands = 1 + rng_below(rng, 3);
        ReportOperand *operand = arena_array(arena, ReportOperand, wire[i].n_operands);
        for (uint32_t k = 0; k < wire[i].n_operands; k++) {
            operand[k] = (ReportOperand){rng_below(rng, i), ""};
            wire[i].stage = u32_max(wire[i].stage, wire[operand[k].wire].stage);
        }
        wire[i].stage += rng_below(rng, 6) == 0;
        wire[i].operand = operand;
    }
    return (ReportNeuron){.name = "n", .n = n, .wire = wire};
}

static uint32_t gap(const ReportNeuron *neuron, const LayoutPlace *place)
{
    return place->passes ? 9 : neuron->wire[place->wire].kind == REPORT_WIRE_OPERATOR ? 30 : 19;
}

/* Operands stand left of their readers, later stages right of earlier ones, and nothing lies on anything else. */
static bool layout_is_sound(const ReportNeuron *neuron, const Layout *layout)
{
    for (uint32_t i = 0; i < neuron->n; i++)
        for (uint32_t k = 0; k < neuron->wire[i].n_operands; k++) {
            uint32_t operand = neuron->wire[i].operand[k].wire, column = layout->place[i].column;
            if (layout->place[operand].column >= column || layout->last[operand] + 1 < column)
                return false;
            if (layout_at(layout, operand, column - 1)->column != column - 1 || layout_at(layout, operand, column - 1)->wire != operand)
                return false;
        }
    for (uint32_t a = 0; a < layout->n_places; a++) {
        const LayoutPlace *one = &layout->place[a];
        bool constant = neuron->wire[one->wire].kind == REPORT_WIRE_CONSTANT;
        if (!one->passes && !constant && layout->stage[one->column] != neuron->wire[one->wire].stage)
            return false;
        if (one->y < 0 || one->y > layout->height)
            return false;
        for (uint32_t b = 0; b < a; b++) {
            const LayoutPlace *other = &layout->place[b];
            int32_t apart = one->y > other->y ? one->y - other->y : other->y - one->y;
            /* heights are rounded down, each on its own: one less is sound */
            if (one->column == other->column && (uint32_t)apart + 1 < (gap(neuron, one) + gap(neuron, other)) / 2)
                return false;
        }
    }
    return true;
}

static void test_layouts(void **state)
{
    Arena *arena = *state;
    uint32_t n_drawn = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        Rng rng = {.state = seed};
        ReportNeuron neuron = random_neuron(arena, &rng);
        Layout layout;
        if (!layout_neuron(arena, &neuron, &layout))
            continue;
        n_drawn++;
        if (!layout_is_sound(&neuron, &layout)) {
            print_error("seed %llu: %u wires\n", (unsigned long long)seed, neuron.n);
            fail();
        }
    }
    assert_true(n_drawn > 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_text_is_escaped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_counts_are_grouped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_layouts, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
