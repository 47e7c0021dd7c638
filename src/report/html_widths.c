/* report/html_widths.c: how many operators have a result of how many bits: adders below, the rest on top. */
#include "report/inside.h"

enum { BAR = 16, PITCH = 20, LEFT = 52, TOP = 16, PLOT = 150 };

/* 1, 2 or 5 times a power of ten, so that at most five such steps reach `most`. */
static uint64_t round_step(uint64_t most)
{
    static const uint64_t LEADS[] = {1, 2, 5};
    for (uint64_t power = 1;; power *= 10)
        for (uint32_t i = 0; i < COUNT_OF(LEADS); i++)
            if (LEADS[i] * power >= most / 5 + (most % 5 > 0))
                return LEADS[i] * power;
}

static void put_bar(Text *text, const char *class, uint32_t x, uint32_t y, uint32_t height, uint64_t count, const char *what, uint32_t bits)
{
    if (count == 0)
        return;
    text_add(text, "<rect class=\"%s of\" x=\"%u\" y=\"%u\" width=\"%d\" height=\"%u\"><title>%s of %u bit%s: %llu</title></rect>\n", class,
             x, y, BAR, u32_max(height, 1), what, bits, bits == 1 ? "" : "s", (unsigned long long)count);
}

void html_put_widths(Text *text, const ReportPicture *picture)
{
    uint32_t widest = 0;
    uint64_t most = 0;
    for (uint32_t bits = 0; bits < REPORT_WIDTHS; bits++) {
        uint64_t n = picture->adders[bits] + picture->others[bits];
        widest = n > 0 ? bits : widest;
        most = n > most ? n : most;
    }
    if (most == 0)
        return;
    uint64_t step = round_step(most), top = (most + step - 1) / step * step;
    uint32_t width = LEFT + (widest + 1) * PITCH + 20, base = TOP + PLOT;
    width = u32_max(width, 420);
    text_add(text,
             "<section id=\"widths\">\n<h2>Widths</h2>\n<p class=\"note\">Operators by the bits of their result: "
             "<span class=\"c0\"><span class=\"swatch\"></span></span>adders, <span class=\"c1\"><span "
             "class=\"swatch\"></span></span>comparisons, "
             "selections and other logic.</p>\n<div class=\"wide\"><svg class=\"kaon\" role=\"img\" aria-label=\"histogram of widths\" "
             "width=\"%u\" height=\"%d\" viewBox=\"0 0 %u %d\">\n",
             width, base + 40, width, base + 40);
    for (uint64_t at = 0; at <= top; at += step) {
        uint32_t y = base - (uint32_t)(at * PLOT / top);
        text_add(text, "<path class=\"%s\" d=\"M%d %uH%u\"/><text class=\"dim end\" x=\"%d\" y=\"%u\">", at == 0 ? "axis" : "grid",
                 LEFT - 4, y, width - 10, LEFT - 8, y + 4);
        html_put_count(text, at);
        text_put(text, "</text>\n");
    }
    for (uint32_t bits = 1; bits <= widest; bits++) {
        uint32_t x = LEFT + bits * PITCH - PITCH / 2;
        uint64_t adders = picture->adders[bits], others = picture->others[bits];
        uint32_t low = (uint32_t)(adders * PLOT / top), both = (uint32_t)((adders + others) * PLOT / top);
        put_bar(text, "c0", x, base - low, low, adders, "adders", bits);
        put_bar(text, "c1", x, base - both, both - low, others, "others", bits);
        if (widest <= 24 || bits % 2 == 0)
            text_add(text, "<text class=\"dim mid\" x=\"%u\" y=\"%u\">%u</text>\n", x + BAR / 2, base + 15, bits);
    }
    text_add(text, "<text class=\"dim\" x=\"%d\" y=\"%u\">bits</text>\n</svg></div>\n</section>\n", LEFT, base + 33);
}
