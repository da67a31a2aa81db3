/* A chat client in C that does everything right, and the mistakes that students make. */

#define _GNU_SOURCE
#include "mistake.h"
#include <ctype.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static volatile sig_atomic_t ending;

static void end(int signal)
{
    (void)signal;
    ending = 1;
}

static void send_all(int server, const char *bytes, ssize_t length)
{
    while (length > 0) {
        ssize_t count = write(server, bytes, length);
        if (count < 0) {
            perror("the server has gone");
            exit(1);
        }
        bytes += count;
        length -= count;
    }
}

static void show(const char *bytes, ssize_t length)
{
    static bool begun; /* a line that is not yet complete */
    for (ssize_t at = 0; at < length; at++) {
        if (bytes[at] == '\n' && at + 1 < length && mistake("takes-a-read-for-a-line")) {
            putchar(' ');
            continue;
        }
        if (!begun)
            printf("server: ");
        begun = bytes[at] != '\n';
        if (begun && iscntrl((unsigned char)bytes[at]) && !mistake("prints-what-comes"))
            printf("\\x%02x", bytes[at]);
        else
            putchar(bytes[at]);
    }
    if (mistake("shows-pieces"))
        begun = false;
    if (!mistake("keeps-its-output"))
        fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s SOCKET NAME\n", argv[0]);
        return 2;
    }
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGINT, &action, NULL);
    if (!mistake("dies-of-sigpipe"))
        signal(SIGPIPE, SIG_IGN);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(server, (struct sockaddr *)&address, sizeof address) < 0) {
        perror(argv[1]);
        return mistake("fails-without-a-code") ? 0 : 1;
    }
    char bytes[4096], kept[65536];
    size_t gathered = 0;
    int pid = mistake("tells-its-parent-s-pid") ? getppid() : getpid();
    send_all(server, bytes, snprintf(bytes, sizeof bytes, "HELLO %s %d\n", argv[2], pid));

    struct pollfd both[2] = {{.fd = server, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    while (!ending) {
        if (poll(both, 2, -1) < 0)
            continue;
        if (both[0].revents) {
            ssize_t count = read(server, bytes, sizeof bytes);
            if (count <= 0) {
                fputs("the server has gone\n", stderr);
                return 1;
            }
            show(bytes, count);
        }
        if (both[1].revents) {
            ssize_t count = read(0, bytes, sizeof bytes);
            if (count <= 0) {
                send_all(server, kept, gathered);
                return mistake("takes-the-end-for-a-failure") ? 1 : 0;
            }
            if (mistake("gathers-lines")) {
                memcpy(kept + gathered, bytes, count);
                gathered += count;
            } else {
                send_all(server, bytes, count);
            }
        }
    }
    return 0;
}
