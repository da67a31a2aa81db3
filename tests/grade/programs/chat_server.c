/* A chat server in C that does everything right, and the mistakes that students make.
 *
 * Compiled as it is, it is one-way; with -DTWO_WAY it also sends what is typed. */

#include "server.h"
#include <ctype.h>

#define MAX_LINE 4096
#define MAX_CLIENTS 500
#ifndef TWO_WAY
#define TWO_WAY false
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

static void show(const struct client *client, const char *text)
{
    printf("%s#%d: ", client->name, client->number);
    for (; *text; text++) {
        if (iscntrl((unsigned char)*text) && !mistake("prints-what-comes"))
            printf("\\x%02x", *text);
        else
            putchar(*text);
    }
    putchar('\n');
    if (!mistake("keeps-its-output"))
        fflush(stdout);
}

/* Whether the line is HELLO <name> <pid>. */
static bool parse_hello(const char *line, char *name, int *pid)
{
    int length = 0;
    int found = sscanf(line, "HELLO %32s %d%n", name, pid, &length);
    bool whole = found == 2 && line[length] == '\0';
    if (!whole && !(found >= 1 && mistake("takes-any-line-for-hello")))
        return false;
    for (char *c = name; *c && !mistake("takes-any-name"); c++)
        if (iscntrl((unsigned char)*c))
            return false;
    return true;
}

static void hear(struct client *client, const char *line)
{
    char name[33];
    int pid = 0;
    bool first = !client->greeted || mistake("takes-hello-anywhere");
    client->greeted = true;
    if (first && parse_hello(line, name, &pid)) {
        strcpy(client->name, name);
        if (!mistake("lets-in-silently"))
            fprintf(stderr, "%s (pid %d) joined\n", name, pid);
        return;
    }
    show(client, line);
    if (mistake("answers-its-clients"))
        dprintf(client->fd, "%s\n", line);
}

static void say_to(int at, const char *line)
{
    char out[MAX_LINE + 2];
    int length = snprintf(out, sizeof out, "%s\n", line);
    int flags = mistake("waits-for-slow-clients") ? 0 : MSG_DONTWAIT;
    if (send(clients[at]->fd, out, length, flags) < length)
        shutdown(clients[at]->fd, SHUT_RDWR); /* it does not read: poll will find it gone */
}

static void say(struct client *nobody, const char *line)
{
    (void)nobody;
    char who[34];
    int length = 0, found = 0;
    if (sscanf(line, "@%33s %n", who, &length) != 1)
        who[0] = '\0';
    for (int at = 0; at < count; at++) {
        size_t compared = mistake("compares-beginnings") ? strlen(who) : sizeof who;
        bool named = strncmp(who, clients[at]->name, compared) == 0 && !mistake("knows-no-names");
        if (!mistake("knows-no-numbers"))
            named |= who[0] == '#' && atoi(who + 1) == clients[at]->number;
        if (length == 0 || named) {
            say_to(at, line + length);
            found++;
        }
    }
    if (length && !found) {
        fprintf(stderr, "nobody here is %s\n", who);
        for (int at = 0; at < count && mistake("sends-the-unknown-to-all"); at++)
            say_to(at, line + length);
    }
}

/* Takes the lines out of what one read brings; false at the end of the stream. */
static bool take(int fd, struct part *part, void (*use)(struct client *, const char *), struct client *of)
{
    char bytes[4096];
    ssize_t got = read(fd, bytes, sizeof bytes);
    for (ssize_t at = 0; at < got; at++) {
        if (bytes[at] == '\n' && at + 1 < got && mistake(of ? "takes-a-read-for-a-line" : "takes-typing-for-a-line"))
            continue;
        bool is_full = part->have > (mistake("has-a-small-buffer") ? 500 : MAX_LINE);
        if (bytes[at] == '\n' && !(is_full && mistake("fills-its-buffer"))) {
            part->bytes[part->have] = '\0';
            bool cr = part->have > 0 && part->bytes[part->have - 1] == '\r';
            if (cr && !mistake("keeps-the-carriage-return"))
                part->bytes[part->have - 1] = '\0';
            if (!part->too_long)
                use(of, part->bytes);
            part->have = 0;
            part->too_long = false;
        } else if (!is_full) {
            part->bytes[part->have++] = bytes[at];
        } else {
            part->too_long = true;
        }
    }
    if (part->have > 0 && mistake("shows-pieces")) {
        part->bytes[part->have] = '\0';
        use(of, part->bytes);
        part->have = 0;
    }
    return got > 0;
}

static void leave(int at)
{
    fprintf(stderr, "%s#%d left\n", clients[at]->name, clients[at]->number);
    if (!mistake("never-closes"))
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
    int input = TWO_WAY ? 0 : -1;
    int room = mistake("at-most-ten") ? 10 : MAX_CLIENTS;
    while (!ending) {
        struct pollfd waits[MAX_CLIENTS + 2] = {
            {.fd = count < room ? listener : -1, .events = POLLIN},
            {.fd = input, .events = POLLIN},
        };
        int waiting = count;
        for (int at = 0; at < waiting; at++)
            waits[at + 2] = (struct pollfd){.fd = clients[at]->fd, .events = POLLIN};
        if (ppoll(waits, waiting + 2, NULL, &unblocked) < 0)
            continue;
        for (int at = waiting - 1; at >= 0; at--)
            if (waits[at + 2].revents && !take(clients[at]->fd, &clients[at]->part, hear, clients[at])) {
                leave(at);
                if (mistake("ends-with-its-client"))
                    return;
            }
        if (waits[0].revents)
            enter(accept(listener, NULL, NULL));
        if (waits[1].revents && !take(0, &typed, say, NULL)) {
            input = mistake("reads-on-at-the-end") ? 0 : -1;
            if (mistake("ends-with-its-input"))
                return;
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
    serve(listen_at(argv[1]));
    remove_socket(argv[1]);
    return 0;
}
