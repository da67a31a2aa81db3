/* lambda-server: a server that runs functions on request.
 *
 * It compiles and starts, and the work is left to you: follow the steps. Each begins where the grader's
 * first complaint is. Compile it with  cc -Wall -Wextra -o server lambda_server.c  */

#include <stdio.h>

#define MESSAGE_LEN 1024

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s SOCKET DIRECTORY\n", argv[0]);
        return 2;
    }
    printf("the socket is to be at: %s\n", argv[1]);

    /* Step 1: SIGINT and SIGTERM are to end the loop below (sigaction without SA_RESTART), SIGPIPE to do nothing. */
    /* Step 2: remove a socket file that a killed server left, then socket, bind, listen. */
    /* Step 3: wait for a client (accept), and give it a process or a thread. Here begins the loop. */
    /* Step 4: receive one message of at most MESSAGE_LEN bytes (read), and split it at blanks (strtok). */
    /* Step 5: make a new output file (mkstemp). */
    /* Step 6: run LIBRARY FUNCTION [FILE], stdout to that file, stdin from /dev/null (fork, dup2, execv, _exit(127)). */
    /* Step 7: wait for it (waitpid); at exit status 127, write the error line instead (ftruncate, dprintf). */
    /* Step 8: answer with the file's path (write), and close the connection (close). */
    /* Step 9: at the end, end the functions that run, and remove the socket file (kill, waitpid, unlink). */
    return 0;
}
