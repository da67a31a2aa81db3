/* A sum server in C that does everything right, and the mistakes that students make.
 *
 * Compiled as it is, it serves one client after the other; with -DFORKS, each by a process of its own.
 * With -DIMPATIENT it does not wait, but looks again and again. */

#include "server.h"
#include <arpa/inet.h>
#include <stdint.h>
#include <sys/wait.h>

#define FRAME_LEN 128
#ifndef FORKS
#define FORKS false
#endif
#ifdef IMPATIENT
#define PATIENCE (&(struct timespec){0})
#else
#define PATIENCE NULL
#endif

/* Waits until fd can be read; false when the server is to end. */
static bool wait_for(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    while (!ending) {
        if (ppoll(&one, 1, PATIENCE, &unblocked) > 0)
            return true;
    }
    return false;
}

static bool gone; /* the last client went before its answer */
static size_t begun; /* how much of the answer has gone out already */

static void answer(int fd, const char *text)
{
    char frame[FRAME_LEN] = {0};
    snprintf(frame, sizeof frame, "%s", text);
    size_t length = mistake("sends-the-text-alone") ? strlen(frame) : sizeof frame;
    if (write(fd, frame + begun, length - begun) < 0)
        perror("a client left before its answer");
}

static void say_goodbye(int fd)
{
    if (!mistake("forgets-goodbye"))
        answer(fd, "Goodbye: the server is shutting down");
    if (mistake("takes-ctrl-c-for-a-failure"))
        exit(1);
}

/* Adds the whole integers up to a 0; returns how many bytes it has used. */
static size_t add(const char *bytes, size_t have, int64_t *sum, bool *found)
{
    size_t at = 0;
    for (; have - at >= 4; at += 4) {
        int32_t integer;
        memcpy(&integer, bytes + at, 4);
        if (mistake("swaps-bytes"))
            integer = ntohl(integer);
        *found |= mistake("looks-for-a-byte-0") ? (integer & 0xff) == 0 : integer == 0;
        if (*found && !mistake("adds-what-follows-0"))
            break;
        *sum += mistake("unsigned-integers") ? (int64_t)(uint32_t)integer : integer;
        if (mistake("int-sum"))
            *sum = (int32_t)*sum;
        if (mistake("reads-one-integer"))
            at = have - 4;
    }
    return at;
}

static void converse(int fd)
{
    int64_t sum = 0;
    char bytes[4096], text[FRAME_LEN];
    size_t have = 0;
    bool found = false;
    begun = 0;
    gone = false;

    while (!found) {
        if (!wait_for(fd)) {
            say_goodbye(fd);
            return;
        }
        bool into_one = mistake("reads-4-bytes");
        ssize_t count = into_one ? read(fd, bytes, 4) : read(fd, bytes + have, sizeof bytes - have);
        if (count == 0 && mistake("ends-with-its-client"))
            exit(1);
        if (count == 0 && mistake("answers-at-the-end"))
            break;
        if (count <= 0) {
            gone = true;
            return;
        }
        if (mistake("answers-before-0") && begun == 0 && write(fd, "Result = ", 9) > 0)
            begun = 9;
        have = into_one ? 4 : have + count;
        if (mistake("takes-a-hundred") && have > 400)
            have = 400;
        size_t used = add(bytes, have, &sum, &found);
        memmove(bytes, bytes + used, have - used);
        have -= used;
    }
    snprintf(text, sizeof text, "Result = %lld", (long long)sum);
    answer(fd, text);
}

static void wait_for_one(int signal)
{
    (void)signal;
    waitpid(-1, NULL, WNOHANG); /* though several may have ended */
}

static void serve(int listener)
{
    bool forks = FORKS && !mistake("serves-one-at-a-time");
    for (int served = 0; wait_for(listener); served++) {
        if (mistake("at-most-fifty") && served == 50)
            listener = -1; /* which poll passes over */
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            continue;
        if (!forks)
            converse(client);
        else if (fork() == 0) {
            converse(client);
            exit(0);
        }
        if (!mistake("keeps-the-connection") && !(mistake("forgets-broken-off") && gone))
            close(client);
    }
    if (forks) {
        kill(0, SIGTERM); /* to its clients' processes, too: this one is ending already */
        while (waitpid(-1, NULL, 0) > 0) {
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
        return 2;
    }
    prepare_signals();
    if (!mistake("never-waits"))
        on(SIGCHLD, mistake("waits-for-one") ? wait_for_one : SIG_IGN); /* the kernel waits for the children */
    serve(listen_at(argv[1]));
    remove_socket(argv[1]);
    return 0;
}
