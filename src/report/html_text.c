/* report/html_text.c: text and numbers as HTML. */
#include "report/inside.h"

void html_put(Text *text, const char *string, size_t most)
{
    for (const char *at = text_printable(text->arena, string, most); *at; at++) {
        switch (*at) {
        case '&':
            text_put(text, "&amp;");
            break;
        case '<':
            text_put(text, "&lt;");
            break;
        case '>':
            text_put(text, "&gt;");
            break;
        case '"':
            text_put(text, "&quot;");
            break;
        case '\'':
            text_put(text, "&#39;");
            break;
        default:
            text_put_char(text, *at);
        }
    }
}

void html_put_count(Text *text, uint64_t count)
{
    const char *digits = fmt(text->arena, "%llu", (unsigned long long)count);
    size_t n = 0;
    while (digits[n])
        n++;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0 && n > 4)
            text_put(text, "\xe2\x80\xaf"); /* narrow no-break space */
        text_put_char(text, digits[i]);
    }
}

void html_put_ns(Text *text, double ns) { text_add(text, "%.3f", ns); }
