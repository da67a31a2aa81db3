/* A server that serves each client in a process of its own. */

#include "server.h"
#include <sys/wait.h>

static void serve(int listener, void (*serve_one)(int client))
{
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    while (!ending) {
        while (!mistake("never-waits") && waitpid(-1, NULL, WNOHANG) > 0) {
        }
        if (ppoll(&wait, 1, NULL, &unblocked) <= 0)
            continue;
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fork() == 0) {
            /* A signal ends it wherever it is. */
            on(SIGINT, mistake("waits-for-its-clients") ? SIG_IGN : SIG_DFL);
            on(SIGTERM, SIG_DFL);
            on(SIGCHLD, SIG_DFL);
            sigprocmask(SIG_SETMASK, &unblocked, NULL);
            serve_one(client);
            exit(0);
        }
        close(client);
        if (mistake("serves-one-at-a-time"))
            waitpid(-1, NULL, 0);
    }
    if (!mistake("waits-for-its-clients"))
        kill(0, SIGTERM); /* its clients' processes: this one is ending already */
    while (waitpid(-1, NULL, 0) > 0) {
    }
}
