/* A server in C that runs functions on request, and the mistakes that students make.
 *
 * Compiled with the name of a mistake, it makes that one. */

#include "server.h"
#include <fcntl.h>

#define MESSAGE_LEN 1024

static const char *directory;

/* Runs the fields of a message; returns the exit status as a shell would. */
static int run(char **fields, int output)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        dup2(output, 1);
#ifndef INHERITS_STDIN
        dup2(open("/dev/null", O_RDONLY), 0);
#endif
        execv(fields[0], fields);
        _exit(127);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Receives what the first read brings, or more if there is more to come for certain. */
static ssize_t receive(int client, char *message)
{
    ssize_t count = read(client, message, MESSAGE_LEN);
#ifdef WAITS_FOR_A_NEWLINE
    while (count > 0 && !memchr(message, '\n', count)) {
        ssize_t more = read(client, message + count, MESSAGE_LEN - count);
        if (more <= 0)
            break;
        count += more;
    }
#endif
    return count;
}

static void serve_one(int client)
{
    char message[MESSAGE_LEN + 1], shown[MESSAGE_LEN + 1], path[4096];
    ssize_t count = receive(client, message);
    if (count <= 0)
        return;
    message[count] = '\0';
    message[strcspn(message, "\n")] = '\0';
    strcpy(shown, message);

    char *fields[5] = {0};
    int number = 0;
    for (char *field = strtok(message, " "); field && number < 4; field = strtok(NULL, " "))
        fields[number++] = field;
    if (number == 1)
#ifdef KNOWS_NO_DEFAULT
        fields[1] = "main";
#else
        fields[1] = "run";
#endif
#ifdef OUTPUT_FOR_ALL
    int mode = 0644;
#else
    int mode = 0600;
#endif
    int output = -1;
    for (int number = 1; output < 0; number++) { /* mkstemp would do, but its names differ each time */
        snprintf(path, sizeof path, "%s/output-%d", directory, number);
        output = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
    }
    int status = number == 0 || number > 3 ? 127 : run(fields, output);
#ifdef IGNORES_THE_EXIT_STATUS
    status = access(fields[0], X_OK) == 0 ? 0 : status;
#endif
    if (status == 127 && ftruncate(output, 0) == 0)
        dprintf(output, "Error: %s could not be executed.\n", shown);
#ifdef ANSWERS_GOOD_ENDS_ONLY
    if (status != 0 && status != 127)
        return;
#endif
#ifdef SENDS_A_NEWLINE
    strcat(path, "\n");
#endif
    if (write(client, path, strlen(path)) < 0)
        perror("a client left before its answer");
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s SOCKET DIRECTORY\n", argv[0]);
        return 2;
    }
    directory = argv[2];
    prepare_signals();
    on(SIGCHLD, SIG_IGN); /* the kernel waits for the clients' processes */
    serve(listen_at(argv[1]), serve_one);
    unlink(argv[1]);
    return 0;
}
