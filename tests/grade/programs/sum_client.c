/* A sum client in C that does everything right, and the mistakes that students make. */

#define _GNU_SOURCE
#include "mistake.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FRAME_LEN 128

static volatile sig_atomic_t ending;

static void end(int signal)
{
    (void)signal;
    ending = 1;
}

/* Whether the line is a 32-bit integer, and which. */
static bool parse(const char *line, int32_t *integer)
{
    char *rest;
    errno = 0;
    long number = strtol(line, &rest, 10);
    *integer = mistake("uses-atoi") ? atoi(line) : number;
    return mistake("uses-atoi")
        || (rest != line && *rest == '\0' && errno == 0 && number >= INT32_MIN && number <= INT32_MAX);
}

static void send_all(int server, const void *bytes, size_t length)
{
    const char *rest = bytes;
    while (length > 0) {
        ssize_t count = write(server, rest, length);
        if (count < 0) {
            perror("the server has gone");
            exit(1);
        }
        rest += count;
        length -= count;
    }
}

/* Sends the integers among the lines; true when one of them was 0. What is left of a line that is
 * not yet complete stays in the buffer. */
static bool send_lines(int server, char *buffer, size_t *have)
{
    char *line = buffer;
    bool found = false;
    for (char *end; !found && (end = memchr(line, '\n', buffer + *have - line)); line = end + 1) {
        int32_t integer;
        *end = '\0';
        if (!parse(line, &integer)) {
            fprintf(stderr, "not an integer: %s\n", line);
            continue;
        }
        int32_t sent = mistake("swaps-bytes") ? (int32_t)htonl(integer) : integer;
        send_all(server, &sent, sizeof sent);
        found = integer == 0 && !mistake("sends-on-after-0");
    }
    *have -= line - buffer;
    memmove(buffer, line, *have);
    return found;
}

/* Receives the answer; false if the server goes before. */
static bool receive(int server, char *frame)
{
    size_t have = 0;
    while (have < FRAME_LEN) {
        ssize_t count = read(server, frame + have, FRAME_LEN - have);
        if (count <= 0)
            return false;
        have += count;
        if (mistake("reads-the-frame-at-once"))
            break;
    }
    return true;
}

/* Waits for the user and the server at once. Returns the exit code. */
static int converse(int server)
{
    char buffer[65536], frame[FRAME_LEN + 1] = {0};
    size_t have = 0;
    struct pollfd both[2] = {{.fd = server, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    if (mistake("watches-its-user-alone"))
        both[0].fd = -1;
    while (!ending) {
        if (poll(both, 2, -1) < 0)
            continue;
        if (both[0].revents) {
            if (!receive(server, frame)) {
                fputs("the server has gone\n", stderr);
                return 1;
            }
            if (strncmp(frame, "Result = ", 9) != 0 && !mistake("takes-any-frame")) {
                fprintf(stderr, "%s\n", frame);
                return 1;
            }
            if (mistake("prints-the-padding"))
                fwrite(frame, 1, FRAME_LEN, stdout);
            puts(frame);
            return mistake("fails-without-a-reason") ? 1 : 0;
        }
        if (both[1].revents) {
            ssize_t count = read(0, buffer + have, sizeof buffer - have);
            if (count <= 0) {
                if (mistake("sends-0-at-the-end"))
                    send_all(server, &(int32_t){0}, 4);
                return 0;
            }
            have += count;
            if (send_lines(server, buffer, &have)) {
                both[0].fd = server;
                both[1].fd = -1; /* nothing more is read */
            }
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
        return 2;
    }
    struct sigaction action = {.sa_handler = end};
    if (!mistake("has-no-handler"))
        sigaction(SIGINT, &action, NULL);
    if (!mistake("dies-of-sigpipe"))
        signal(SIGPIPE, SIG_IGN);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(server, (struct sockaddr *)&address, sizeof address) < 0) {
        perror(argv[1]);
        return 1;
    }
    return converse(server);
}
