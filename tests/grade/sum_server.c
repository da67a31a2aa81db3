/* A sum server in C that does everything right, and the mistakes that students make.
 *
 * Compiled as it is, it serves one client after the other; with -DFORKS, each by a process of its own.
 * Compiled with the name of a mistake, it makes that one. */

#ifdef SERVES_ONE_AT_A_TIME
#undef FORKS
#endif

#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FRAME_LEN 128

static volatile sig_atomic_t ending;
static sigset_t unblocked; /* the mask of ppoll: signals come there and nowhere else */

static void end(int signal)
{
    (void)signal;
    ending = 1;
}

/* Waits until fd can be read; false when the server is to end. */
static bool wait_for(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    while (!ending) {
        if (ppoll(&one, 1, NULL, &unblocked) > 0)
            return true;
    }
    return false;
}

static size_t begun; /* how much of the answer has gone out already */

static void answer(int fd, const char *text)
{
    char frame[FRAME_LEN] = {0};
    snprintf(frame, sizeof frame, "%s", text);
#ifdef SENDS_THE_TEXT_ALONE
    size_t length = strlen(frame);
#else
    size_t length = sizeof frame;
#endif
    if (write(fd, frame + begun, length - begun) < 0)
        perror("a client left before its answer");
}

static void converse(int fd)
{
#ifdef INT_SUM
    int sum = 0;
#else
    int64_t sum = 0;
#endif
    char bytes[4096];
    size_t have = 0;
    bool found = false;
    begun = 0;

    while (!found) {
        if (!wait_for(fd)) {
#ifndef FORGETS_GOODBYE
            answer(fd, "Goodbye: the server is shutting down");
#endif
#ifdef TAKES_CTRL_C_FOR_A_FAILURE
            exit(1);
#endif
            return;
        }
#ifdef READS_4_BYTES
        ssize_t count = read(fd, bytes, 4);
#else
        ssize_t count = read(fd, bytes + have, sizeof bytes - have);
#endif
#ifdef IGNORES_THE_END
        if (count == 0)
            continue;
#endif
        if (count <= 0)
            return;
#ifdef ANSWERS_BEFORE_0
        if (begun == 0 && write(fd, "Result = ", 9) > 0)
            begun = 9;
#endif
        have += count;
#ifdef READS_4_BYTES
        have = 4;
#endif
        size_t at = 0;
        for (; have - at >= 4; at += 4) {
#ifdef UNSIGNED_INTEGERS
            uint32_t integer;
#else
            int32_t integer;
#endif
            memcpy(&integer, bytes + at, 4);
#ifdef LOOKS_FOR_A_BYTE_0
            found |= (integer & 0xff) == 0;
#else
            found |= integer == 0;
#endif
#ifndef ADDS_WHAT_FOLLOWS_0
            if (found)
                break;
#endif
            sum += integer;
#ifdef READS_ONE_INTEGER
            at = have - 4;
#endif
        }
        memmove(bytes, bytes + at, have - at);
        have -= at;
    }
    char text[FRAME_LEN];
    snprintf(text, sizeof text, "Result = %lld", (long long)sum);
    answer(fd, text);
}

static void serve(int listener)
{
    while (wait_for(listener)) {
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            continue;
#ifdef FORKS
        if (fork() == 0) {
            converse(client);
            exit(0);
        }
#else
        converse(client);
#endif
#ifndef KEEPS_THE_CONNECTION
        close(client);
#endif
    }
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
#ifdef IGNORES_TERM
    on(SIGTERM, SIG_IGN);
#else
    on(SIGTERM, end);
#endif
#ifndef DIES_OF_SIGPIPE
    on(SIGPIPE, SIG_IGN);
#endif
#ifndef NEVER_WAITS
    on(SIGCHLD, SIG_IGN); /* the kernel waits for the children */
#endif
}

static void make_way(const char *path)
{
#ifdef REMOVES_ANY_FILE
    unlink(path);
#elif !defined STUMBLES_OVER_A_STALE_FILE
    struct stat found;
    if (lstat(path, &found) == 0 && S_ISSOCK(found.st_mode))
        unlink(path);
#else
    (void)path;
#endif
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
        return 2;
    }
    prepare_signals();
    make_way(argv[1]);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0
        || listen(listener, SOMAXCONN) < 0) {
        perror(argv[1]);
        return 1;
    }
    serve(listener);
#ifdef FORKS
    kill(0, SIGTERM); /* to its clients' processes, too: this one is ending already */
    while (waitpid(-1, NULL, 0) > 0) {
    }
#endif
#ifndef FORGETS_UNLINK
    unlink(argv[1]);
#endif
    return 0;
}
