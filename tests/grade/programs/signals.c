/* A program in C that handles, ignores and leaves alone, and the mistakes that students make. */

#define _GNU_SOURCE
#include "mistake.h"
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static volatile sig_atomic_t ending;

static void end(int signal)
{
    (void)signal;
    if (mistake("exits-in-the-handler"))
        _exit(0);
    if (mistake("quits-at-the-second") && ending)
        _exit(3);
    ending = 1;
}

static void on(int signal, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigaction(signal, &action, NULL);
}

int main(void)
{
    sigset_t blocked, unblocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGHUP);
    sigprocmask(SIG_BLOCK, &blocked, &unblocked);
    if (mistake("blocks-alrm"))
        sigaddset(&unblocked, SIGALRM);
    on(SIGTERM, end);
    on(SIGHUP, mistake("ignores-hup") ? SIG_IGN : end);
    on(SIGPIPE, mistake("handles-pipe") ? end : SIG_IGN);
    if (mistake("takes-any-signal-for-the-end"))
        on(SIGCONT, end);
    if (mistake("handles-usr2"))
        on(SIGUSR2, end);
    if (mistake("forgets-int"))
        return pause();
    on(SIGINT, end); /* last: from here on it is ready */
    printf("waiting\n");
    while (!ending && mistake("looks-again-and-again"))
        sigprocmask(SIG_SETMASK, &unblocked, NULL);
    while (!ending)
        sigsuspend(&unblocked); /* unblocks and waits in one step: no signal comes in between */
    printf("a signal came\n");
    return 0;
}
