/* A program in C that handles, ignores and leaves alone, and the mistakes that students make.
 *
 * Compiled with the name of a mistake, it makes that one. */

#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t ending;

static void end(int signal)
{
    (void)signal;
#ifdef EXITS_IN_THE_HANDLER
    _exit(0);
#endif
#ifdef QUITS_AT_THE_SECOND
    if (ending)
        _exit(3);
#endif
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
#ifdef BLOCKS_ALRM
    sigaddset(&unblocked, SIGALRM);
#endif
    on(SIGTERM, end);
#ifdef IGNORES_HUP
    on(SIGHUP, SIG_IGN);
#else
    on(SIGHUP, end);
#endif
#ifdef HANDLES_PIPE
    on(SIGPIPE, end);
#else
    on(SIGPIPE, SIG_IGN);
#endif
#ifdef HANDLES_USR2
    on(SIGUSR2, end);
#endif
    on(SIGINT, end); /* last: from here on it is ready */
    printf("waiting\n");
    while (!ending)
        sigsuspend(&unblocked); /* unblocks and waits in one step: no signal comes in between */
    printf("a signal came\n");
    return 0;
}
