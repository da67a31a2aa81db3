/* A client in C that receives a file, and the mistakes that students make.
 *
 * Compiled with the name of a mistake, it makes that one. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char part[4096]; /* the unfinished file */
static volatile sig_atomic_t ending;

static void end(int signal)
{
    (void)signal;
    ending = 1;
}

static int fail(const char *what)
{
    fprintf(stderr, "no copy: %s\n", what);
    unlink(part);
    return 1;
}

/* Reads the header byte by byte, so that nothing behind it is taken. */
static bool read_header(int server, char *line, size_t size)
{
#ifdef READS_THE_HEADER_AT_ONCE
    ssize_t count = recv(server, line, size - 1, MSG_PEEK);
    line[count < 0 ? 0 : count] = '\0';
    char *border = strchr(line, '\n');
    return border && read(server, line, border - line + 1) > 0 && (*border = '\0', true);
#else
    for (size_t have = 0; have < size; have++) {
        if (read(server, line + have, 1) != 1)
            return false;
        if (line[have] == '\n') {
            line[have] = '\0';
            return true;
        }
    }
    return false;
#endif
}

static int receive(int server, const char *directory)
{
    char line[512], target[4096 + 512];
    if (!read_header(server, line, sizeof line))
        return ending ? 0 : fail("the server has gone, or sent no header");
    char *rest, *name;
    errno = 0;
    unsigned long long length = strtoull(line + 5, &rest, 10);
    if (strncmp(line, "FILE ", 5) != 0 || rest == line + 5 || *rest != ' ' || errno != 0)
        return fail("the server sent no header");
    name = rest + 1;
#ifdef ENDS_NAMES_AT_BLANKS
    name[strcspn(name, " ")] = '\0';
#endif
#ifndef TRUSTS_THE_NAME
    if (strrchr(name, '/'))
        name = strrchr(name, '/') + 1;
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return fail("no file can be named like that");
#endif
#ifdef REFUSES_EMPTY_FILES
    if (length == 0)
        return fail("the file is empty");
#endif
    snprintf(target, sizeof target, "%s/%s", directory, name);
    snprintf(part, sizeof part, "%s/.part", directory);
    int file = open(part, O_WRONLY | O_CREAT | O_EXCL, 0600);
    char buffer[65536];
    while (length > 0) {
        ssize_t count = read(server, buffer, length < sizeof buffer ? length : sizeof buffer);
        if (count <= 0 || write(file, buffer, count) != count)
            break;
        length -= count;
    }
    close(file);
    if (ending) {
#ifndef FORGETS_ITS_PART
        unlink(part);
#endif
        return 0;
    }
#ifndef TAKES_THE_END_FOR_THE_FILES_END
    if (length > 0)
        return fail("the server went before its last byte");
#endif
#ifdef OVERWRITES_FILES
    return rename(part, target) == 0 ? 0 : fail(target);
#else
    if (link(part, target) < 0) /* unlike rename, it overwrites nothing */
        return fail(target);
    unlink(part);
    return 0;
#endif
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s SOCKET DIRECTORY\n", argv[0]);
        return 2;
    }
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGINT, &action, NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(server, (struct sockaddr *)&address, sizeof address) < 0) {
        perror(argv[1]);
        return 1;
    }
    return receive(server, argv[2]);
}
