/* What the servers here share: a listening socket, and signals that end a wait and nothing else. */

#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t ending;
static sigset_t unblocked; /* the mask of ppoll: signals come there and nowhere else */

static void end(int signal)
{
    (void)signal;
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
    on(SIGTERM, end);
    on(SIGPIPE, SIG_IGN);
}

static int listen_at(const char *path)
{
    struct stat found;
    if (lstat(path, &found) == 0 && S_ISSOCK(found.st_mode))
        unlink(path);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0
        || listen(listener, SOMAXCONN) < 0) {
        perror(path);
        exit(1);
    }
    return listener;
}

/* Serves each client in a process of its own, until a signal comes. */
static void serve(int listener, void (*serve_one)(int client))
{
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    while (!ending) {
        while (waitpid(-1, NULL, WNOHANG) > 0) {
        }
        if (ppoll(&wait, 1, NULL, &unblocked) <= 0)
            continue;
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fork() == 0) {
            on(SIGINT, SIG_DFL); /* a signal ends it wherever it is */
            on(SIGTERM, SIG_DFL);
            on(SIGCHLD, SIG_DFL);
            sigprocmask(SIG_SETMASK, &unblocked, NULL);
            serve_one(client);
            exit(0);
        }
        close(client);
#ifdef SERVES_ONE_AT_A_TIME
        waitpid(-1, NULL, 0);
#endif
    }
    kill(0, SIGTERM); /* its clients' processes: this one is ending already */
    while (waitpid(-1, NULL, 0) > 0) {
    }
}
