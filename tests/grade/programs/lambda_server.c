/* A server in C that runs functions on request, and the mistakes that students make. */

#include "forks.h"
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
        if (!mistake("inherits-stdin"))
            dup2(open("/dev/null", O_RDONLY), 0);
        if (mistake("asks-a-shell")) {
            char line[4096] = "exec";
            for (int at = 0; fields[at]; at++)
                strcat(strcat(line, " "), fields[at]);
            execl("/bin/sh", "sh", "-c", line, NULL);
        }
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
    while (mistake("waits-for-a-newline") && count > 0 && !memchr(message, '\n', count)) {
        ssize_t more = read(client, message + count, MESSAGE_LEN - count);
        if (more <= 0)
            break;
        count += more;
    }
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
        fields[1] = mistake("knows-no-default") ? "main" : "run";
    if (mistake("forgets-the-file"))
        fields[2] = NULL;
    int output = -1, mode = mistake("output-for-all") ? 0644 : 0600;
    for (int number = 1; output < 0; number++) { /* mkstemp would do, but its names differ each time */
        snprintf(path, sizeof path, "%s/output-%d", directory, number);
        output = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
    }
    int status = number == 0 || number > 3 ? 127 : run(fields, output);
    if (mistake("ignores-the-exit-status") && number > 0 && access(fields[0], X_OK) == 0)
        status = 0;
    if (status == 127 && ftruncate(output, 0) == 0)
        dprintf(output, "Error: %s could not be executed.\n", shown);
    if (mistake("answers-good-ends-only") && status != 0 && status != 127)
        return;
    if (mistake("sends-a-relative-path"))
        strcpy(path, strrchr(path, '/') + 1);
    if (mistake("sends-a-newline"))
        strcat(path, "\n");
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
    if (!mistake("never-waits"))
        on(SIGCHLD, SIG_IGN); /* the kernel waits for the clients' processes */
    serve(listen_at(argv[1]), serve_one);
    remove_socket(argv[1]);
    return 0;
}
