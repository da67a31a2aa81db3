/* chat-one-way and chat-two-way: a server that shows what its clients say, and answers.
 *
 * It compiles and starts, and the work is left to you: follow the steps. Each begins where the grader's
 * first complaint is. Compile it with  cc -Wall -Wextra -o server chat_server.c  */

#include <stdio.h>

#define MAX_LINE 4096

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
        return 2;
    }
    printf("the socket is to be at: %s\n", argv[1]);

    /* Step 1: remove a socket file that a killed server left (lstat, S_ISSOCK, unlink). */
    /* Step 2: create the listening socket, name it, let the kernel queue clients (socket, bind, listen). */
    /* Step 3: SIGINT and SIGTERM are to end the loop below (sigaction), SIGPIPE to do nothing. */
    /* Step 4: wait for whatever is ready (poll): the listening socket, each client, and, two-way, stdin. */
    /* Step 5: a new client (accept): give it a number, the name anonymous, and a buffer of MAX_LINE bytes. */
    /* Step 6: a client: receive (read), look for line ends, and keep what is left for the next time. */
    /* Step 7: its first line may be HELLO <name> <pid> (sscanf). */
    /* Step 8: show a line (printf, iscntrl, fflush). */
    /* Step 9: two-way, a line from stdin: to all, to @name or to @#number (send with MSG_DONTWAIT). */
    /* Step 10: the end of a client's stream: tell it on stderr, close, forget it. */
    /* Step 11: at the end, close all, and remove the socket file (unlink). */
    return 0;
}
