/* cli/watch.c: a search that may take seconds: a line on the terminal with what it has saved so far, and ^C, which ends it with the best it
 * has; a second ^C ends kaon. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/options.h"

/* The one thing that a signal handler can reach. */
static volatile sig_atomic_t stop_asked;

static void ask_to_stop(int number)
{
    (void)number;
    stop_asked = 1;
}

static void tell(void *context, uint64_t first_cost, uint64_t cost, uint32_t percent)
{
    (void)context;
    if (!isatty(STDERR_FILENO) || first_cost == 0)
        return;
    fprintf(stderr, "\r\033[K  search %u %%: %llu, at first %llu (%.1f %% saved)%s", percent, (unsigned long long)cost,
            (unsigned long long)first_cost, 100.0 - 100.0 * (double)cost / (double)first_cost,
            stop_asked ? ", stopping" : "; ^C keeps the best so far");
    fflush(stderr);
}

static const CmvmWatch the_watch = {.stop = &stop_asked, .tell = tell};

const CmvmWatch *watch_begin(uint32_t effort)
{
    if (effort < 2)
        return NULL;
    struct sigaction action = {.sa_handler = ask_to_stop, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    return &the_watch;
}

void watch_end(Command *command, const CmvmWatch *watch)
{
    if (watch == NULL)
        return;
    signal(SIGINT, SIG_DFL);
    if (stop_asked)
        diag_note(&command->diags, DIAG_DEFAULT, (Place){.file = "kaon", .part = "--effort"}, NULL,
                  "the search was stopped: the adder graphs are the best that it had");
    stop_asked = 0;
}
