/* A chat server in C that does everything right, and the mistakes that students make.
 *
 * Compiled as it is, it is one-way; with -DTWO_WAY it also sends what is typed. Compiled with the name
 * of a mistake, it makes that one. */

#define _GNU_SOURCE
#include <ctype.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_LINE 4096
#ifdef AT_MOST_TEN
#define MAX_CLIENTS 10
#else
#define MAX_CLIENTS 500
#endif

/* A line that is not yet complete. */
struct part {
    char bytes[MAX_LINE + 2];
    size_t have;
    bool too_long; /* the rest of it is skipped */
};

struct client {
    int fd, number;
    bool greeted;
    char name[33];
    struct part part;
};

static struct client *clients[MAX_CLIENTS];
static int count, last_number;
static struct part typed;
static volatile sig_atomic_t ending;
static sigset_t unblocked; /* the mask of ppoll: signals come there and nowhere else */

static void end(int signal)
{
    (void)signal;
    ending = 1;
}

static void show(const struct client *client, const char *text)
{
    printf("%s#%d: ", client->name, client->number);
    for (; *text; text++) {
#ifdef PRINTS_WHAT_COMES
        putchar(*text);
#else
        if (iscntrl((unsigned char)*text))
            printf("\\x%02x", *text);
        else
            putchar(*text);
#endif
    }
    putchar('\n');
    fflush(stdout);
}

static void hear(struct client *client, const char *line)
{
    char name[33];
    int pid, length = 0;
    if (!client->greeted) {
        client->greeted = true;
#ifdef TAKES_ANY_LINE_FOR_HELLO
        if (sscanf(line, "HELLO %32s", name) == 1) {
            strcpy(client->name, name);
            sscanf(line, "HELLO %32s %d", name, &pid);
            fprintf(stderr, "%s (pid %d) joined\n", name, pid);
            return;
        }
        (void)length;
#else
        if (sscanf(line, "HELLO %32s %d%n", name, &pid, &length) == 2 && line[length] == '\0') {
            strcpy(client->name, name);
            fprintf(stderr, "%s (pid %d) joined\n", name, pid);
            return;
        }
#endif
    }
    show(client, line);
}

#ifdef TWO_WAY
static void say_to(int at, const char *line)
{
    char out[MAX_LINE + 2];
    int length = snprintf(out, sizeof out, "%s\n", line);
#ifdef WAITS_FOR_SLOW_CLIENTS
    send(clients[at]->fd, out, length, MSG_NOSIGNAL);
#else
    if (send(clients[at]->fd, out, length, MSG_NOSIGNAL | MSG_DONTWAIT) < length)
        shutdown(clients[at]->fd, SHUT_RDWR); /* it does not read: poll will find it gone */
#endif
}

static void say(struct client *nobody, const char *line)
{
    (void)nobody;
    char who[34];
    int length = 0, found = 0;
    if (sscanf(line, "@%33s %n", who, &length) != 1)
        who[0] = '\0';
    for (int at = 0; at < count; at++) {
        bool named = strcmp(who, clients[at]->name) == 0;
#ifndef KNOWS_NO_NUMBERS
        named |= who[0] == '#' && atoi(who + 1) == clients[at]->number;
#endif
        if (length == 0 || named) {
            say_to(at, line + length);
            found++;
        }
    }
    if (length && !found) {
        fprintf(stderr, "nobody here is %s\n", who);
#ifdef SENDS_THE_UNKNOWN_TO_ALL
        for (int at = 0; at < count; at++)
            say_to(at, line + length);
#endif
    }
}
#endif

/* Takes the lines out of what one read brings; false at the end of the stream. */
static bool take(int fd, struct part *part, void (*use)(struct client *, const char *), struct client *of)
{
    char bytes[4096];
    ssize_t got = read(fd, bytes, sizeof bytes);
    for (ssize_t at = 0; at < got; at++) {
#ifdef TAKES_A_READ_FOR_A_LINE
        if (bytes[at] == '\n' && at + 1 < got)
            continue;
#endif
        if (bytes[at] == '\n') {
            part->bytes[part->have] = '\0';
#ifndef KEEPS_THE_CARRIAGE_RETURN
            if (part->have > 0 && part->bytes[part->have - 1] == '\r')
                part->bytes[part->have - 1] = '\0';
#endif
            if (!part->too_long)
                use(of, part->bytes);
            part->have = 0;
            part->too_long = false;
        } else if (part->have <= MAX_LINE) {
            part->bytes[part->have++] = bytes[at];
        } else {
            part->too_long = true;
        }
    }
    return got > 0;
}

static void leave(int at)
{
    fprintf(stderr, "%s#%d left\n", clients[at]->name, clients[at]->number);
    close(clients[at]->fd);
    free(clients[at]);
    clients[at] = clients[--count];
}

static void enter(int fd)
{
    struct client *client = calloc(1, sizeof *client);
    client->fd = fd;
    client->number = ++last_number;
    strcpy(client->name, "anonymous");
    clients[count++] = client;
}

static void serve(int listener)
{
    int input = -1;
#ifdef TWO_WAY
    input = 0;
#endif
    while (!ending) {
        struct pollfd waits[MAX_CLIENTS + 2] = {
            {.fd = count < MAX_CLIENTS ? listener : -1, .events = POLLIN},
            {.fd = input, .events = POLLIN},
        };
        int waiting = count;
        for (int at = 0; at < waiting; at++)
            waits[at + 2] = (struct pollfd){.fd = clients[at]->fd, .events = POLLIN};
        if (ppoll(waits, waiting + 2, NULL, &unblocked) < 0)
            continue;
        for (int at = waiting - 1; at >= 0; at--)
            if (waits[at + 2].revents && !take(clients[at]->fd, &clients[at]->part, hear, clients[at]))
                leave(at);
        if (waits[0].revents)
            enter(accept(listener, NULL, NULL));
#ifdef TWO_WAY
        if (waits[1].revents && !take(0, &typed, say, NULL)) {
            input = -1;
#ifdef ENDS_WITH_ITS_INPUT
            return;
#endif
        }
#endif
    }
}

static void prepare_signals(void)
{
    sigset_t blocked;
    struct sigaction action = {.sa_handler = end};
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &unblocked);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
        return 2;
    }
    (void)typed;
    prepare_signals();
    struct stat found;
    if (lstat(argv[1], &found) == 0 && S_ISSOCK(found.st_mode))
        unlink(argv[1]);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0
        || listen(listener, SOMAXCONN) < 0) {
        perror(argv[1]);
        return 1;
    }
    serve(listener);
    unlink(argv[1]);
    return 0;
}
