/* A server in C that sends a file to every client, and the mistakes that students make. */

#include "forks.h"
#include <fcntl.h>
#include <libgen.h>

static char *path;
static int shared;

static bool send_all(int client, const char *bytes, ssize_t length)
{
    while (length > 0) {
        ssize_t count = write(client, bytes, length);
        if (count < 0)
            return false;
        bytes += count;
        length -= count;
    }
    return true;
}

static void send_file(int client)
{
    struct stat found;
    int file = mistake("shares-the-offset") ? shared : open(path, O_RDONLY);
    lseek(file, 0, SEEK_SET);
    if (file < 0 || fstat(file, &found) < 0)
        return;
    if (mistake("refuses-empty-files") && found.st_size == 0)
        return;
    const char *name = mistake("sends-the-whole-path") ? path : basename(path);
    char line[512];
    int length = snprintf(line, sizeof line, "FILE %lld %s\n", mistake("keeps-the-length-in-an-int") ? (int)found.st_size : (long long)found.st_size, name);
    if (!send_all(client, line, length))
        return;
    size_t size = mistake("reads-all-into-memory") ? found.st_size + 1 : 65536;
    char *buffer = malloc(size);
    for (ssize_t count; (count = read(file, buffer, size)) > 0;) {
        if (!send_all(client, buffer, count) || mistake("truncates-at-64-kib"))
            break;
    }
    free(buffer);
    close(file);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s FILE SOCKET\n", argv[0]);
        return 2;
    }
    path = argv[1];
    shared = open(path, O_RDONLY);
    prepare_signals();
    serve(listen_at(argv[2]), send_file);
    remove_socket(argv[2]);
    return 0;
}
