/* A server in C that sends a file to every client, and the mistakes that students make.
 *
 * Compiled with the name of a mistake, it makes that one. */

#include "server.h"
#include <fcntl.h>
#include <libgen.h>

static char *path;

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
    int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &found) < 0)
        return;
#ifdef REFUSES_EMPTY_FILES
    if (found.st_size == 0)
        return;
#endif
#ifdef SENDS_THE_WHOLE_PATH
    const char *name = path;
#else
    const char *name = basename(path);
#endif
    char line[512];
    int length = snprintf(line, sizeof line, "FILE %lld %s\n", (long long)found.st_size, name);
    if (!send_all(client, line, length))
        return;
#ifdef READS_ALL_INTO_MEMORY
    size_t size = found.st_size + 1;
#else
    size_t size = 65536;
#endif
    char *buffer = malloc(size);
    for (ssize_t count; (count = read(file, buffer, size)) > 0;) {
        if (!send_all(client, buffer, count))
            break;
#ifdef TRUNCATES_AT_64_KIB
        break;
#endif
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
    prepare_signals();
    serve(listen_at(argv[2]), send_file);
    unlink(argv[2]);
    return 0;
}
