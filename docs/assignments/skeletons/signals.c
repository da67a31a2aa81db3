/* signals: a program that handles, ignores and leaves alone.
 *
 * It compiles and starts, and the work is left to you: follow the steps. Each begins where the grader's
 * first complaint is. Compile it with  cc -Wall -Wextra -o wait signals.c  */

#include <stdio.h>

int main(void)
{
    printf("about to wait for a signal\n");

    /* Step 1: block SIGINT, SIGTERM and SIGHUP, so that none comes before you wait (sigprocmask). */
    /* Step 2: a handler for each of them, which sets a flag and does nothing else (sigaction). */
    /* Step 3: ignore SIGPIPE (SIG_IGN). */
    /* Step 4: wait until the flag is set: unblock and wait in one step (sigsuspend). */
    /* Step 5: say that a signal came (printf), and return. */
    return 0;
}
