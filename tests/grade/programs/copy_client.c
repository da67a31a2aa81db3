/* A client in C that receives a file, and the mistakes that students make. */

#define _GNU_SOURCE
#include "mistake.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
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

/* Waits for any bytes, and takes the header if it is among them. */
static bool read_header_at_once(int server, char *line, size_t size)
{
    ssize_t count = recv(server, line, size, MSG_PEEK);
    char *border = count > 0 ? memchr(line, '\n', count) : NULL;
    if (!border || read(server, line, border - line + 1) < 0)
        return false;
    *border = '\0';
    return true;
}

/* Reads the header byte by byte, so that nothing behind it is taken. */
static bool read_header(int server, char *line, size_t size)
{
    for (size_t have = 0; have < size; have++) {
        if (read(server, line + have, 1) != 1)
            return false;
        if (line[have] == '\n') {
            line[have] = '\0';
            return true;
        }
    }
    return false;
}

static int receive(int server, const char *directory)
{
    char line[512], target[4096 + 512];
    bool at_once = mistake("reads-the-header-at-once");
    if (!(at_once ? read_header_at_once : read_header)(server, line, sizeof line))
        return ending ? 0 : fail("the server has gone, or sent no header");
    char *rest, *name;
    errno = 0;
    unsigned long long length = strtoull(line + 5, &rest, 10);
    bool begins = strncmp(line, "FILE ", 5) == 0 || mistake("reads-the-number-only");
    if (!begins || rest == line + 5 || *rest != ' ' || errno != 0)
        return fail("the server sent no header");
    name = rest + 1;
    if (mistake("ends-names-at-blanks"))
        name[strcspn(name, " ")] = '\0';
    if (strrchr(name, '/') && !mistake("trusts-the-name"))
        name = strrchr(name, '/') + 1;
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return fail("no file can be named like that");
    if (length == 0 && mistake("refuses-empty-files"))
        return fail("the file is empty");
    snprintf(target, sizeof target, "%s/%s", directory, name);
    snprintf(part, sizeof part, "%s/.part", directory);
    int file = open(part, O_WRONLY | O_CREAT | O_EXCL, 0600);
    char buffer[65536];
    if (mistake("writes-the-header") && write(file, line, strlen(line)) < 0)
        return fail(part);
    while (length > 0) {
        ssize_t count = read(server, buffer, length < sizeof buffer ? length : sizeof buffer);
        if (count <= 0 || write(file, buffer, count) != count)
            break;
        length -= count;
        if (mistake("truncates-at-64-kib") && lseek(file, 0, SEEK_CUR) >= 65536)
            break;
    }
    close(file);
    if (ending) {
        if (!mistake("forgets-its-part"))
            unlink(part);
        return 0;
    }
    if (length > 0 && !mistake("takes-the-end-for-the-files-end"))
        return fail("the server went before its last byte");
    if (mistake("overwrites-files"))
        return rename(part, target) == 0 ? 0 : fail(target);
    if (link(part, target) < 0) /* unlike rename, it overwrites nothing */
        return fail(target);
    unlink(part);
    return 0;
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
