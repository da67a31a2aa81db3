/* What the servers here share: a listening socket, and signals that end a wait and nothing else. */

#define _GNU_SOURCE
#include "mistake.h"
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static volatile sig_atomic_t ending, ended_by;
static sigset_t unblocked; /* the mask of ppoll: signals come there and nowhere else */

static void end(int signal)
{
    ended_by = signal;
    ending = 1;
}

static void on(int signal, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigaction(signal, &action, NULL);
}

static void prepare_signals(void)
{
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &unblocked);
    on(SIGINT, end);
    on(SIGTERM, mistake("ignores-term") ? SIG_IGN : end);
    if (!mistake("dies-of-sigpipe"))
        on(SIGPIPE, SIG_IGN);
}

/* Removes the socket file that a killed server left. */
static void make_way(const char *path)
{
    struct stat found;
    if (mistake("stumbles-over-a-stale-file"))
        return;
    if (mistake("removes-any-file") || (lstat(path, &found) == 0 && S_ISSOCK(found.st_mode)))
        unlink(path);
}

static int listen_at(const char *path)
{
    make_way(path);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int kind = mistake("sends-packets") ? SOCK_SEQPACKET : SOCK_STREAM;
    int listener = socket(AF_UNIX, kind | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0
        || (!mistake("never-listens") && listen(listener, SOMAXCONN) < 0)) {
        perror(path);
        exit(1);
    }
    return listener;
}

static void remove_socket(const char *path)
{
    if (mistake("unlinks-at-ctrl-c-only") && ended_by != SIGINT)
        return;
    if (!mistake("forgets-unlink"))
        unlink(path);
}
