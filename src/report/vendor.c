/* report/vendor.c: reports of Vivado and Quartus, line by line. Their layouts, as they have been for ten years:
 *
 *     | Tool Version : Vivado v.2023.2 (lin64) Build ...         a frame of "| key : value"
 *     | CLB LUTs*    |  164 |  0 |  0 |  1302720 | 0.01 |        tables that begin with "Site Type"; the column called Used counts
 *     | Design Timing Summary                                    then a line of headings from WNS(ns), dashes, a line of numbers
 *
 *     Quartus Prime Version : 23.1std.1 Build ...                fit.summary: "key : value"
 *     Type  : Slow 1100mV 85C Model Setup 'clk'                  sta.summary: threes of Type, Slack, TNS
 *     Slack : 0.412
 *
 * Numbers have commas between thousands, or "NA" for what does not exist. One pass over the lines.
 */
#include "report/vendor.h"

#include <string.h>

typedef struct Reader {
    Arena *arena;
    const char *file;
    const char *at, *end;
    uint32_t line; /* number of the one that was read last, from 1 */
    char *buffer;  /* [LONGEST_LINE + 1]: that line */
    DiagList *diags;
} Reader;

enum { LONGEST_LINE = 4000 };

/* The next line without its end, valid until the next call; NULL behind the last one. Lines longer than any report's are cut. */
static const char *next_line(Reader *r)
{
    if (r->at == r->end)
        return NULL;
    const char *end = memchr(r->at, '\n', (size_t)(r->end - r->at));
    size_t n = (size_t)((end != NULL ? end : r->end) - r->at);
    n = n < LONGEST_LINE ? n : LONGEST_LINE;
    memcpy(r->buffer, r->at, n);
    r->buffer[n] = '\0';
    r->at = end != NULL ? end + 1 : r->end;
    r->line++;
    return r->buffer;
}

static const char *trimmed(Arena *arena, const char *at, size_t n)
{
    while (n > 0 && (at[0] == ' ' || at[0] == '\t'))
        at++, n--;
    while (n > 0 && (at[n - 1] == ' ' || at[n - 1] == '\t' || at[n - 1] == '\r'))
        n--;
    return arena_strndup(arena, at, n);
}

/* "key : value", the key trimmed; NULL where the line is none. *value: what stands behind the colon. */
static const char *key_of(Arena *arena, const char *line, const char **value)
{
    const char *colon = strstr(line, ": ");
    if (colon == NULL)
        return NULL;
    *value = trimmed(arena, colon + 1, strlen(colon + 1));
    return trimmed(arena, line, (size_t)(colon - line));
}

/* A number at the start of a text, as far as the next blank: "9,358 / 41,910", "-0.125", "1 ns". */
static bool number_of(const char *text, double *out)
{
    char digits[40];
    size_t n = 0;
    for (; *text && *text != ' ' && *text != '\t' && n + 1 < sizeof digits; text++)
        if (*text != ',')
            digits[n++] = *text;
    digits[n] = '\0';
    for (size_t i = 0; i < n; i++) /* no "inf", no hexadecimal */
        if (strchr("0123456789.-", digits[i]) == NULL)
            return false;
    return n < 20 && text_to_double(digits, out);
}

static void set(VendorReport *report, VendorFigure figure, double value)
{
    report->known[figure] = true;
    report->value[figure] = value;
}

static bool refuse(const Reader *r, const char *what, const char *text)
{
    diag_error(r->diags, DIAG_SYNTAX, (Place){.file = r->file, .line = r->line}, NULL, "%s: '%s'", what,
               text_printable(r->arena, text, 60));
    return false;
}

typedef struct Row {
    const char *name; /* "CLB LUTs", its asterisks left out */
    VendorFigure figure;
} Row;

/* The first row of a name counts: later tables take the same resources apart. */
static bool take_row(const Reader *r, const Row *rows, size_t n, const char *name, const char *text, VendorReport *out)
{
    size_t length = strlen(name);
    while (length > 0 && name[length - 1] == '*')
        length--;
    for (size_t i = 0; i < n; i++) {
        double value;
        if (strlen(rows[i].name) != length || memcmp(rows[i].name, name, length) != 0 || out->known[rows[i].figure])
            continue;
        if (!number_of(text, &value) || value < 0)
            return refuse(r, "no count", text);
        set(out, rows[i].figure, value);
    }
    return true;
}

/* ---- Vivado ---- */

/* Cell i of "| a | b |": NULL behind the last one. */
static const char *cell(Arena *arena, const char *line, uint32_t i)
{
    for (const char *at = line[0] == '|' ? line + 1 : "", *bar; (bar = strchr(at, '|')) != NULL; at = bar + 1)
        if (i-- == 0)
            return trimmed(arena, at, (size_t)(bar - at));
    return NULL;
}

static void take_frame(Arena *arena, const char *line, VendorReport *out)
{
    const char *value, *key = line[0] == '|' ? key_of(arena, line + 1, &value) : NULL;
    if (key == NULL)
        return;
    if (text_equal(key, "Tool Version") && text_starts(value, "Vivado v."))
        out->version = arena_strndup(arena, value + 9, strcspn(value + 9, " "));
    else if (text_equal(key, "Device"))
        out->device = value;
    else if (text_equal(key, "Design"))
        out->design = value;
    else if (text_equal(key, "Design State"))
        out->state = value;
}

static bool read_utilisation(Reader *r, VendorReport *out)
{
    static const Row rows[] = {
        {"CLB LUTs", VENDOR_LUTS},
        {"Slice LUTs", VENDOR_LUTS},
        {"CLB Registers", VENDOR_REGISTERS},
        {"Slice Registers", VENDOR_REGISTERS},
        {"Registers", VENDOR_REGISTERS},
        {"CARRY8", VENDOR_CARRIES},
        {"CARRY4", VENDOR_CARRIES},
        {"LOOKAHEAD8", VENDOR_CARRIES},
        {"DSPs", VENDOR_DSPS},
        {"DSP Slices", VENDOR_DSPS},
        {"Block RAM Tile", VENDOR_MEMORIES},
        {"URAM", VENDOR_URAMS},
    };
    uint32_t used = 0; /* the column; 0: outside such a table */
    for (const char *line; (line = next_line(r)) != NULL;) {
        const char *first = cell(r->arena, line, 0);
        take_frame(r->arena, line, out);
        if (first == NULL) {
            used = line[0] == '+' ? used : 0;
        } else if (text_equal(first, "Site Type")) {
            used = 0;
            for (uint32_t i = 1; cell(r->arena, line, i) != NULL; i++)
                if (used == 0 && text_equal(cell(r->arena, line, i), "Used"))
                    used = i;
        } else if (used > 0) {
            const char *text = cell(r->arena, line, used);
            if (!take_row(r, rows, COUNT_OF(rows), first, text != NULL ? text : "", out))
                return false;
        }
    }
    return out->known[VENDOR_LUTS] || refuse(r, "no row of look-up tables in this utilisation report", "CLB LUTs");
}

/* Numbers of the line two below the headings; what is no number ("NA": nothing is timed) stays unknown. */
static bool read_design_timing(Reader *r, VendorReport *out)
{
    const char *dashes = next_line(r), *numbers = dashes != NULL ? next_line(r) : NULL;
    if (numbers == NULL)
        return refuse(r, "the report ends in its Design Timing Summary", "WNS(ns)");
    const char *text = trimmed(r->arena, numbers, strlen(numbers));
    double slack;
    if (number_of(text, &slack))
        set(out, VENDOR_SLACK, slack);
    else if (!text_starts(text, "NA") && !text_starts(text, "inf"))
        return refuse(r, "no slack", text);
    return true;
}

/* "clk   {0.000 2.500}   5.000   200.000": the first clock is the design's. */
static void read_clock(Reader *r, VendorReport *out)
{
    const char *dashes = next_line(r), *line = dashes != NULL ? next_line(r) : NULL, *wave = line != NULL ? strchr(line, '}') : NULL;
    double period;
    if (wave == NULL || out->known[VENDOR_PERIOD])
        return;
    if (number_of(trimmed(r->arena, wave + 1, strlen(wave + 1)), &period) && period > 0)
        set(out, VENDOR_PERIOD, period);
}

static bool read_timing(Reader *r, VendorReport *out)
{
    bool found = false;
    out->timing = true;
    for (const char *line; (line = next_line(r)) != NULL;) {
        const char *start = line + strspn(line, " \t");
        take_frame(r->arena, line, out);
        if (!found && text_starts(start, "WNS(ns)")) {
            found = true;
            if (!read_design_timing(r, out))
                return false;
        } else if (text_starts(start, "Clock ") && strstr(start, "Waveform(ns)") != NULL && strstr(start, "Period(ns)") != NULL) {
            read_clock(r, out);
        }
    }
    return found || refuse(r, "no Design Timing Summary in this timing report", "WNS(ns)");
}

/* ---- Quartus ---- */

static bool read_fitter(Reader *r, VendorReport *out)
{
    static const Row rows[] = {
        {"Logic utilization (in ALMs)", VENDOR_ALMS},          {"Total logic elements", VENDOR_LUTS}, {"Total registers", VENDOR_REGISTERS},
        {"Total dedicated logic registers", VENDOR_REGISTERS}, {"Total RAM Blocks", VENDOR_MEMORIES}, {"Total DSP Blocks", VENDOR_DSPS},
    };
    for (const char *line; (line = next_line(r)) != NULL;) {
        const char *value, *key = key_of(r->arena, line, &value);
        if (key == NULL)
            continue;
        if (text_equal(key, "Fitter Status"))
            out->state = arena_strndup(r->arena, value, strcspn(value, " "));
        else if (text_equal(key, "Quartus Prime Version") || text_equal(key, "Quartus II 64-Bit Version"))
            out->version = arena_strndup(r->arena, value, strcspn(value, " "));
        else if (text_equal(key, "Device"))
            out->device = value;
        else if (text_equal(key, "Top-level Entity Name"))
            out->design = value;
        else if (!take_row(r, rows, COUNT_OF(rows), key, value, out))
            return false;
    }
    return out->known[VENDOR_ALMS] || out->known[VENDOR_LUTS] || refuse(r, "no count of logic in this fitter summary", "ALMs");
}

/* The worst set-up slack over all clocks and corners. */
static bool read_sta(Reader *r, VendorReport *out)
{
    bool setup = false, any = false;
    out->timing = true;
    for (const char *line; (line = next_line(r)) != NULL;) {
        const char *value, *key = key_of(r->arena, line, &value);
        double slack;
        if (key == NULL)
            continue;
        if (text_equal(key, "Type")) {
            any = true;
            setup = strstr(value, " Setup ") != NULL;
        } else if (text_equal(key, "Slack") && setup) {
            if (!number_of(value, &slack))
                return refuse(r, "no slack", value);
            if (!out->known[VENDOR_SLACK] || slack < out->value[VENDOR_SLACK])
                set(out, VENDOR_SLACK, slack);
        }
    }
    return any || refuse(r, "no slack in this timing summary", "Type");
}

/* ---- which of them ---- */

typedef bool ReadFunction(Reader *r, VendorReport *out);

static bool holds(Bytes bytes, const char *text) { return memmem(bytes.at, bytes.n, text, strlen(text)) != NULL; }

/* Recognised by headings that they cannot do without. */
static ReadFunction *reader_of(Bytes bytes, VendorTool *tool)
{
    *tool = VENDOR_VIVADO;
    if (holds(bytes, "| Design Timing Summary"))
        return read_timing;
    if (holds(bytes, "Site Type") && holds(bytes, "| Tool Version"))
        return read_utilisation;
    *tool = VENDOR_QUARTUS;
    if (holds(bytes, "Fitter Status :"))
        return read_fitter;
    if (holds(bytes, "Timing Analyzer Summary") && holds(bytes, "Slack :"))
        return read_sta;
    return NULL;
}

bool vendor_is_report(Bytes bytes)
{
    VendorTool tool;
    return reader_of(bytes, &tool) != NULL;
}

bool vendor_parse(Arena *arena, Bytes bytes, const char *file, VendorReport *out, DiagList *diags)
{
    *out = (VendorReport){.version = "", .device = "", .design = "", .state = ""};
    Reader reader = {.arena = arena,
                     .file = file,
                     .at = (const char *)bytes.at,
                     .end = (const char *)bytes.at + bytes.n,
                     .buffer = arena_array(arena, char, LONGEST_LINE + 1),
                     .diags = diags};
    ReadFunction *read = reader_of(bytes, &out->tool);
    if (read != NULL)
        return read(&reader, out);
    diag_error(diags, DIAG_FORMAT, (Place){.file = file}, "known: report_utilization, report_timing_summary, .fit.summary, .sta.summary",
               "not a report of Vivado or Quartus");
    return false;
}
