/* sum-server: a server that adds integers for its clients.
 *
 * It compiles and starts, and the work is left to you: follow the steps. Each begins where the grader's
 * first complaint is. Compile it with  cc -Wall -Wextra -o server sum_server.c  */

#include <stdio.h>

#define FRAME_LEN 128

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
        return 2;
    }
    printf("the socket is to be at %s\n", argv[1]);

    /* Step 1: remove a socket file that a killed server left (lstat, S_ISSOCK, unlink). */
    /* Step 2: create the listening socket (socket). */
    /* Step 3: give it its name (struct sockaddr_un, bind). */
    /* Step 4: let the kernel queue clients (listen). */
    /* Step 5: SIGINT and SIGTERM are to end the loop below (sigaction without SA_RESTART), and
     *         SIGPIPE is to do nothing. */
    /* Step 6: wait for a client (accept). Here begins the loop. */
    /* Step 7: receive integers until one is 0 (read). One read may bring many, or a part of one. */
    /* Step 8: answer with a frame of FRAME_LEN bytes (snprintf, write). */
    /* Step 9: close the connection (close), and go on with step 6. */
    /* Step 10: at the end, tell a connected client Goodbye, close the listening socket, and remove
     *          its file (unlink). */
    return 0;
}
